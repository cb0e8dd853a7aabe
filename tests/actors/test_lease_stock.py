"""The slots one replica has in hand."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.lease_stock import SMALLEST_STOCK, UNTOLD_KEPT_S, LeaseStock
from actors.wire import Grants, ReplicaSync


def stock_of(**granted: int) -> LeaseStock:
    stock = LeaseStock()
    stock.granted(Grants(granted, tuple(granted), 3, 20))
    return stock


def report(stock: LeaseStock, now: float = 0.0) -> ReplicaSync:
    return stock.report("r", active_calls=0, max_calls=100, now=now)


def take(stock: LeaseStock, *calls: str, avoid: str = "") -> list[str | None]:
    return [stock.take(call, now=0.0, avoid=avoid) for call in calls]


def test_takes_from_the_fullest_and_stops_at_the_last_slot() -> None:
    stock = stock_of(ann=1, bob=2)
    assert take(stock, *"abcd").count("bob") == 2
    assert stock.free == 0
    assert take(stock, "e") == [None]
    assert report(stock).used == {"bob": 2, "ann": 1}
    assert (stock.cluster_active, stock.cluster_capacity) == (3, 20)


def test_what_the_cluster_has_is_known_as_it_was_told_last() -> None:
    stock = stock_of(ann=1)
    stock.granted(Grants({}, ("ann",), 3, 20, minds=50, on_way=2))
    assert (stock.cluster_on_way, stock.cluster_minds) == (2, 50)


def test_avoids_the_actor_that_was_just_lost() -> None:
    stock = stock_of(ann=5, bob=1)
    assert take(stock, "k", "l", avoid="ann") == ["bob", None]
    stock.void("ann")
    assert take(stock, "m") == [None]


def test_grants_add_up_and_those_of_dead_actors_are_void() -> None:
    stock = stock_of(ann=2, bob=2)
    stock.granted(Grants({"bob": 1}, ("bob",)))
    assert stock.held == {"bob": 3}


def test_an_actor_lost_while_the_directory_answers_takes_nobody_else_with_it() -> None:
    stock = stock_of()
    stock.granted(Grants({"ann": 2}, ("ann", "bob"), alive_version=7, retired=("bob",)))
    told = report(stock)
    assert told.knows == 7
    stock.void("gone")  # the directory had removed it before: nothing changes there
    stock.granted(Grants({"ann": 1}, (), alive_version=7), told)  # names are left out
    assert (stock.alive, stock.retired) == (("ann", "bob"), {"bob"})
    assert stock.held == {"ann": 3}
    assert report(stock).knows == 0  # and are asked for with the next one
    stock.granted(Grants({}, ("ann", "cleo"), alive_version=7), report(stock))
    assert (stock.alive, report(stock).knows) == (("ann", "cleo"), 7)


def test_what_was_not_answered_is_told_again() -> None:
    stock = stock_of(ann=4)
    take(stock, "k")
    take(stock, "m", avoid="bob")
    stock.begun("k", now=0.0)
    first = report(stock)
    assert (first.placed, first.moved, first.begun) == ({"k": "ann"}, {"m": "ann"}, ("k",))
    take(stock, "l")
    second = report(stock)
    assert (second.placed, second.used) == ({"k": "ann", "l": "ann"}, {"ann": 3})
    take(stock, "n")
    stock.begun("n", now=0.0)
    stock.granted(Grants({}, ("ann",)), second)
    third = report(stock)
    assert (third.placed, third.moved, third.begun) == ({"n": "ann"}, {}, ("n",))


def test_a_call_that_moved_on_before_the_answer_is_told_once_more() -> None:
    stock = stock_of(ann=1, bob=1, cleo=1)
    assert take(stock, "k", avoid="cleo") == ["ann"]
    told = report(stock)
    assert take(stock, "k", avoid="ann") == ["bob"]
    stock.granted(Grants({}, ("bob", "cleo")), told)
    assert report(stock).moved == {"k": "bob"}


def test_what_could_not_be_told_for_long_is_forgotten() -> None:
    stock = stock_of(ann=4)
    take(stock, "k")
    stock.begun("k", now=0.0)
    late = report(stock, UNTOLD_KEPT_S + 1)
    assert (late.placed, late.used, late.begun) == ({}, {}, ())


def test_slots_are_kept_for_calls_that_have_lost_their_actor() -> None:
    stock = stock_of(ann=0)
    assert take(stock, "k", "l", avoid="dead") == [None, None]
    assert report(stock).moving == 2
    stock.granted(Grants({"ann": 3}, ("ann",)))
    assert report(stock).moving == 0
    assert stock.free == 1
    assert take(stock, "new", "newer") == ["ann", None]
    assert take(stock, "k", "l", avoid="dead") == ["ann", "ann"]


def test_a_call_that_asks_no_more_has_given_up() -> None:
    stock = stock_of(ann=0)
    take(stock, "k", avoid="dead")
    stock.granted(Grants({"ann": 1}, ("ann",)))
    assert stock.free == 0
    assert report(stock, 1.0).moving == 0
    assert stock.free == 1


def test_slots_of_the_actor_that_a_call_leaves_do_not_suit_it() -> None:
    stock = stock_of(ann=3)
    take(stock, "k", avoid="ann")
    assert report(stock).moving == 1


def test_calls_go_on_to_those_known_last_while_the_directory_is_away() -> None:
    stock = stock_of(ann=1, bob=0)
    assert not stock.away
    stock.directory_away()
    assert stock.away
    assert take(stock, "k") == ["ann"]
    assert set(take(stock, *"abcd")) == {"ann", "bob"}
    assert set(take(stock, *"efg", avoid="ann")) == {"bob"}
    told = report(stock)
    assert (len(told.placed), len(told.moved)) == (5, 3)
    stock.granted(Grants({}, ("ann", "bob")), told)
    assert take(stock, "l") == [None]


def test_an_empty_replica_that_never_met_a_directory_places_nothing() -> None:
    stock = LeaseStock()
    stock.directory_away()
    assert not stock.away
    assert take(stock, "k") == [None]
    assert stock.low


def test_a_busy_replica_wants_more_in_hand() -> None:
    stock = stock_of(ann=40)
    assert stock.target == SMALLEST_STOCK
    take(stock, *(f"call {n}" for n in range(20)))
    told = report(stock)
    assert stock.target == told.want == 40
    stock.granted(Grants({}, ("ann",)), told)
    report(stock)
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
    stock, granted, used, calls = LeaseStock(), 0, 0, 0
    for act, value in acts:
        if act == "grant":
            assert isinstance(value, dict)
            stock.granted(Grants(value, ("a", "b", "c")))
            granted += sum(max(0, count) for count in value.values())
        elif act == "take":
            calls += 1
            used += stock.take(f"call {calls}", now=0.0, avoid=str(value)) is not None
        else:
            stock.void(str(value))
        assert all(count >= 0 for count in stock.held.values())
        assert stock.free + used <= granted
    assert sum(report(stock).used.values()) == used
