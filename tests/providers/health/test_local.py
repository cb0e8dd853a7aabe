"""One worker's view: its own evidence at once, the board's verdicts, and what it tells."""

from __future__ import annotations

from dataclasses import replace

import pytest

from providers.health.board import Board, Entry
from providers.health.local import LocalHealth, worst
from providers.health.policy import HealthPolicy
from providers.health.signals import Sign, Signal
from tests.providers.health.clockwork import DOWN, GOOD, OTHER, SILENT, START_S, UNIT, worker

POLICY = HealthPolicy()


def board(state: str, version: int = 1, *, term: int = 1, **fields: float) -> Board:
    stamp = (term, version)
    entry = Entry(stamp, state, "run")  # type: ignore[arg-type]
    return Board(stamp, {UNIT: replace(entry, **fields)})  # type: ignore[arg-type]


def down(local: LocalHealth, at_s: float = START_S) -> None:
    for _ in range(POLICY.run_opens):
        local.saw(UNIT, DOWN, now=at_s)


def state(local: LocalHealth, at_s: float = START_S) -> str:
    return local.verdict(UNIT, now=at_s).state


def test_nothing_known_is_well() -> None:
    verdict = worker().verdict(UNIT, now=START_S)
    assert (verdict.usable, verdict.new_call_share, verdict.quantiles) == (True, 1.0, None)


def test_own_evidence_opens_at_once_and_other_units_stay() -> None:
    local = worker()
    local.saw(UNIT, DOWN, now=START_S)
    assert state(local) == "suspect"
    down(local)
    assert state(local) == "open"
    assert local.verdict(OTHER, now=START_S).state == "closed"


@pytest.mark.parametrize(
    "sign", [Sign.ABANDONED, Sign.TOOL_ONLY, Sign.FILTERED, Sign.OUTRUN, Sign.OUR_MISTAKE]
)
def test_a_storm_of_what_is_no_failure_opens_nothing(sign: Sign) -> None:
    local = worker()
    for _ in range(500):
        local.saw(UNIT, Signal(sign), now=START_S)
    assert state(local) == "closed"
    assert local.next_deadline(now=START_S) is None
    assert local.alarms == (500 if sign is Sign.OUR_MISTAKE else 0)


def test_the_board_opens_and_closes() -> None:
    local = worker()
    local.receive_board(board("open"), now=START_S)
    assert state(local) == "open"
    closed = board("closed", 2, recoveries=1, closed_at_s=START_S + 1)
    local.receive_board(closed, now=START_S + 1)
    verdict = local.verdict(UNIT, now=START_S + 1)
    assert (verdict.state, verdict.new_call_share) == ("closed", 0.1)


def test_a_recovery_on_the_board_closes_what_was_opened_here_too() -> None:
    local = worker()
    down(local)
    local.receive_board(board("open"), now=START_S)
    local.receive_board(board("closed", 5, recoveries=1, closed_at_s=START_S + 1), now=START_S + 1)
    assert state(local, START_S + 1) == "closed"


def test_an_old_board_that_comes_late_changes_nothing() -> None:
    local = worker()
    local.receive_board(board("closed", 2, recoveries=1), now=START_S)
    local.receive_board(board("open", 1), now=START_S)
    assert state(local) == "closed"


def test_what_only_this_worker_opened_it_probes_itself() -> None:
    local = worker()
    local.receive_board(Board((1, 1)), now=START_S)
    down(local)
    now = START_S
    for _ in range(POLICY.good_probes):
        now += 1.0
        local.receive_board(Board((1, 1)), now=now)
        ((unit, number),) = local.probes(now=now)
        local.probe_answered(unit, number, ok=True, now=now)
    assert state(local, now) == "closed"


def test_what_the_board_opened_its_prober_probes_and_nobody_spins() -> None:
    local = worker()
    down(local)
    local.receive_board(board("open"), now=START_S)
    local.report(now=START_S)
    later = START_S + 1.9
    assert local.probes(now=later) == []
    due = local.next_deadline(now=later)
    assert due is not None
    assert due > later, "a deadline in the past would be handled for ever"


def test_a_board_that_falls_silent_leaves_its_word_to_the_own_breaker() -> None:
    local = worker()
    local.receive_board(board("open"), now=START_S)
    later = START_S + POLICY.board_stale_s + 0.1
    assert state(local, later) == "open", "the dead provider is not let in again"
    probed = later + POLICY.busy_s
    for step in range(POLICY.good_probes):
        ((unit, number),) = local.probes(now=probed + step)
        local.probe_answered(unit, number, ok=True, now=probed + step)
    assert state(local, probed + 3) == "closed"


def test_a_silent_board_says_nothing_of_what_is_well() -> None:
    local = worker()
    local.receive_board(board("suspect"), now=START_S)
    assert state(local) == "suspect"
    assert state(local, START_S + 100) == "closed"


def test_quantiles_outlive_the_board() -> None:
    local = worker()
    local.receive_board(board("closed", p50_s=0.1, p95_s=0.2, p99_s=0.3), now=START_S)
    quantiles = local.verdict(UNIT, now=START_S + 100).quantiles
    assert quantiles is not None
    assert quantiles.p99_s == 0.3


def test_own_quantiles_until_the_board_has_some() -> None:
    local = worker()
    for _ in range(40):
        local.saw(UNIT, GOOD, now=START_S)
    quantiles = local.verdict(UNIT, now=START_S + 2).quantiles
    assert quantiles is not None
    assert quantiles.p50_s == pytest.approx(0.2, rel=0.03)


@pytest.mark.parametrize(
    ("retry_after_s", "away_s"), [(None, 1.0), (0.0, 1.0), (30.0, 30.0), (1e9, 3_600.0)]
)
def test_busy_is_left_alone_as_long_as_it_asks(retry_after_s: float | None, away_s: float) -> None:
    local = worker()
    local.saw(UNIT, Signal(Sign.BUSY, retry_after_s=retry_after_s), now=START_S)
    assert state(local) == "open"
    assert local.probes(now=START_S + away_s - 0.01) == []
    assert len(local.probes(now=START_S + away_s)) == 1


@pytest.mark.parametrize(
    ("signal", "wait_s"),
    [(DOWN, 0.0), (Signal(Sign.BUSY), 0.0), (SILENT, POLICY.report_s), (GOOD, 0.5)],
)
def test_how_soon_it_is_told(signal: Signal, wait_s: float) -> None:
    local = worker()
    local.saw(UNIT, signal, now=START_S)
    if wait_s:
        assert local.report(now=START_S + wait_s - 0.01) is None
    report = local.report(now=START_S + wait_s)
    assert report is not None
    assert set(report.sightings) == {UNIT}
    assert local.report(now=START_S + 9) is None, "told once"


def test_what_everybody_knows_is_in_no_hurry() -> None:
    local = worker()
    local.receive_board(board("open"), now=START_S)
    local.saw(UNIT, DOWN, now=START_S)
    assert local.report(now=START_S + POLICY.report_s) is None


def test_a_lost_report_is_told_again() -> None:
    local = worker()
    down(local)
    report = local.report(now=START_S)
    assert report is not None
    local.report_lost(report, now=START_S + 1)
    again = local.report(now=START_S + 2)
    assert again is not None
    assert again.sightings == report.sightings


def test_a_new_keeper_is_told_everything() -> None:
    local = worker()
    down(local)
    local.report(now=START_S)
    local.tell_all(now=START_S + 1)
    report = local.report(now=START_S + 1)
    assert report is not None
    assert UNIT in report.sightings


def test_held_is_what_is_not_well() -> None:
    local = worker()
    well = Board((1, 2), {OTHER: Entry((1, 2), "closed")})
    local.receive_board(board("open").merged(well), now=START_S)
    assert set(local.held().entries) == {UNIT}


def test_of_two_units_the_worse_counts() -> None:
    local = worker()
    down(local)
    verdicts = [local.verdict(unit, now=START_S) for unit in (OTHER, UNIT)]
    assert worst(verdicts).state == "open"
    assert worst(verdicts).new_call_share == 0.0
    assert worst(verdicts[:1]).usable
