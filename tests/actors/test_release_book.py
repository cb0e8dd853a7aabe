"""A newer release takes the place of an older one, actor by actor."""

from __future__ import annotations

import itertools

import pytest

from actors.directory import Directory, DirectoryConfig
from actors.lease_stock import LeaseStock
from actors.release_book import RETIRED_EMPTY_S, SUCCESSOR_WITHIN_S
from actors.wire import Grants, ReplicaSync

OLD, NEW = "0000000001-old", "0000000002-new"
CONFIG = DirectoryConfig(calls_per_actor=10, min_actors=2)


def cluster(taken: tuple[int, ...] = (3, 1)) -> Directory:
    machine = Directory(CONFIG)
    assert machine.deployed(CONFIG, OLD)
    for name, count in zip(("ann", "bob", "cleo"), taken, strict=False):
        machine.actor_reported(name, capacity=10, active=count, release=OLD, now=0.0)
    return machine


def sync(machine: Directory, now: float = 1.0) -> LeaseStock:
    stock = LeaseStock()
    stock.granted(machine.sync(ReplicaSync("r1", 0, 100, want=8), now=now))
    return stock


def test_as_many_new_ones_are_wanted_and_each_retires_an_older_one_the_emptiest_first() -> None:
    machine = cluster()
    assert (machine.wanted_actors(), machine.current, machine.capacity) == (0, 2, 20)
    assert machine.deployed(CONFIG, NEW)
    assert (machine.wanted_actors(), machine.current, machine.capacity) == (2, 0, 20)
    assert sync(machine).alive == ("ann", "bob")
    machine.actor_reported("new-1", capacity=10, active=0, release=NEW, now=1.0)
    stock = sync(machine)
    assert (stock.alive, stock.retired) == (("ann", "new-1"), {"bob"})
    assert machine.capacity == 20
    machine.actor_reported("new-2", capacity=10, active=0, release=NEW, now=1.5)
    stock = sync(machine)
    assert (stock.alive, stock.retired) == (("new-1", "new-2"), {"ann", "bob"})
    assert set(stock.held) <= {"new-1", "new-2"}
    assert machine.wanted_actors() == 0


def test_a_pool_that_had_grown_is_replaced_as_a_whole() -> None:
    machine = cluster((9, 9, 9))
    machine.deployed(CONFIG, NEW)
    assert machine.wanted_actors() == 3
    for number in range(3):
        name = f"new-{number}"
        machine.actor_reported(name, capacity=10, active=0, release=NEW, now=1.0)
    assert sync(machine).retired == {"ann", "bob", "cleo"}


def test_a_retired_actor_is_let_go_once_it_is_empty_for_a_while() -> None:
    machine = cluster()
    machine.deployed(CONFIG, NEW)
    for name in ("new-1", "new-2"):
        machine.actor_reported(name, capacity=10, active=0, release=NEW, now=1.0)
    machine.actor_reported("bob", capacity=10, active=0, release=OLD, now=2.0)
    assert machine.idle_actors(now=2.0 + RETIRED_EMPTY_S - 0.1) == []
    assert machine.idle_actors(now=2.0 + RETIRED_EMPTY_S) == ["bob"]
    machine.actor_lost("bob")
    assert machine.idle_actors(now=60.0) == []  # somebody is still with ann
    assert machine.wanted_actors() == 0


@pytest.mark.parametrize("release", [OLD, "", "0000000000-older"])
def test_what_is_known_or_older_changes_nothing(release: str) -> None:
    machine = cluster()
    assert not machine.deployed(DirectoryConfig(min_actors=9), release)
    assert machine.wanted_actors() == 0
    assert machine.release == OLD


def test_what_does_not_start_retires_nobody() -> None:
    machine = cluster()
    machine.deployed(CONFIG, NEW)
    machine.actor_reported("ann", capacity=10, active=3, release=OLD, now=5.0)
    assert sync(machine).retired == frozenset()
    assert machine.capacity == 20


def test_a_directory_that_was_started_again_retires_nobody_who_is_newer_than_it_knows() -> None:
    machine = Directory(CONFIG)
    machine.deployed(CONFIG, OLD)
    for name in ("new-1", "new-2"):
        machine.actor_reported(name, capacity=10, active=1, release=NEW, now=0.0)
    assert (machine.wanted_actors(), machine.current) == (0, 2)
    machine.deployed(CONFIG, NEW)
    assert machine.wanted_actors() == 0
    machine.actor_reported("new-1", capacity=10, active=1, release=NEW, now=1.0)
    assert sync(machine).retired == frozenset()


def test_an_older_one_that_is_found_later_is_retired_at_once() -> None:
    machine = Directory(CONFIG)
    machine.deployed(CONFIG, NEW)
    for name in ("new-1", "new-2"):
        machine.actor_reported(name, capacity=10, active=0, release=NEW, now=0.0)
    machine.actor_reported("ann", capacity=10, active=4, release=OLD, now=1.0)
    assert sync(machine).retired == {"ann"}


def test_one_that_was_empty_before_it_was_retired_is_let_go_no_sooner() -> None:
    """Leases on it are in stock: a call that was placed a moment ago would find nobody there."""
    machine = cluster((0, 0))
    machine.deployed(CONFIG, NEW)
    assert sync(machine, 100.0).held
    machine.actor_reported("new-1", capacity=10, active=0, release=NEW, now=100.0)
    assert sync(machine, 100.0).retired == {"ann"}
    assert machine.idle_actors(now=100.0 + RETIRED_EMPTY_S - 0.1) == []
    assert machine.idle_actors(now=100.0 + RETIRED_EMPTY_S) == ["ann"]


def test_no_more_take_the_place_of_older_ones_than_there_may_be() -> None:
    machine = cluster((1, 1, 1))
    machine.deployed(DirectoryConfig(calls_per_actor=10, min_actors=1, max_actors=2), NEW)
    assert machine.wanted_actors() == 2
    for name in ("new-1", "new-2"):
        machine.actor_reported(name, capacity=10, active=0, release=NEW, now=1.0)
    assert machine.wanted_actors() == 0
    assert sync(machine).retired == {"ann", "bob", "cleo"}


def on_nodes(**nodes: str) -> Directory:
    machine = Directory(DirectoryConfig(calls_per_actor=10, min_actors=2, max_actors=2))
    for name, node in nodes.items():
        machine.actor_reported(name, capacity=10, active=4, now=0.0, node=node)
    return machine


def test_an_actor_of_a_drained_node_is_replaced_before_it_gets_no_more_calls() -> None:
    machine = on_nodes(ann="a", bob="b")
    machine.nodes_drained([], now=1.0)
    assert machine.wanted_actors() == 0
    for second in (2.0, 3.0):
        machine.nodes_drained(["b"], now=second)
        assert (machine.wanted_actors(), machine.current, machine.capacity) == (1, 1, 20)
    assert sync(machine, 3.0).retired == frozenset()
    assert machine.calls_by_node == {"a": 4, "b": 4}
    machine.actor_reported("cleo", capacity=10, active=0, now=4.0, node="a")
    machine.nodes_drained(["b"], now=5.0)
    stock = sync(machine, 5.0)
    assert (stock.alive, stock.retired) == (("ann", "cleo"), frozenset({"bob"}))
    assert (machine.wanted_actors(), machine.capacity) == (0, 20)


def test_without_a_successor_it_is_retired_in_time_if_anybody_stays() -> None:
    machine, alone = on_nodes(ann="a", bob="b"), on_nodes(ann="b", bob="b")
    for each in (machine, alone):
        each.nodes_drained(["b"], now=2.0)
        each.nodes_drained(["b"], now=2.0 + SUCCESSOR_WITHIN_S - 0.1)
        assert sync(each, 3.0).retired == frozenset()
        each.nodes_drained(["b"], now=2.0 + SUCCESSOR_WITHIN_S)
    assert sync(machine, 30.0).retired == {"bob"}
    assert sync(alone, 30.0).retired == frozenset()


def test_a_node_that_is_gone_is_forgotten_with_its_actors() -> None:
    machine = on_nodes(ann="a", bob="b")
    machine.nodes_drained(["b"], now=2.0)
    machine.actor_lost("bob")
    machine.nodes_drained([], now=4.0)
    machine.actor_reported("cleo", capacity=10, active=0, now=5.0, node="a")
    assert (machine.wanted_actors(), machine.current) == (0, 2)
    assert sync(machine, 6.0).retired == frozenset()


def test_a_drain_that_is_forgotten_makes_nobody_current_who_is_retired() -> None:
    """A GCS without Redis knows of no drain after its restart."""
    machine = on_nodes(ann="a", bob="b")
    machine.nodes_drained(["b"], now=1.0)
    machine.actor_reported("cleo", capacity=10, active=0, now=2.0, node="a")
    machine.actor_lost("ann")
    assert sync(machine, 2.0).retired == {"bob"}
    machine.nodes_drained([], now=3.0)
    assert (machine.current, machine.wanted_actors()) == (1, 1)


def test_a_successor_on_a_node_that_is_drained_retires_nobody() -> None:
    machine = on_nodes(ann="a", bob="b")
    machine.nodes_drained(["b"], now=1.0)
    machine.actor_reported("cleo", capacity=10, active=0, now=2.0, node="b")
    assert sync(machine, 2.0).retired == {"cleo"}, "who has nobody goes first"


# --- a directory that was started again -----------------------------------------------------------

BIG = DirectoryConfig(calls_per_actor=10, min_actors=1, max_actors=9)
NODES = {"ann": "a", "bob": "b", "cleo": "b", "dora": "b"}


def started_again() -> Directory:
    machine = Directory(BIG, term=7)
    machine.found(NODES, now=0.0)
    return machine


def report(machine: Directory, name: str, now: float, release: str = "", node: str = "") -> None:
    node = node or NODES.get(name, "a")
    machine.actor_reported(name, capacity=10, active=9, now=now, release=release, node=node)


@pytest.mark.parametrize("order", itertools.permutations(NODES))
def test_who_is_on_a_drained_node_keeps_his_calls_until_successors_are_there(
    order: tuple[str, ...],
) -> None:
    """Whoever learns of the drain before it knows who is there retired everybody on that node."""
    machine = started_again()
    machine.nodes_drained(["b"], now=0.1)
    for name in order:
        report(machine, name, 0.2)
        assert sync(machine, 0.2).retired == frozenset()
    machine.nodes_drained(["b"], now=1.0)
    assert (machine.wanted_actors(), sync(machine).retired) == (3, frozenset())
    for number in range(3):
        report(machine, f"new-{number}", 2.0)
        assert len(sync(machine, 2.0).retired) == number + 1
    assert machine.wanted_actors() == 0


def test_calls_that_came_while_nobody_was_told_count_once() -> None:
    """They have sat for long, which their actor no longer says: they counted beside their seats."""
    machine, stock = started_again(), LeaseStock()
    stock.granted(Grants({"ann": 9}, ("ann",)))
    stock.directory_away()
    for call in "abcdefgh":
        assert stock.take(call, now=0.0, tenant="acme") == "ann"
    for name in NODES:
        report(machine, name, 12.0)
    machine.tenants_reported("ann", {"acme": 8}, (), now=12.0)
    machine.sync(stock.report("r", active_calls=8, max_calls=100, now=12.0), now=12.0)
    assert machine.calls_by_tenant == {"acme": 8}
    assert machine.unused == 4


def test_one_that_died_meanwhile_is_not_waited_for() -> None:
    machine = started_again()
    machine.nodes_drained(["b"], now=0.1)
    for name in ("ann", "bob", "cleo"):
        report(machine, name, 0.2)
    machine.nodes_drained(["b"], now=0.1 + SUCCESSOR_WITHIN_S)
    assert sync(machine, 20.2).retired == frozenset(), "nobody knows where dora is"
    machine.actor_lost("dora")
    machine.nodes_drained(["b"], now=0.2 + SUCCESSOR_WITHIN_S)
    assert sync(machine, 20.3).retired == {"bob", "cleo"}


def test_a_release_that_is_told_before_actors_are_known_retires_nobody_without_successor() -> None:
    machine = started_again()
    machine.deployed(BIG, NEW)
    for name in NODES:
        report(machine, name, 0.2, OLD)
    assert (sync(machine).retired, machine.wanted_actors()) == (frozenset(), 4)
    report(machine, "new-1", 1.0, NEW)
    assert len(sync(machine).retired) == 1
