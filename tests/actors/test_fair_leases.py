"""When slots are few, no replica sits on all of them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.directory import Directory, DirectoryConfig
from actors.lease_stock import LeaseStock
from actors.wire import Grants


def sync(directory: Directory, replica: str, stock: LeaseStock, now: float) -> None:
    report = stock.report(replica, active_calls=0, max_calls=50, now=now)
    stock.granted(directory.sync(report, now=now), report)


def directory_of(*capacities: int) -> Directory:
    directory = Directory(DirectoryConfig())
    for number, capacity in enumerate(capacities):
        directory.actor_reported(f"actor-{number}", capacity=capacity, active=0, now=0.0)
    return directory


def test_a_second_replica_gets_its_share_of_what_the_first_holds() -> None:
    directory, first, second = directory_of(3, 3), LeaseStock(), LeaseStock()
    sync(directory, "first", first, 0.0)
    assert first.free == 6
    sync(directory, "second", second, 0.1)
    assert second.free == 0
    sync(directory, "first", first, 1.0)
    assert first.free == 2
    sync(directory, "second", second, 1.01)
    assert second.free == 0  # nothing is free before the first has said that it has given it back
    sync(directory, "first", first, 1.02)
    sync(directory, "second", second, 1.1)
    assert (first.free, second.free) == (2, 2)  # and two are at the directory, for both


def test_nothing_is_taken_back_while_there_is_enough_for_all() -> None:
    directory, first, second = directory_of(50), LeaseStock(), LeaseStock()
    sync(directory, "first", first, 0.0)
    sync(directory, "second", second, 0.1)
    sync(directory, "first", first, 1.0)
    assert (first.free, second.free) == (8, 8)


def test_a_slot_spent_while_it_was_taken_back_is_spent() -> None:
    stock = LeaseStock()
    stock.granted(Grants(granted={"a": 2}, alive=("a",)))
    stock.take("call", now=0.0)
    stock.granted(Grants(granted={"a": -2}, alive=("a",)))
    assert stock.free == 0
    assert stock.report("r", active_calls=0, max_calls=9, now=0.0).used == {"a": 1}


@settings(max_examples=50, deadline=None)
@given(
    capacities=st.lists(st.integers(0, 9), min_size=1, max_size=3),
    steps=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=30),
)
def test_slots_in_hand_never_exceed_the_capacity(
    capacities: list[int], steps: list[tuple[int, int]]
) -> None:
    directory = directory_of(*capacities)
    stocks = [LeaseStock() for _ in range(3)]
    now, spent, placed = 0.0, 0, 0
    for which, calls in steps:
        for _ in range(calls):
            placed += 1
            spent += stocks[which].take(f"call {placed}", now=now) is not None
        now += 0.01
        sync(directory, f"replica-{which}", stocks[which], now)
        assert sum(stock.free for stock in stocks) + spent <= sum(capacities)


@settings(max_examples=50, deadline=None)
@given(capacity=st.integers(1, 40), replicas=st.integers(1, 6))
def test_every_replica_has_its_share_after_some_rounds(capacity: int, replicas: int) -> None:
    directory = directory_of(capacity)
    stocks = [LeaseStock() for _ in range(replicas)]
    for number in range(4):
        for which, stock in enumerate(stocks):
            sync(directory, f"replica-{which}", stock, number + which / 9)
    free = [stock.free for stock in stocks]
    share = capacity // (replicas + 1) if replicas > 1 else capacity
    assert min(free) >= min(8, share)
