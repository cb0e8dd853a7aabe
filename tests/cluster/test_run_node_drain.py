"""The drain of a node on a cluster whose parts do not always answer."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import pytest
from ray.exceptions import RpcError

from actors.serve_view import ServeReplica, ServeView, State
from actors.stream_watch import ReplicaPlace
from cluster import node_drain, run_node_drain
from cluster.node_drain import UNSEEN, NodeView, RayNode

NODE = RayNode("b" * 8, "10.0.0.3")
HERE = {"node": NODE.node_id, "pid": 7, "calls": 2, "roads": {}}
THERE = {"node": "a" * 8, "pid": 7, "calls": 1, "roads": {}}


def test_a_look_that_no_answer_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = threading.Event()

    def held(_node: RayNode) -> NodeView:
        assert goes_on.wait(30.0)
        return NodeView()

    monkeypatch.setattr(run_node_drain, "_view", held)
    monkeypatch.setattr(run_node_drain, "VIEW_WITHIN_S", 0.01)
    assert run_node_drain._seen(NODE) == UNSEEN
    goes_on.set()


class FakeGcs:
    """Answers when it is there."""

    def __init__(self) -> None:
        self.is_away = False
        self.told: list[str] = []

    def drain_node(self, node_id: str, *_: Any, **__: Any) -> tuple[bool, str]:
        if self.is_away:
            self.is_away = False
            raise RpcError("deadline exceeded")  # type: ignore[no-untyped-call]
        self.told.append(node_id)
        return True, ""

    def get_draining_nodes(self, timeout: float) -> dict[str, int]:
        if self.is_away:
            raise RpcError(f"nothing in {timeout} s")  # type: ignore[no-untyped-call]
        return {NODE.node_id: 0}


class World:
    """A cluster with one node that is drained; what each part says of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gcs = FakeGcs()
        self.serve: ServeView | None = serves()
        self.streams: list[dict[str, Any]] | None = [HERE, THERE]
        self.directory: dict[str, Any] = {"calls_by_node": {}}
        self.said: list[str] = []

        async def serve_view() -> ServeView | None:
            return self.serve

        monkeypatch.setattr("actors.serve_replicas.serve_view", serve_view)
        monkeypatch.setattr("actors.named.deployed_status", lambda: self.directory)
        monkeypatch.setattr(run_node_drain, "_gcs", lambda: self.gcs)
        monkeypatch.setattr(run_node_drain, "_nodes", lambda: [NODE])
        monkeypatch.setattr(run_node_drain, "_streams", lambda: self.streams)
        monkeypatch.setattr(run_node_drain, "LOOK_EVERY_S", 0.0)
        monkeypatch.setattr(node_drain, "SETTLED_S", 0.0)


def serves(**states: State) -> ServeView:
    """A view of Serve with a replica on our node for each of these names."""
    place = ReplicaPlace(NODE.node_id, 7)
    replicas = tuple(ServeReplica(name, state, place) for name, state in states.items())
    return ServeView("HEALTHY", "", 1, replicas)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_what_is_seen_of_a_node(world: World) -> None:
    world.serve = serves(one="running", other="stopping")
    world.directory = {"calls_by_node": {NODE.node_id: 4}}
    world.streams = [HERE, {**THERE, "roads": {NODE.address: 1}}]
    seen = run_node_drain._view(NODE)
    assert seen == NodeView(staying=1, leaving=1, calls=2, roads=1, minds=4)


@pytest.mark.parametrize("away", ["serve", "directory", "streams"])
def test_who_does_not_answer_may_have_calls(world: World, away: str) -> None:
    world.streams = [{**HERE, "calls": 0}, THERE]
    assert run_node_drain._view(NODE).is_empty
    setattr(world, away, {} if away == "directory" else None)
    assert not run_node_drain._view(NODE).is_empty


def test_a_node_of_a_cluster_on_which_nothing_is_deployed_is_empty(world: World) -> None:
    world.serve, world.streams, world.directory = None, [], {}
    assert run_node_drain._view(NODE).is_empty


def until_empty(world: World) -> bool:
    return run_node_drain._until_empty(NODE, 60.0, world.said.append)


def test_a_gcs_that_is_away_for_a_while_ends_no_drain(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """'callcluster node' ends the node with its callers when the drain has ended, well or not."""
    world.gcs.is_away = True  # until it is told something

    def come_back(views: Iterable[NodeView]) -> None:
        left = iter(views)

        def view(node: RayNode) -> NodeView:
            world.gcs.get_draining_nodes(timeout=1.0)
            return next(left)

        monkeypatch.setattr(run_node_drain, "_view", view)

    come_back([NodeView(calls=1), NodeView(), NodeView()])
    assert until_empty(world)
    assert world.gcs.told == [NODE.node_id]
    assert "not known" in world.said[0]
