"""What is new, what is late, what was seen before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.message_order import REORDER_WINDOW, RESTART_DISTANCE, MessageOrder
from telephony.stream_events import StreamStats
from tests.telephony.properties import examples


def placed(*numbers: int) -> tuple[list[bool | None], StreamStats]:
    stats = StreamStats()
    order = MessageOrder(stats)
    return [order.place(number) for number in numbers], stats


@pytest.mark.parametrize(
    ("numbers", "places"),
    [
        ((1, 2, 3), [True, True, True]),
        ((1, 3, 2), [True, True, False]),
        ((1, 1), [True, None]),
        ((1, 3, 2, 2), [True, True, False, None]),
        ((1, 70, 5), [True, True, None]),  # out of the window: nobody knows whether it was seen
        ((1, 70, 6), [True, True, False]),
        ((1, 600, 101), [True, True, None]),
        ((1, 600, 100, 101), [True, True, True, True]),  # a count that starts over is followed
    ],
)
def test_a_number_is_new_late_or_a_duplicate(
    numbers: tuple[int, ...], places: list[bool | None]
) -> None:
    assert placed(*numbers)[0] == places


def test_what_was_found_is_counted() -> None:
    _, stats = placed(1, 4, 2, 4, 4 + RESTART_DISTANCE * 2, 5)
    assert stats.late == 1
    assert stats.duplicates == 1
    assert stats.clock_jumps == 1
    assert stats.skipped == 2 + RESTART_DISTANCE * 2 - 1


def test_a_long_hole_in_the_numbers_does_not_fill_the_memory() -> None:
    order = MessageOrder(StreamStats())
    order.place(10**14)
    assert order.remembered == REORDER_WINDOW


@examples()
@given(st.lists(st.integers(1, 400), max_size=80))
def test_no_number_is_taken_twice(numbers: list[int]) -> None:
    """As long as no count starts over, which takes a distance of more than 500."""
    places, stats = placed(*numbers)
    taken = [number for number, place in zip(numbers, places, strict=True) if place is not None]
    assert len(taken) == len(set(taken))
    assert stats.late + stats.duplicates + places.count(True) == len(numbers)
