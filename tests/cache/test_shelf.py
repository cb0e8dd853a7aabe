"""What is measured aside while a shelf changes."""

from __future__ import annotations

import numpy as np
import pytest

from cache.encoder import Vector
from cache.shelf import Shelf

DIMENSION = 16


def vector(number: int) -> Vector:
    """Alike for numbers that are alike in their last digit."""
    chance = np.random.default_rng(number)
    made = np.zeros(DIMENSION)
    made[number % 10] = 1.0
    made += 0.3 * chance.standard_normal(DIMENSION)
    return np.asarray(made / np.linalg.norm(made), dtype=np.float32)


def put(shelf: Shelf, *numbers: int) -> None:
    for number in numbers:
        shelf.put(number, f"question {number}", f"answer {number % 10}", vector(number))


def shelf_of(count: int) -> Shelf:
    shelf = Shelf(DIMENSION)
    put(shelf, *range(count))
    return shelf


@pytest.mark.parametrize("is_late", [False, True])
def test_what_changes_while_it_is_measured_is_caught_up_with(is_late: bool) -> None:
    shelf = shelf_of(400)
    inventory = shelf.inventory()
    assert inventory is not None
    survey = None if is_late else inventory.survey()
    shelf.remove(3)
    put(shelf, 400, 7)  # a new one, and one again
    shelf.put(8, "question 8", "answer 5", vector(8))  # the same with another answer
    survey = survey or inventory.survey()
    assert survey is not None
    space = survey.measure()
    assert space is not None
    assert shelf.waits_for(survey)
    assert shelf.adopt(space, survey)
    again = shelf_of(0)
    for number in (*range(401),):
        if number != 3:
            put(again, number)
    again.put(8, "question 8", "answer 5", vector(8))
    again.place(space.whitening)
    mine, wanted = shelf.closeness(vector(9)), again.closeness(vector(9))
    assert mine is not None
    assert wanted is not None
    for answer in range(10):
        assert mine.of(f"answer {answer}") == pytest.approx(wanted.of(f"answer {answer}"), abs=1e-5)


def test_only_the_last_inventory_is_adopted() -> None:
    shelf = shelf_of(300)
    first, second = shelf.inventory(), shelf.inventory()
    assert first is not None
    assert second is not None
    old, new = first.survey(), second.survey()
    assert old is not None
    assert new is not None
    assert not shelf.waits_for(old)
    assert shelf.waits_for(new)
    assert not shelf_of(300).waits_for(new)


def test_nothing_is_left_to_be_measured() -> None:
    assert Shelf(DIMENSION).inventory() is None
    shelf = shelf_of(2)
    inventory = shelf.inventory()
    assert inventory is not None
    shelf.remove(0)
    shelf.remove(1)
    assert inventory.survey() is None
