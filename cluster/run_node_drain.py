"""Drain a node of a Ray cluster that runs: the shell of ``cluster.node_drain``."""

from __future__ import annotations

import asyncio
import functools
import math
import threading
import time
from collections.abc import Callable
from typing import Any

from actors.gcs_questions import ask_gcs
from cluster.errors import ClusterError
from cluster.give_way import give_way
from cluster.node_drain import UNSEEN, NodeDrain, NodeView, RayNode, choose_node
from cluster.run_serve import connect

LOOK_EVERY_S = 1.0
NICENESS = 10  # the calls of this machine come first: Ray alone takes seconds of a core to load
ASK_WITHIN_S = 2.0
VIEW_WITHIN_S = 10.0  # of several questions; a drain that is late by so much is not cut (LATE_S)
NO_DEADLINE_MS = 0

Say = Callable[[str], None]


def drain_node(address: str, name: str, deadline_s: float, say: Say) -> bool:
    """Drain a node, and return once nobody is on the phone there.

    Args:
        address: Of Ray, or ``auto`` for the cluster of this machine.
        name: The node; empty for the one of this machine. See ``choose_node``.
        deadline_s: How long it may take.
        say: Told what happens.

    Returns:
        False when calls were still there at the deadline.

    Raises:
        ClusterError: There is no such cluster or node, or Ray refuses.
    """
    give_way(NICENESS)
    import ray

    connect(address, log_to_driver=False)
    try:
        here = ray.get_runtime_context().get_node_id()
        try:
            nodes = _nodes()
        except ray.exceptions.RayError as error:
            raise ClusterError(f"its GCS does not answer: {type(error).__name__}") from None
        node = choose_node(nodes, name, here)
        if len(nodes) < 2:
            say("no other node could take its calls: they may end by themselves until then")
        say(f"node {node.address} ({node.node_id[:8]}) is drained, {deadline_s:.0f} s at most")
        return _until_empty(node, deadline_s, say)
    finally:
        ray.shutdown()


def _until_empty(node: RayNode, deadline_s: float, say: Say) -> bool:
    drain, said = NodeDrain(deadline_s, now=time.monotonic()), ""
    while True:
        view = _seen(node)
        step = drain.look(view, now=time.monotonic())
        if step.is_over:
            say(f"node {node.address} is drained: it can be taken away")
            return True
        if view.line != said:
            said = view.line
            say(said)
        if step.is_late:
            say(f"the time is over, and node {node.address} is not empty: what is left will be cut")
            return False
        if step.tell and not _is_told(node, step.deadline_s):
            drain.was_not_heard()
        threading.Event().wait(LOOK_EVERY_S)


def _seen(node: RayNode) -> NodeView:
    """What is seen of it now: nothing while the GCS is away, which comes back (``run_node``)."""
    import ray

    look = ask_gcs(("node", node.node_id), functools.partial(_view, node), VIEW_WITHIN_S)
    try:
        return asyncio.run(look)
    except (TimeoutError, ray.exceptions.RayError):  # held, or away
        return UNSEEN


def _is_told(node: RayNode, deadline_s: float | None) -> bool:
    """Tell Ray; False when the GCS is away. Raises ``ClusterError`` when Ray refuses."""
    import ray

    try:
        _tell_ray(node, deadline_s)
    except ray.exceptions.RayError:
        return False
    return True


def _tell_ray(node: RayNode, deadline_s: float | None) -> None:
    from ray.core.generated import autoscaler_pb2

    at_ms = NO_DEADLINE_MS
    if deadline_s is not None:
        at_ms = time.time_ns() // 1_000_000 + math.ceil(deadline_s * 1_000)
    # A node that is only idle may refuse; this one is to go.
    reason = autoscaler_pb2.DRAIN_NODE_REASON_PREEMPTION  # type: ignore[attr-defined]
    accepted, why = _gcs().drain_node(
        node.node_id, reason, "callcluster drain", at_ms, timeout=ASK_WITHIN_S
    )
    if not accepted:
        raise ClusterError(f"Ray does not drain node {node.address}: {why}")


@functools.cache
def _gcs() -> Any:
    import ray
    from ray._raylet import GcsClient  # type: ignore[attr-defined]

    return GcsClient(address=ray.get_runtime_context().gcs_address)


def _nodes() -> list[RayNode]:
    import ray

    return [
        RayNode(
            node["NodeID"],
            node["NodeManagerAddress"],
            node["NodeManagerHostname"],
            "node:__internal_head__" in node["Resources"],
        )
        for node in ray.nodes()  # type: ignore[no-untyped-call]
        if node["Alive"]
    ]


def _view(node: RayNode) -> NodeView:
    from actors.serve_replicas import serve_view

    if node.node_id not in {each.node_id for each in _nodes()}:
        return NodeView(is_alive=False)
    serve = asyncio.run(serve_view())
    places = {
        state: {at for at in serve.places(state) if at.node == node.node_id} if serve else set()
        for state in ("running", "stopping")
    }
    streams = _streams()
    here = [] if streams is None else [each for each in streams if each["node"] == node.node_id]
    others = [] if streams is None else [each for each in streams if each["node"] != node.node_id]
    through = [int((each.get("roads") or {}).get(node.address, 0)) for each in others]
    is_known = streams is not None and (serve is not None or not streams)
    return NodeView(
        is_draining=node.node_id in _gcs().get_draining_nodes(timeout=ASK_WITHIN_S),
        staying=len(places["running"]),
        leaving=len(places["stopping"]),
        calls=sum(int(each["calls"]) for each in here) if is_known else None,
        roads=None if streams is None else sum(through),
        minds=_minds(node, is_deployed=streams != []),
    )


def _minds(node: RayNode, *, is_deployed: bool) -> int | None:
    """Calls with a CallActor there, as the directory knows; None when nobody knows.

    One that was started again knows too little at first, one of an older release counts none.
    """
    from actors.named import deployed_status

    status = deployed_status()
    if is_deployed and not (status and status.get("is_settled", True)):
        return None
    return int(status.get("calls_by_node", {}).get(node.node_id, 0))


def _streams() -> list[dict[str, Any]] | None:
    """What the back office knows of the replicas; None when it does not answer."""
    import ray

    from actors.placement import BACK_OFFICE_NAME, NAMESPACE

    try:
        office: Any = ray.get_actor(BACK_OFFICE_NAME, namespace=NAMESPACE)
    except ValueError:
        return []  # nothing is deployed
    try:
        found: list[dict[str, Any]] = ray.get(office.streams.remote(), timeout=ASK_WITHIN_S)
    except (AttributeError, ray.exceptions.RayError):
        return None
    return found
