"""How the slots that are left are divided."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.lease_shares import Demand, DemandSum, Division
from actors.lease_shares import divide as divide_by_sum

QUIET = Demand(in_hand=8, want=8)


def divide(mine: Demand, others: list[Demand], *, seats: int, ears: int) -> Division:
    everyone = [mine, *others]
    return divide_by_sum(mine, DemandSum.of(everyone), everyone, seats=seats, ears=ears)


@pytest.mark.parametrize(
    ("mine", "others", "seats", "ears", "division"),
    [
        pytest.param(Demand(want=8), [], 50, 25, Division(8, 0, 17), id="plenty"),
        pytest.param(Demand(want=8), [], 50, 3, Division(3, 0, 0), id="alone, all that is left"),
        pytest.param(Demand(want=8), [], 3, 25, Division(3, 0, 0), id="few seats"),
        pytest.param(Demand(want=8, waiting=17), [], 50, 17, Division(17, 0, 0), id="a rush"),
        pytest.param(Demand(want=8), [Demand()], 9, 9, Division(3, 0, 6), id="a third is kept"),
        pytest.param(Demand(want=8), [Demand()], 2, 2, Division(0, 0, 2), id="the last are kept"),
        pytest.param(Demand(want=8, waiting=1), [Demand()], 1, 1, Division(1, 0, 0), id="a caller"),
        pytest.param(Demand(8, 8), [QUIET], 50, 50, Division(0, 0, 58), id="enough for all"),
        pytest.param(
            Demand(3, 8), [Demand(waiting=1)], 0, 0, Division(0, 3, 0), id="for another's caller"
        ),
        pytest.param(
            Demand(waiting=1), [Demand(3, 8)], 0, 0, Division(0, 0, 3), id="it pays to ask again"
        ),
        pytest.param(
            Demand(3, waiting=3), [Demand(waiting=1)], 0, 0, Division(0, 0, 0), id="own callers"
        ),
        pytest.param(Demand(want=8), [Demand(0, 8)], 0, 0, Division(0, 0, 0), id="full"),
        pytest.param(
            Demand(want=8, moving=5), [], 50, 0, Division(5, 0, 0), id="moves need no ear"
        ),
        pytest.param(Demand(moving=5), [], 2, -3, Division(2, 0, 0), id="moves need seats"),
        pytest.param(
            Demand(4, 8), [Demand(moving=4)], 0, 0, Division(0, 4, 0), id="for another's moves"
        ),
        pytest.param(Demand(3, 8), [], 50, -2, Division(0, 2, 0), id="more leases than ears"),
    ],
)
def test_slots_are_divided(
    mine: Demand, others: list[Demand], seats: int, ears: int, division: Division
) -> None:
    assert divide(mine, others, seats=seats, ears=ears) == division


COUNT = st.integers(0, 12)
DEMANDS = st.builds(Demand, COUNT, COUNT, COUNT, COUNT)


@settings(max_examples=200, deadline=None)
@given(DEMANDS, st.lists(DEMANDS, max_size=4), COUNT, st.integers(-12, 12))
def test_no_more_is_given_than_is_free_and_no_more_taken_than_is_held(
    mine: Demand, others: list[Demand], seats: int, ears: int
) -> None:
    division = divide(mine, others, seats=seats, ears=ears)
    assert 0 <= division.grant <= seats
    assert division.grant <= max(0, min(seats, ears)) + mine.moving
    assert 0 <= division.take_back <= mine.in_hand
    assert division.left >= 0
    assert not (division.grant and division.take_back)


@settings(max_examples=200, deadline=None)
@given(st.lists(DEMANDS, min_size=1, max_size=5), COUNT)
def test_a_caller_waits_only_while_nothing_can_be_done(demands: list[Demand], free: int) -> None:
    """As long as somebody holds more than its own callers need, others are served from it."""
    divisions = [
        divide(mine, demands[:n] + demands[n + 1 :], seats=free, ears=free)
        for n, mine in enumerate(demands)
    ]
    is_unserved = any(demand.waiting > demand.in_hand for demand in demands)
    is_idle = any(demand.in_hand > demand.waiting for demand in demands)
    if is_unserved and (free or is_idle):
        assert any(division.grant or division.take_back for division in divisions)
