"""The slots one replica has in hand."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.lease_stock import SMALLEST_STOCK, LeaseStock
from actors.wire import Grants


def stock_of(**granted: int) -> LeaseStock:
    stock = LeaseStock()
    stock.granted(Grants(granted, tuple(granted), 3, 20))
    return stock


def test_takes_from_the_fullest_and_stops_at_the_last_slot() -> None:
    stock = stock_of(ann=1, bob=2)
    assert [stock.take() for _ in range(4)].count("bob") == 2
    assert stock.free == 0
    assert stock.take() is None
    assert stock.take_used() == {"bob": 2, "ann": 1}
    assert (stock.cluster_active, stock.cluster_capacity) == (3, 20)


def test_avoids_the_actor_that_was_just_lost() -> None:
    stock = stock_of(ann=5, bob=1)
    assert stock.take(avoid="ann") == "bob"
    assert stock.take(avoid="ann") is None
    stock.void("ann")
    assert stock.take() is None


def test_grants_add_up_and_those_of_dead_actors_are_void() -> None:
    stock = stock_of(ann=2, bob=2)
    stock.granted(Grants({"bob": 1}, ("bob",)))
    assert stock.held == {"bob": 3}


def test_a_failed_sync_is_told_again() -> None:
    stock = stock_of(ann=3)
    stock.take()
    used = stock.take_used()
    stock.take()
    stock.give_back_used(used)
    assert stock.take_used() == {"ann": 2}


def test_calls_go_on_to_those_known_last_while_the_directory_is_away() -> None:
    stock = stock_of(ann=1, bob=0)
    assert not stock.away
    stock.directory_away()
    assert stock.away
    assert stock.take() == "ann"
    assert {stock.take() for _ in range(4)} == {"ann", "bob"}
    assert {stock.take(avoid="ann") for _ in range(3)} == {"bob"}
    stock.granted(Grants({}, ("ann", "bob")))
    assert stock.take() is None


def test_an_empty_replica_that_never_met_a_directory_places_nothing() -> None:
    stock = LeaseStock()
    stock.directory_away()
    assert not stock.away
    assert stock.take() is None
    assert stock.low


def test_a_busy_replica_wants_more_in_hand() -> None:
    stock = stock_of(ann=40)
    assert stock.target == SMALLEST_STOCK
    for _ in range(20):
        stock.take()
    stock.take_used()
    assert stock.target == 40
    stock.take_used()
    assert stock.target == SMALLEST_STOCK


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(
                st.just("grant"), st.dictionaries(st.sampled_from("abc"), st.integers(-5, 9))
            ),
            st.tuples(st.just("take"), st.sampled_from(["", "a", "b"])),
            st.tuples(st.just("void"), st.sampled_from("abc")),
        ),
        max_size=40,
    )
)
def test_no_slot_is_spent_that_was_not_granted(acts: list[tuple[str, object]]) -> None:
    stock, granted, used = LeaseStock(), 0, 0
    for act, value in acts:
        if act == "grant":
            assert isinstance(value, dict)
            stock.granted(Grants(value, ("a", "b", "c")))
            granted += sum(max(0, count) for count in value.values())
        elif act == "take":
            used += stock.take(avoid=str(value)) is not None
        else:
            stock.void(str(value))
        assert all(count >= 0 for count in stock.held.values())
        assert stock.free + used <= granted
    assert sum(stock.take_used().values()) == used
