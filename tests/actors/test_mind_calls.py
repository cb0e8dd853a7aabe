"""Which calls an actor holds, without a loop."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from actors.mind_calls import MindCalls, MindConfig, Phase, UnknownCall
from actors.wire import CloseCall, OpenCall, TurnEntry
from dialogue.agent import Agent
from dialogue.errors import StaleEpoch
from dialogue.session import CallIdentity

AGENT = Agent("t", "a", "v1", "en-US", "You are Ann.", "Hello!", "voice")


class SilentRecorder:
    def call_opened(self, call: CallIdentity, *, at_us: int) -> None:
        return

    def turn_settled(self, call: CallIdentity, turn: TurnEntry) -> None:
        return

    def units_used(self, call: CallIdentity, usage: Mapping[str, float]) -> None:
        return

    def handed_over(self, call: CallIdentity, hand_over: Mapping[str, Any], *, at_us: int) -> None:
        return

    def call_closed(self, call: CallIdentity, *, planned: bool, reason: str, at_us: int) -> None:
        return

    def call_moved(self, call: CallIdentity) -> None:
        return


def calls(**limits: Any) -> MindCalls:
    return MindCalls({("t", "a"): AGENT}, SilentRecorder(), MindConfig(**limits))


def opened(held: MindCalls, call_id: str = "c", now: float = 0.0, **changes: Any) -> str:
    values = {"epoch": (0, 1), "tenant_id": "t", "agent_id": "a", **changes}
    message = OpenCall(agent_version="v0", call_id=call_id, call_sid="CA", **values)
    return held.open(message, now=now, at_us=0).refusal


def close(held: MindCalls, *, planned: bool, now: float) -> None:
    call = held.find("t", "c", (0, 1), now=now)
    held.close(call, CloseCall("t", "c", (0, 1), planned, "x"), now=now, at_us=0)


def test_the_owner_finds_its_call_and_others_do_not() -> None:
    held = calls()
    opened(held)
    assert held.find("t", "c", (0, 1), now=1.0).heard_at == 1.0
    with pytest.raises(StaleEpoch):
        held.find("t", "c", (0, 0), now=1.0)
    for tenant_id, call_id, epoch in [("t", "c", (0, 2)), ("u", "c", (0, 1)), ("t", "d", (0, 1))]:
        with pytest.raises(UnknownCall):
            held.find(tenant_id, call_id, epoch, now=1.0)


def test_another_tenant_cannot_open_a_call_that_is_held() -> None:
    held = MindCalls({("t", "a"): AGENT, ("u", "a"): AGENT}, SilentRecorder(), MindConfig())
    assert opened(held) == ""
    assert opened(held, tenant_id="u", epoch=(9, 9)) == "unknown_agent"


def test_lost_calls_hold_their_seat_and_ended_ones_do_not() -> None:
    held = calls(calls_per_actor=1)
    opened(held)
    close(held, planned=False, now=1.0)
    assert opened(held, "other") == "full"
    close(held, planned=True, now=2.0)
    assert opened(held, "other") == ""


def test_open_calls_are_told_by_agent_and_who_has_none_too() -> None:
    held = MindCalls(
        {("t", "a"): AGENT, ("t", "b"): replace(AGENT, agent_id="b", language="zh-HK")},
        SilentRecorder(),
        MindConfig(),
    )
    opened(held, "one")
    opened(held)
    assert held.open_by_agent() == {("t", "a", "en-US"): 2, ("t", "b", "zh-HK"): 0}
    close(held, planned=False, now=1.0)
    assert held.open_by_agent()["t", "a", "en-US"] == 1, "a lost one is not in progress"


def test_who_has_sat_down_lately_is_told_even_if_the_seat_is_free_again() -> None:
    held = calls()
    opened(held, "older", now=0.0)
    opened(held, now=2.0)
    opened(held, now=3.0, epoch=(1, 5))  # comes back to its own seat
    assert held.seated_since(0.0) == ["c"]
    call = held.find("t", "c", (1, 5), now=4.0)
    held.close(call, CloseCall("t", "c", (1, 5), True, "x"), now=4.0, at_us=0)
    assert held.seated_since(-1.0) == ["older", "c"]
    assert held.seated_since(2.0) == []


def test_a_planned_end_is_never_taken_back() -> None:
    held = calls()
    opened(held)
    close(held, planned=True, now=1.0)
    close(held, planned=False, now=2.0)
    assert held.state("c").planned_end
    assert held.count(Phase.ENDED) == 1


def test_a_refused_call_does_not_use_up_its_token() -> None:
    held = calls(calls_per_actor=1)
    opened(held)
    assert opened(held, "other", token_id="token") == "full"
    close(held, planned=True, now=1.0)
    assert opened(held, "other", token_id="token") == ""
    assert opened(held, "third", token_id="token") == "token_used"


def test_sweeping_tells_which_calls_fell_silent() -> None:
    held = calls(stale_call_s=10.0)
    opened(held, "old", now=0.0)
    opened(held, "new", now=5.0)
    closed = held.sweep(now=10.0, at_us=0)
    assert [call.session.call.call_id for call in closed] == ["old"]
    assert (held.count(Phase.OPEN), held.count(Phase.LOST)) == (1, 1)


def test_its_error_pickles() -> None:
    assert pickle.loads(pickle.dumps(UnknownCall("ended"))).refusal == "ended"


# --- calls that the carrier has -------------------------------------------------------------------

DIAL = {"verb": "dial", "tool": "sales", "to": "+15550102", "timeout_s": 20}
DIGITS = {"verb": "digits", "tool": "press", "digits": "1"}


class ListingRecorder(SilentRecorder):
    def __init__(self) -> None:
        self.told: list[Any] = []

    def handed_over(self, call: CallIdentity, hand_over: Mapping[str, Any], *, at_us: int) -> None:
        self.told.append(dict(hand_over))

    def call_closed(self, call: CallIdentity, *, planned: bool, reason: str, at_us: int) -> None:
        self.told.append((planned, reason))


def handed_over(action: dict[str, Any] = DIAL, **limits: Any) -> tuple[MindCalls, ListingRecorder]:
    recorder = ListingRecorder()
    held = MindCalls({("t", "a"): AGENT}, recorder, MindConfig(**limits))
    opened(held)
    hand_over(held, action, now=1.0)
    return held, recorder


def hand_over(held: MindCalls, action: dict[str, Any], *, now: float) -> None:
    call = held.find("t", "c", (0, 1), now=now)
    message = CloseCall("t", "c", (0, 1), True, "transferring", hand_over=action)
    held.close(call, message, now=now, at_us=0)


def test_a_call_that_was_handed_over_keeps_its_seat_and_is_no_end() -> None:
    held, recorder = handed_over(calls_per_actor=1)
    assert opened(held, "other") == "full"
    state = held.state("c")
    assert (state.planned_end, state.reason, state.hand_over) == (False, "transferring", DIAL)
    assert recorder.told == [DIAL]
    with pytest.raises(UnknownCall, match="ended"):
        held.revive(held.find("t", "c", (0, 1), now=2.0))


def test_handing_over_twice_is_once_and_a_loss_afterwards_is_none() -> None:
    held, recorder = handed_over()
    hand_over(held, DIAL, now=2.0)
    close(held, planned=False, now=3.0)
    assert held.state("c").hand_over == DIAL
    assert recorder.told == [DIAL]


def test_it_comes_back_under_a_newer_epoch_with_its_turns() -> None:
    held, _ = handed_over()
    held.settle(held.find("t", "c", (0, 1), now=1.0), [TurnEntry(1, "caller", "q", "a", "a")])
    answer = held.open(OpenCall("t", "a", "v", "c", "CA", (1, 9)), now=20.0, at_us=0)
    assert [turn.turn_id for turn in answer.turn_log] == [1]
    assert held.count(Phase.OPEN) == 1
    assert held.state("c").hand_over == {}


def test_it_ends_when_the_carrier_says_so() -> None:
    held, recorder = handed_over()
    close(held, planned=True, now=3.0)
    assert held.state("c").planned_end
    assert recorder.told == [DIAL, (True, "x")]


@pytest.mark.parametrize(
    ("action", "kept_s", "then", "told"),
    [
        (DIAL, 50.0, Phase.ENDED, [DIAL, (True, "transferred")]),
        (DIGITS, 30.0, Phase.LOST, [DIGITS]),
        ({"verb": "dial", "timeout_s": "?"}, 30.0, Phase.ENDED, None),
    ],
)
def test_one_that_does_not_come_back_is_let_go(
    action: dict[str, Any], kept_s: float, then: Phase, told: list[Any] | None
) -> None:
    held, recorder = handed_over(action)
    held.sweep(now=1.0 + kept_s - 0.1, at_us=0)
    assert held.count(Phase.HANDED_OVER) == 1
    held.sweep(now=1.0 + kept_s, at_us=0)
    assert held.count(then) == 1
    assert told is None or recorder.told == told


def test_what_was_asked_and_not_settled_is_told_to_the_next_stream() -> None:
    held = calls()
    opened(held)
    call = held.find("t", "c", (0, 1), now=1.0)
    assert unanswered(held, (1, 1)) == ""
    held.taken(call, 1, "one")
    held.taken(call, 2, "two")
    assert unanswered(held, (2, 1)) == "two"
    held.settle(call, [TurnEntry(1, "caller", "one", "reply", "reply")])
    assert unanswered(held, (3, 1)) == "two"
    held.settle(call, [TurnEntry(2, "caller", "two", "reply", "")])
    assert unanswered(held, (4, 1)) == ""
    held.taken(call, 2, "two")  # comes late
    assert unanswered(held, (5, 1)) == ""


def test_a_turn_whose_socket_went_before_its_reply_is_not_answered() -> None:
    held = calls()
    opened(held)
    call = held.find("t", "c", (0, 1), now=1.0)
    held.taken(call, 1, "one")
    cut = TurnEntry(1, "caller", "one", "re", "", "interrupted", reason="stream closed")
    held.settle(call, [cut])
    assert unanswered(held, (1, 1)) == "one"
    held.settle(call, [replace(cut, turn_id=2, heard_text="re")])
    assert unanswered(held, (2, 1)) == ""
    held.taken(call, 3, "three")
    held.settle(call, [replace(cut, turn_id=3, heard_text="re")])  # some of it was heard
    assert unanswered(held, (3, 1)) == ""


def test_what_a_guess_was_asked_for_is_told_to_the_next_stream() -> None:
    held = calls()
    opened(held)
    call = held.find("t", "c", (0, 1), now=1.0)
    held.guessed(call, 1, "a table", now=1.0)
    message = OpenCall("t", "a", "v0", "c", "CA", (1, 1))
    assert held.open(message, now=2.0, at_us=0).unfinished == "a table"
    held.settle(call, [TurnEntry(1, "caller", "a table", "reply", "reply")])
    held.guessed(call, 1, "a table", now=1.0)  # comes late
    message = replace(message, epoch=(2, 1))
    assert held.open(message, now=2.0, at_us=0).unfinished == ""


def unanswered(held: MindCalls, epoch: tuple[int, int]) -> str:
    message = OpenCall("t", "a", "v0", "c", "CA", epoch)
    return held.open(message, now=2.0, at_us=0).unanswered
