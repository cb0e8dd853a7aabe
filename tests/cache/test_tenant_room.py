"""A tenant who writes a great deal pushes out nobody but itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.entry import Answer, Entry
from cache.store import Limits, ResponseStore
from tests.cache.cache_world import DIMENSION, SCOPE


def entry(tenant: str, number: int, text: str = "An answer.") -> Entry:
    scope = replace(SCOPE, tenant_id=tenant)
    return Entry(number, scope, f"question {number}", Answer(str(number), text), 0.0, 1e12)


def counts(store: ResponseStore) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in store:
        found[one.scope.tenant_id] = found.get(one.scope.tenant_id, 0) + 1
    return found


def test_a_noisy_tenant_evicts_only_its_own() -> None:
    store = ResponseStore(DIMENSION, Limits(entries=100))
    for number in range(30):
        store.put(entry("quiet", number), None)
    gone = [one for number in range(30, 1_000) for one in store.put(entry("noisy", number), None)]
    assert counts(store) == {"quiet": 30, "noisy": 70}
    assert min(gone) >= 30


def test_who_is_alone_may_fill_it_and_makes_room_for_who_comes() -> None:
    store = ResponseStore(DIMENSION, Limits(entries=100))
    for number in range(200):
        store.put(entry("first", number), None)
    assert counts(store) == {"first": 100}
    for number in range(200, 400):
        store.put(entry("second", number), None)
    assert counts(store) == {"first": 50, "second": 50}


def test_large_answers_count_by_their_size() -> None:
    store = ResponseStore(DIMENSION, Limits(entries=1_000, size_bytes=200_000))
    for number in range(20):
        store.put(entry("quiet", number), None)
    for number in range(20, 90):
        store.put(entry("wordy", number, "word " * 1_000), None)
    assert counts(store)["quiet"] == 20
    assert store.size_bytes <= 200_000


def test_of_one_tenant_the_least_used_goes() -> None:
    store = ResponseStore(DIMENSION, Limits(entries=3))
    for number in range(3):
        store.put(entry("t", number), None)
    store.touch(0)
    assert store.put(entry("t", 3), None) == [1]


@pytest.mark.parametrize("most", [1, 2])
def test_what_was_just_written_stays(most: int) -> None:
    store = ResponseStore(DIMENSION, Limits(entries=most))
    for number, tenant in enumerate("abcabc"):
        store.put(entry(tenant, number), None)
        assert store.get(number) is not None
    assert len(store) == most


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 30), st.sampled_from("prt")), max_size=80
    )
)
def test_the_books_are_right_whatever_happens(steps: list[tuple[str, int, str]]) -> None:
    store = ResponseStore(DIMENSION, Limits(entries=10))
    for tenant, number, what in steps:
        number += ord(tenant) * 100
        if what == "p":
            store.put(entry(tenant, number), None)
        elif what == "r":
            store.remove(number)
        else:
            store.touch(number)
        assert len(store) <= 10
    for one in list(store):
        store.remove(one.entry_id)
    assert store.size_bytes == 0
    store.put(entry("new", 1), None)
    assert counts(store) == {"new": 1}
