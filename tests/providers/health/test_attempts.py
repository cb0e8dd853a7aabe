"""Tables of events for one request over several candidates."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from providers.health.attempts import (
    AttemptFailed,
    Attempts,
    CancelAttempt,
    Candidate,
    GiveUp,
    Output,
    OutputCame,
    RequestAbandoned,
    StartAttempt,
    TellHealth,
    UseAttempt,
)
from providers.health.budget import MOST_TENANTS, HedgeBudget, TenantBudgets
from providers.health.deadline import Timing
from providers.health.signals import Sign, Signal

TIMING = Timing(hedge_after_s=0.4, silent_after_s=0.5, deadline_s=0.6)
LAST = Timing(hedge_after_s=None, silent_after_s=0.5, deadline_s=0.9)
DOWN = Signal(Sign.UNAVAILABLE)


class Scene:
    def __init__(self, *units: str, hedges: int = 9, one_at_a_time: bool = False) -> None:
        self.left = hedges
        candidates = [
            Candidate(unit, LAST if unit == units[-1] else TIMING) for unit in units or "ab"
        ]
        self.now = 0.0
        self.machine = Attempts(candidates, self.may_hedge, now=0.0, one_at_a_time=one_at_a_time)

    def may_hedge(self) -> bool:
        self.left -= 1
        return self.left >= 0

    def out(self) -> list[Output]:
        found: list[Output] = []
        while (output := self.machine.next_output()) is not None:
            found.append(output)
        return found

    def until(self, now: float) -> list[Output]:
        """Let time pass; every deadline is handled when it is due."""
        found = self.out()
        while (due := self.machine.next_deadline()) is not None and due <= now:
            assert due >= self.now - 1e-9, "a deadline in the past that nothing handles"
            self.now = due
            self.machine.handle_deadline(now=due)
            found += self.out()
        self.now = now
        return found

    def came(self, attempt: int) -> list[Output]:
        self.machine.receive(OutputCame(attempt), now=self.now)
        return self.out()

    def failed(self, attempt: int, signal: Signal = DOWN) -> list[Output]:
        self.machine.receive(AttemptFailed(attempt, signal), now=self.now)
        return self.out()


def started(outputs: Sequence[Output]) -> list[tuple[str, str]]:
    return [(out.unit, out.why) for out in outputs if isinstance(out, StartAttempt)]


def test_a_healthy_first_answers_alone() -> None:
    scene = Scene("a", "b")
    assert started(scene.until(0.3)) == [("a", "first")]
    told, used = scene.came(0)
    assert told == TellHealth("a", Signal(Sign.ANSWERED, latency_s=0.3))
    assert used == UseAttempt(0, "a", 0.3)
    assert scene.machine.done
    assert scene.machine.next_deadline() is None


def test_a_hard_failure_asks_the_next_at_once_and_costs_no_budget() -> None:
    scene = Scene("a", "b", "c", hedges=0)
    scene.until(0.05)
    assert scene.failed(0) == [TellHealth("a", DOWN), StartAttempt(1, "b", "failover")]
    assert started(scene.failed(1)) == [("c", "failover")]
    assert scene.machine.hedges == 0


def test_a_late_first_is_hedged_and_the_quicker_wins() -> None:
    scene = Scene("a", "b")
    assert started(scene.until(0.45)) == [("a", "first"), ("b", "hedge")]
    assert [type(out) for out in scene.came(1)] == [TellHealth, UseAttempt]
    assert scene.machine.winner == "b"
    assert not scene.machine.done, "the loser is listened to"
    assert scene.until(0.5) == [TellHealth("a", Signal(Sign.SILENT)), CancelAttempt(0)]
    assert scene.machine.done


def test_a_loser_that_answers_is_measured_and_closed() -> None:
    scene = Scene("a", "b")
    scene.until(0.45)
    scene.came(1)
    answered = TellHealth("a", Signal(Sign.ANSWERED, latency_s=0.45))
    assert scene.came(0) == [answered, CancelAttempt(0)]
    assert scene.machine.done


def test_the_first_may_still_win_against_its_hedge() -> None:
    scene = Scene("a", "b")
    scene.until(0.45)
    assert UseAttempt(0, "a", 0.45) in scene.came(0)
    assert scene.machine.winner == "a"


def test_without_budget_the_deadline_asks_the_next() -> None:
    scene = Scene("a", "b", hedges=0)
    outputs = scene.until(0.6)
    assert started(outputs) == [("a", "first"), ("b", "failover")]
    assert TellHealth("a", Signal(Sign.SILENT)) in outputs


def test_one_past_its_deadline_may_win_until_its_place_is_needed() -> None:
    scene = Scene("a", "b", "c", hedges=0)
    scene.until(0.7)
    assert UseAttempt(0, "a", 0.7) in scene.came(0)

    scene = Scene("a", "b", "c", hedges=0)
    outputs = scene.until(1.25)
    assert CancelAttempt(0) in outputs
    assert started(outputs)[-1] == ("c", "failover")


def test_never_more_than_two_at_once_and_three_in_all() -> None:
    scene = Scene("a", "b", "c", "d")
    running, most = set(), 0
    for output in scene.until(10.0):
        if isinstance(output, StartAttempt):
            running.add(output.attempt)
        elif isinstance(output, CancelAttempt):
            running.discard(output.attempt)
        most = max(most, len(running))
    assert (most, scene.machine.calls) == (2, 3)


def test_nobody_answers() -> None:
    scene = Scene("a", "b", hedges=0)
    outputs = scene.until(10.0)
    assert isinstance(outputs[-1], GiveUp)
    assert outputs[-1].waited_s == pytest.approx(0.6 + 0.9)
    assert scene.machine.done
    assert scene.machine.winner is None


def test_all_refuse_at_once() -> None:
    scene = Scene("a", "b")
    scene.until(0.01)
    scene.failed(0)
    assert scene.failed(1) == [TellHealth("b", DOWN), GiveUp(0.01)]


def test_a_failure_while_a_hedge_runs_waits_for_the_hedge() -> None:
    scene = Scene("a", "b", "c")
    scene.until(0.45)
    assert started(scene.failed(0)) == []
    assert UseAttempt(1, "b", 0.45) in scene.came(1)


def test_silence_is_told_once_and_a_failure_after_it_is_no_second_one() -> None:
    scene = Scene("a", "b", hedges=0)
    assert TellHealth("a", Signal(Sign.SILENT)) in scene.until(0.55)
    assert TellHealth("a", DOWN) not in scene.failed(0)


def test_busy_after_silence_is_told_all_the_same() -> None:
    scene = Scene("a", "b", hedges=0)
    scene.until(0.55)
    busy = Signal(Sign.BUSY, retry_after_s=7.0)
    assert TellHealth("a", busy) in scene.failed(0, busy)


def test_a_stale_socket_is_tried_again_once_and_blames_nobody() -> None:
    scene = Scene("a", "b")
    scene.until(0.01)
    stale = Signal(Sign.STALE_SOCKET)
    assert scene.failed(0, stale) == [StartAttempt(1, "a", "again")]
    assert scene.failed(1, stale) == [TellHealth("a", DOWN), StartAttempt(2, "b", "failover")]


def test_nobody_is_to_blame_for_a_caller_who_speaks() -> None:
    scene = Scene("a", "b")
    scene.until(0.45)
    scene.machine.receive(RequestAbandoned(), now=0.45)
    assert scene.out() == [CancelAttempt(0), CancelAttempt(1)]
    assert scene.machine.done
    assert scene.came(0) == []


def test_what_comes_after_the_end_changes_nothing() -> None:
    scene = Scene("a", "b")
    scene.until(0.1)
    scene.came(0)
    assert scene.came(0) == []
    assert scene.failed(0) == []


def test_what_may_not_be_doubled_is_left_when_it_is_silent_and_only_then_asked_elsewhere() -> None:
    scene = Scene("a", "b", one_at_a_time=True)
    assert started(scene.until(0.49)) == [("a", "first")]
    silent = TellHealth("a", Signal(Sign.SILENT))
    assert scene.until(0.5) == [silent, CancelAttempt(0), StartAttempt(1, "b", "failover")]
    assert scene.came(0) == [], "an answer after that is nobody's"
    assert scene.machine.hedges == 1
    scene.now = 0.7
    assert UseAttempt(1, "b", 0.7) in scene.came(1)


def test_what_may_not_be_doubled_keeps_to_the_budget_and_to_one_at_a_time() -> None:
    scene = Scene("a", "b", hedges=0, one_at_a_time=True)
    outputs = scene.until(0.6)
    assert outputs[-2:] == [CancelAttempt(0), StartAttempt(1, "b", "failover")]
    scene = Scene("a", "b", hedges=0, one_at_a_time=True)
    scene.until(0.55)
    assert UseAttempt(0, "a", 0.55) in scene.came(0), "until its deadline it may answer"


@pytest.mark.parametrize("hedges", [0, 9])
def test_no_two_of_one_request_ever_run_when_it_may_not_be_doubled(hedges: int) -> None:
    scene = Scene("a", "b", "c", "d", hedges=hedges, one_at_a_time=True)
    running, most = set(), 0
    for output in scene.until(10.0):
        if isinstance(output, StartAttempt):
            running.add(output.attempt)
        elif isinstance(output, CancelAttempt):
            running.discard(output.attempt)
        most = max(most, len(running))
    assert (most, scene.machine.calls) == (1, 3)


def test_one_that_was_only_silent_is_asked_again_when_the_others_are_down() -> None:
    scene = Scene("a", "b", one_at_a_time=True)
    scene.until(0.55)
    assert scene.failed(1) == [TellHealth("b", DOWN), StartAttempt(2, "a", "failover")]
    assert isinstance(scene.failed(2)[-1], GiveUp)


def test_hedges_never_exceed_their_share() -> None:
    budget = HedgeBudget(0.05)
    spent = 0
    for request in range(1, 2_001):
        budget.request_sent()
        spent += budget.spend()  # every one of them is late
        assert spent <= 1 + 0.05 * request
    assert spent == budget.spent == 101
    assert budget.refused == 1_899


def test_a_quiet_time_does_not_pay_for_a_flood() -> None:
    budget = HedgeBudget(0.05, most=10.0)
    for _ in range(10_000):
        budget.request_sent()
    assert sum(budget.spend() for _ in range(100)) == 10


def test_a_share_of_nothing_never_hedges() -> None:
    budget = HedgeBudget(0.0, first=0.0)
    budget.request_sent()
    assert not budget.spend()


def test_tenants_that_are_not_heard_of_for_long_are_forgotten() -> None:
    budgets = TenantBudgets()
    first = budgets.of("first")
    assert first.spend()
    for number in range(MOST_TENANTS - 1):
        budgets.of(str(number))
    assert budgets.of("first") is first
    for number in range(MOST_TENANTS):
        budgets.of(f"again-{number}")
    assert budgets.of("first") is not first
