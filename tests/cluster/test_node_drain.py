"""The drain of a node: what Ray is told when, when it is over, and which node is meant."""

from __future__ import annotations

import pytest

from cluster.errors import ClusterError
from cluster.node_drain import (
    SETTLED_S,
    SUCCESSORS_WITHIN_S,
    NodeDrain,
    NodeDrainStep,
    NodeView,
    RayNode,
    choose_node,
)

NOTHING = NodeDrainStep()


def busy(staying: int = 0, leaving: int = 0, *, is_draining: bool = True) -> NodeView:
    return NodeView(is_draining=is_draining, staying=staying, leaving=leaving, calls=3, roads=1)


def test_successors_come_first_and_then_ray_hears_of_the_deadline_once() -> None:
    drain = NodeDrain(300.0, now=0.0)
    assert drain.look(busy(2, is_draining=False), now=0.0) == NodeDrainStep(tell=True)
    assert drain.look(busy(2), now=5.0) == NOTHING
    assert drain.look(busy(1, 1), now=15.0) == NOTHING
    assert drain.look(busy(0, 2), now=20.0) == NodeDrainStep(tell=True, deadline_s=280.0)
    assert not drain.look(busy(0, 2), now=21.0).tell
    assert not drain.look(busy(0, 1), now=200.0).tell


@pytest.mark.parametrize(("deadline_s", "at"), [(300.0, SUCCESSORS_WITHIN_S), (30.0, 10.0)])
def test_without_successors_it_is_told_in_any_case(deadline_s: float, at: float) -> None:
    drain = NodeDrain(deadline_s, now=0.0)
    drain.look(busy(2, is_draining=False), now=0.0)
    assert drain.look(busy(2), now=at - 0.1) == NOTHING
    assert drain.look(busy(2), now=at) == NodeDrainStep(tell=True, deadline_s=deadline_s - at)


def test_a_gcs_that_has_forgotten_it_is_told_again() -> None:
    drain = NodeDrain(300.0, now=0.0)
    drain.look(busy(2, is_draining=False), now=0.0)
    assert drain.look(busy(2, is_draining=False), now=1.0) == NodeDrainStep(tell=True)
    drain.look(busy(0, 2), now=20.0)
    again = drain.look(busy(0, 2, is_draining=False), now=30.0)
    assert again == NodeDrainStep(tell=True, deadline_s=270.0)


def test_what_the_gcs_has_not_heard_it_is_told_again() -> None:
    drain = NodeDrain(300.0, now=0.0)
    drain.look(busy(0, 2), now=0.0)
    assert drain.look(busy(0, 2), now=1.0) == NodeDrainStep(tell=True, deadline_s=299.0)
    drain.was_not_heard()
    assert drain.look(busy(0, 2), now=2.0) == NodeDrainStep(tell=True, deadline_s=298.0)
    assert not drain.look(busy(0, 2), now=3.0).tell


def test_it_is_over_when_nobody_was_there_for_a_while_in_a_row() -> None:
    drain = NodeDrain(300.0, now=0.0)
    assert drain.look(NodeView(is_draining=False), now=0.0).tell
    assert not drain.look(NodeView(), now=1.0).is_over
    assert not drain.look(NodeView(minds=1), now=3.0).is_over  # it was between two streams
    assert not drain.look(NodeView(), now=4.0).is_over
    assert not drain.look(NodeView(), now=4.0 + SETTLED_S - 0.1).is_over
    assert drain.look(NodeView(), now=4.0 + SETTLED_S).is_over


@pytest.mark.parametrize(
    "view",
    [
        NodeView(staying=1),
        NodeView(leaving=1),
        NodeView(calls=1),  # Serve does not say where its replicas are
        NodeView(calls=None),
        NodeView(roads=1),
        NodeView(roads=None),
        NodeView(minds=1),
        NodeView(minds=None),
    ],
)
def test_whoever_is_there_or_may_be_keeps_it_until_the_deadline(view: NodeView) -> None:
    drain = NodeDrain(60.0, now=0.0)
    for second in range(60):
        step = drain.look(view, now=float(second))
        assert not step.is_over
        assert not step.is_late
    assert drain.look(view, now=60.0).is_late
    assert view.line != NodeView().line


def test_a_node_that_is_gone_is_drained() -> None:
    assert NodeDrain(60.0, now=0.0).look(NodeView(is_alive=False), now=0.0).is_over


def test_what_is_there_is_said_in_words() -> None:
    view = NodeView(staying=1, leaving=1, calls=3, roads=None, minds=1)
    assert view.line == (
        "2 replicas (1 waiting for a successor) with 3 calls, an unknown number of calls of others "
        "through its HAProxy, 1 call with its CallActors"
    )


HEAD = RayNode("aaaa1111", "10.0.0.2", "head", is_head=True)
NODES = [HEAD, RayNode("bbbb2222", "10.0.0.3", "calls-1"), RayNode("bbbb3333", "10.0.0.4")]


@pytest.mark.parametrize("name", ["bbbb2", "10.0.0.3", "calls-1", ""])
def test_a_node_is_known_by_address_name_or_id(name: str) -> None:
    assert choose_node(NODES, name, here="bbbb2222") is NODES[1]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("10.0.0.9", r"no node .*'10.0.0.9'; there are: 10.0.0.2 \(aaaa1111\), 10.0.0.3"),
        ("bbb", "no node"),
        ("bbbb", "'bbbb' is 2 nodes"),
        ("head", "is the head"),
    ],
)
def test_what_is_no_node_or_cannot_go_is_said(name: str, says: str) -> None:
    with pytest.raises(ClusterError, match=says):
        choose_node(NODES, name, here="")
