"""Who leaves a replica or a node, and who must stay for calls."""

from __future__ import annotations

from actors.leaving import DrainingNode, Leaving, leaving
from actors.serve_view import ServeReplica, ServeView, State
from actors.stream_watch import ReplicaPlace


def place(name: str) -> ReplicaPlace:
    return ReplicaPlace(name[0], int(name[1:]))


def view(**states: State) -> ServeView:
    replicas = tuple(ServeReplica(name, state, place(name)) for name, state in states.items())
    return ServeView("UPDATING", "", 2, replicas)


DRAINED = {"b": DrainingNode("10.0.0.3", 99.0)}


def test_a_replica_leaves_once_serve_stops_it_and_in_time_for_its_node() -> None:
    before = leaving(view(a1="running", b2="running"), DRAINED)
    assert before == Leaving({}, {"10.0.0.3": 99.0})
    after = leaving(view(a1="running", a3="running", b2="stopping"), DRAINED)
    assert after == Leaving({place("b2"): 99.0}, {"10.0.0.3": 99.0})


def test_a_replica_of_a_node_that_stays_has_no_such_time() -> None:
    found = leaving(view(a1="running", a3="stopping", b2="stopping"), {})
    assert found == Leaving({place("a3"): None, place("b2"): None}, {})


def test_nobody_leaves_when_nobody_stays() -> None:
    assert leaving(view(a1="stopping"), {}) == Leaving()
    assert leaving(view(b1="running", b2="stopping"), DRAINED) == Leaving()
    assert leaving(view(a1="starting", b2="stopping"), DRAINED) == Leaving()


def test_a_serve_that_does_not_answer_takes_nothing_back() -> None:
    assert leaving(None, DRAINED) is None


def test_a_node_whose_address_is_not_known_has_no_road() -> None:
    found = leaving(view(a1="running"), {"b": DrainingNode("")})
    assert found == Leaving()
