from __future__ import annotations

import threading

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.encoder import Vector
from cache.search import VectorRows


def unit(seed: int, dimension: int = 70) -> Vector:
    vector = np.random.default_rng(seed).standard_normal(dimension)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


CHANGES = st.lists(st.tuples(st.booleans(), st.integers(0, 30)), max_size=120)


@given(CHANGES, st.integers(0, 10_000), st.integers(1, 12))
def test_it_finds_what_comparing_all_finds(
    changes: list[tuple[bool, int]], asked: int, count: int
) -> None:
    rows, kept = VectorRows(70), {}
    for number, (is_put, entry_id) in enumerate(changes):
        if is_put:
            rows.put(entry_id, unit(number))
            kept[entry_id] = unit(number)
        else:
            rows.remove(entry_id)
            kept.pop(entry_id, None)
    found = rows.nearest(unit(asked), count)
    best = sorted(kept, key=lambda entry_id: -float(kept[entry_id] @ unit(asked)))[:count]
    assert set(found.ids) == set(best)
    assert list(found.similarities) == sorted(found.similarities, reverse=True)
    assert len(rows) == len(kept)
    for entry_id, vector in kept.items():
        np.testing.assert_array_equal(rows.vector(entry_id), vector)


def test_codes_find_the_nearest_among_thousands() -> None:
    rows = VectorRows(384)
    for entry_id in range(2_000):
        rows.put(entry_id, unit(entry_id, 384))
    for entry_id in range(0, 2_000, 97):
        near = unit(entry_id, 384) + np.float32(0.4) * unit(50_000 + entry_id, 384)
        assert rows.nearest(near, 3).ids[0] == entry_id


def test_another_dimension_is_refused() -> None:
    with pytest.raises(ValueError, match="not of 70"):
        VectorRows(70).put(1, unit(1, 64))


def test_nothing_is_near_nothing() -> None:
    assert VectorRows(70).nearest(unit(1), 5).ids == ()


def test_a_search_has_one_thread_whoever_calls() -> None:
    """The setting of OpenMP belongs to the thread that made it."""
    rows, allowed = VectorRows(70), []
    rows.put(1, unit(1))

    def search() -> None:
        rows.nearest(unit(2), 1)
        allowed.append(faiss.omp_get_max_threads())

    search()
    other = threading.Thread(target=search)
    other.start()
    other.join()
    assert allowed == [1, 1]


def test_rows_that_go_are_not_found_by_their_codes() -> None:
    rows = VectorRows(384)
    for entry_id in range(1_500):
        rows.put(entry_id, unit(entry_id, 384))
    for entry_id in range(0, 1_500, 3):
        rows.remove(entry_id)
        assert rows.nearest(unit(entry_id, 384), 1).similarities[0] < 0.9
    rows.put(7, unit(3, 384))
    assert rows.nearest(unit(3, 384), 1).ids == (7,)
    assert rows.nearest(unit(7, 384), 1).ids != (7,)
