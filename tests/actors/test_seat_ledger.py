"""Calls between their lease and their seat, told of in any order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.seat_ledger import REMEMBERED_S, SPENT_COUNTS_S, SeatLedger


def seat(ledger: SeatLedger, *calls: str, now: float = 0.0, is_first: bool = False) -> None:
    ledger.seated(calls, now=now, is_first=is_first)


def test_a_call_on_its_way_needs_a_seat_until_it_has_one() -> None:
    ledger = SeatLedger()
    ledger.spent("k", now=0.0)
    assert (ledger.on_way, ledger.owed(3)) == (1, 4)
    seat(ledger, "k", now=0.5)
    assert (ledger.on_way, ledger.owed(3)) == (0, 3)


def test_a_call_that_is_seen_first_is_set_off_against_the_leases_held() -> None:
    ledger = SeatLedger()
    seat(ledger, "k", now=0.0)
    assert (ledger.on_way, ledger.owed(3)) == (0, 2)
    ledger.spent("k", now=0.5)
    assert ledger.owed(2) == 2


def test_nothing_is_owed_to_less_than_nobody() -> None:
    ledger = SeatLedger()
    seat(ledger, "k", "l")
    assert ledger.owed(1) == 0


def test_a_teller_who_is_new_is_set_nothing_off() -> None:
    ledger = SeatLedger()
    seat(ledger, "k", is_first=True)
    assert ledger.owed(3) == 3
    ledger.spent("k", now=0.1)
    assert ledger.owed(2) == 2


def test_neither_counts_for_ever() -> None:
    ledger = SeatLedger()
    ledger.spent("hung up", now=0.0)
    seat(ledger, "no lease", now=0.0)
    ledger.spent("k", now=1.0)
    ledger.forget_old(now=SPENT_COUNTS_S)
    assert (ledger.on_way, ledger.owed(0)) == (1, 1)


def test_a_call_that_comes_late_is_set_nothing_off() -> None:
    ledger = SeatLedger()
    ledger.spent("late", now=0.0)
    ledger.forget_old(now=SPENT_COUNTS_S + 1)
    seat(ledger, "late", now=SPENT_COUNTS_S + 2)
    assert ledger.owed(3) == 3


def test_calls_that_have_no_name_count_until_they_are_old() -> None:
    ledger = SeatLedger()
    ledger.spent_unnamed(2, now=0.0)
    ledger.spent_unnamed(1, now=1.0)
    assert ledger.owed(0) == 3
    ledger.forget_old(now=SPENT_COUNTS_S)
    assert ledger.owed(0) == 1


def test_what_is_remembered_is_bounded() -> None:
    ledger = SeatLedger()
    for number in range(200):
        ledger.spent(f"call {number}", now=float(number))
        seat(ledger, f"call {number}", now=float(number))
        ledger.forget_old(now=float(number))
    assert len(ledger._told) <= REMEMBERED_S + 1
    assert len(ledger._seated) <= REMEMBERED_S + 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcdef")), max_size=40))
def test_every_order_and_repetition_ends_the_same(tellings: list[tuple[bool, str]]) -> None:
    ledger, told, seated = SeatLedger(), set(), set()
    for is_told, call in tellings:
        if is_told:
            ledger.spent(call, now=0.0)
            told.add(call)
        else:
            seat(ledger, call)
            seated.add(call)
        assert ledger.on_way == len(told - seated)
        assert ledger.owed(9) == 9 + len(told - seated) - len(seated - told)
