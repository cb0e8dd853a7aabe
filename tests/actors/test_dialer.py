from __future__ import annotations

from itertools import pairwise
from typing import TypeGuard

from hypothesis import given
from hypothesis import strategies as st

from actors.dialer import Dialer, DialerConfig
from actors.dialer_events import (
    OUTCOME_UNKNOWN,
    THROTTLED,
    CallAccepted,
    CallDue,
    CallKey,
    CallRefused,
    CallTaken,
    CallWithdrawn,
    CapacityKnown,
    CarrierWasAway,
    CarrierWasBusy,
    Dial,
    Event,
    MarkFailed,
    MarkPlaced,
    MarkWaiting,
    Output,
)


def key(number: int) -> CallKey:
    return ("default", f"call-{number}")


def drained(dialer: Dialer) -> list[Output]:
    outputs = []
    while (output := dialer.next_output()) is not None:
        outputs.append(output)
    return outputs


def after(dialer: Dialer, *events: Event, now: float) -> list[Output]:
    for event in events:
        dialer.receive(event, now=now)
    return drained(dialer)


def is_wait(output: Output) -> TypeGuard[MarkWaiting]:
    return isinstance(output, MarkWaiting)


def test_what_is_kept_for_callers_is_not_dialled_away() -> None:
    dialer = Dialer(DialerConfig(calls_per_s=100, kept_free=3))
    due = [CallDue(key(n)) for n in range(9)]
    assert after(dialer, CapacityKnown(3), *due, now=0.0) == []
    assert dialer.held_up_by(0.0) == "capacity"
    assert after(dialer, CapacityKnown(4), now=1.0) == [Dial(key(0))]
    assert after(dialer, CapacityKnown(5), now=2.0) == [Dial(key(1))], "one is on its way"
    assert after(dialer, CapacityKnown(0), now=3.0) == []


def test_a_tenant_without_room_waits_and_holds_up_nobody_else() -> None:
    dialer = Dialer(DialerConfig(calls_per_s=100, max_in_flight=9))
    busy, other = [("busy", f"{n}") for n in range(3)], ("other", "1")
    due = [CallDue(one) for one in (*busy, other)]
    room = CapacityKnown(9, {"busy": 1})
    assert after(dialer, room, *due, now=0.0) == [Dial(busy[0])]
    dialer.handle_deadline(now=1.0)
    assert dialer.next_output() == Dial(other)
    dialer.handle_deadline(now=2.0)
    assert dialer.next_output() is None
    assert dialer.next_deadline() is None, "nothing to wake up for"
    assert dialer.held_up_by(2.0) == "tenant"
    assert after(dialer, CallTaken(busy[0]), now=3.0) == [Dial(busy[1])], "its room is free again"
    assert after(dialer, CapacityKnown(9, {"busy": 0}), now=4.0) == []
    assert after(dialer, CapacityKnown(9), now=5.0) == [Dial(busy[2])], "it has no limit any more"


def test_calls_are_dialled_in_order_at_the_account_s_pace() -> None:
    dialer = Dialer(DialerConfig(calls_per_s=2))
    due = [CallDue(key(n)) for n in range(3)]
    assert after(dialer, CapacityKnown(10), *due, now=5.0) == [Dial(key(0))]
    assert dialer.held_up_by(5.1) == "pace"
    assert dialer.next_deadline() == 5.5
    dialer.handle_deadline(now=5.4)
    assert drained(dialer) == []
    dialer.handle_deadline(now=5.5)
    assert drained(dialer) == [Dial(key(1))]


def test_an_idle_dialer_has_not_saved_up_calls() -> None:
    dialer = Dialer(DialerConfig())
    assert after(dialer, CapacityKnown(10), now=0.0) == []
    due = [CallDue(key(n)) for n in range(3)]
    assert after(dialer, *due, now=1_000.0) == [Dial(key(0))]


def test_a_full_cluster_is_waited_for() -> None:
    dialer = Dialer(DialerConfig(calls_per_s=10))
    assert after(dialer, CallDue(key(1)), now=0.0) == []
    assert dialer.held_up_by(0.0) == "capacity"
    assert dialer.next_deadline() is None
    assert after(dialer, CapacityKnown(1), CallDue(key(2)), now=1.0) == [Dial(key(1))]
    assert dialer.held_up_by(2.0) == "capacity"


def test_a_call_that_is_due_twice_is_dialled_once() -> None:
    dialer = Dialer(DialerConfig(calls_per_s=100))
    events = (CapacityKnown(10), CallDue(key(1)), CallDue(key(1)))
    assert after(dialer, *events, now=0.0) == [Dial(key(1))]
    assert after(dialer, CallDue(key(1)), now=9.0) == []
    assert after(dialer, CallAccepted(key(1), "CA1"), now=9.0) == [MarkPlaced(key(1), "CA1")]
    assert after(dialer, CallAccepted(key(1), "CA1"), now=9.0) == []


def test_throttling_holds_the_whole_queue_and_costs_no_attempt() -> None:
    dialer = Dialer(DialerConfig())
    due = (CapacityKnown(10), CallDue(key(1), attempts=2), CallDue(key(2)))
    assert after(dialer, *due, now=0.0) == [Dial(key(1), 3)]
    waiting = after(dialer, CarrierWasBusy(key(1), 7.0), now=0.2)
    assert waiting == [MarkWaiting(key(1), 7.0, 2, THROTTLED)]
    assert dialer.held_up_by(3.0) == "throttled"
    dialer.handle_deadline(now=7.1)
    assert drained(dialer) == []
    dialer.handle_deadline(now=7.2)
    assert drained(dialer) == [Dial(key(1), 3)]


def test_questions_that_were_open_together_are_throttled_once() -> None:
    dialer = Dialer(DialerConfig(calls_per_s=100, first_backoff_s=2))
    after(dialer, CapacityKnown(10), *(CallDue(key(n)) for n in range(3)), now=0.0)
    for now in (0.01, 0.02):
        dialer.handle_deadline(now=now)
    busy = [CarrierWasBusy(key(n)) for n in range(3)]
    delays = [output.delay_s for output in after(dialer, *busy, now=1.0) if is_wait(output)]
    assert delays == [2, 2, 2]
    assert dialer.next_deadline() == 3.0


def test_throttling_without_a_time_waits_ever_longer() -> None:
    dialer = Dialer(DialerConfig(first_backoff_s=1, last_backoff_s=4))
    after(dialer, CapacityKnown(10), CallDue(key(1)), now=0.0)
    delays = []
    now = 0.0
    for _ in range(4):
        (waiting,) = after(dialer, CarrierWasBusy(key(1)), now=now)
        assert isinstance(waiting, MarkWaiting)
        delays.append(waiting.delay_s)
        now += waiting.delay_s
        dialer.handle_deadline(now=now)
        assert drained(dialer) == [Dial(key(1))]
    assert delays == [1, 2, 4, 4]


def test_a_refused_call_has_failed_and_the_next_one_goes_on() -> None:
    dialer = Dialer(DialerConfig())
    after(dialer, CapacityKnown(10), CallDue(key(1)), CallDue(key(2)), now=0.0)
    refused = after(dialer, CallRefused(key(1), 21211, "invalid To"), now=1.0)
    assert refused == [MarkFailed(key(1), 21211, "invalid To"), Dial(key(2))]


def test_a_carrier_that_is_away_is_tried_again_and_then_given_up() -> None:
    dialer = Dialer(DialerConfig(max_attempts=3, first_backoff_s=1))
    after(dialer, CapacityKnown(10), CallDue(key(1)), now=0.0)
    away = CarrierWasAway(key(1), "refused", maybe_done=False)
    (first,) = after(dialer, away, now=0.0)
    assert first == MarkWaiting(key(1), 1.0, 1, "carrier_unreachable: refused")
    dialer.handle_deadline(now=1.0)
    assert drained(dialer) == [Dial(key(1), 2)]
    (second,) = after(dialer, away, now=1.0)
    assert second == MarkWaiting(key(1), 2.0, 2, "carrier_unreachable: refused")
    dialer.handle_deadline(now=3.0)
    assert drained(dialer) == [Dial(key(1), 3)]
    (third,) = after(dialer, away, now=3.0)
    assert third == MarkFailed(key(1), 0, "carrier_unreachable: refused")


def test_a_phone_is_never_rung_twice_on_a_guess() -> None:
    dialer = Dialer(DialerConfig())
    after(dialer, CapacityKnown(10), CallDue(key(1)), now=0.0)
    (failed,) = after(dialer, CarrierWasAway(key(1), "timed out", maybe_done=True), now=1.0)
    assert failed == MarkFailed(key(1), 0, f"{OUTCOME_UNKNOWN}: timed out")
    dialer.handle_deadline(now=1_000.0)
    assert drained(dialer) == []


def test_a_withdrawn_call_is_not_dialled() -> None:
    dialer = Dialer(DialerConfig())
    after(dialer, CapacityKnown(10), CallDue(key(1)), CallDue(key(2)), now=0.0)
    assert after(dialer, CallWithdrawn(key(2)), CallTaken(key(1)), now=0.5) == []
    dialer.handle_deadline(now=50.0)
    assert drained(dialer) == []
    assert (dialer.waiting, dialer.in_flight) == (0, 0)


def test_a_call_that_is_taken_costs_neither_time_nor_room() -> None:
    dialer = Dialer(DialerConfig(calls_per_s=1))
    due = [CallDue(key(n)) for n in range(3)]
    assert after(dialer, CapacityKnown(2), *due, now=0.0) == [Dial(key(0))]
    assert after(dialer, CallTaken(key(0)), now=0.1) == [Dial(key(1))]
    assert after(dialer, CallTaken(key(0)), now=0.2) == []
    assert after(dialer, CallTaken(key(1)), now=0.2) == [Dial(key(2))]


def test_a_call_that_is_taken_does_not_end_a_throttling() -> None:
    dialer = Dialer(DialerConfig(calls_per_s=100))
    due = [CallDue(key(n)) for n in range(3)]
    after(dialer, CapacityKnown(9), *due, now=0.0)
    dialer.handle_deadline(now=0.01)
    after(dialer, CarrierWasBusy(key(0), 30.0), now=0.02)
    assert after(dialer, CallTaken(key(1)), now=0.03) == []
    assert dialer.held_up_by(0.04) == "throttled"
    assert dialer.next_deadline() == 30.02


ANSWERS = st.sampled_from(["accept", "refuse", "busy", "away", "maybe", "taken"])


@given(
    st.lists(st.tuples(st.floats(0, 2), ANSWERS, st.booleans(), st.integers(0, 3)), max_size=60),
    st.sampled_from([0.5, 1.0, 3.0]),
)
def test_pace_capacity_and_once_hold_whatever_happens(
    steps: list[tuple[float, str, bool, int]], calls_per_s: float
) -> None:
    config = DialerConfig(calls_per_s=calls_per_s, max_in_flight=2, max_attempts=2)
    dialer = Dialer(config)
    now, number = 0.0, 0
    open_calls: list[CallKey] = []
    asked: list[tuple[float, CallKey]] = []
    over: set[CallKey] = set()
    for wait_s, answer, is_new, free in steps:
        now += wait_s
        if is_new:
            dialer.receive(CallDue(key(number)), now=now)
            number += 1
        dialer.receive(CapacityKnown(free), now=now)
        if open_calls:
            of = open_calls.pop(0)
            if answer == "taken":  # the carrier was not asked about it this time
                asked.remove(next(each for each in reversed(asked) if each[1] == of))
            dialer.receive(_answer(answer, of), now=now)
        dialer.handle_deadline(now=now)
        for output in drained(dialer):
            if isinstance(output, Dial):
                assert output.key not in open_calls
                assert output.key not in over
                open_calls.append(output.key)
                asked.append((now, output.key))
            elif isinstance(output, MarkPlaced | MarkFailed):
                over.add(output.key)
        assert len(open_calls) == dialer.in_flight <= config.max_in_flight
    gaps = [later - at for (at, _), (later, _) in pairwise(asked)]
    assert all(gap >= 1 / calls_per_s - 1e-9 for gap in gaps)


def _answer(answer: str, of: CallKey) -> Event:
    match answer:
        case "accept":
            return CallAccepted(of, "CA1")
        case "refuse":
            return CallRefused(of, 21211, "no")
        case "busy":
            return CarrierWasBusy(of)
        case "taken":
            return CallTaken(of)
        case _:
            return CarrierWasAway(of, "away", maybe_done=answer == "maybe")
