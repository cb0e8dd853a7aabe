"""Who is to leave: replicas that Ray Serve has retired, and roads through nodes that are drained.

Rules
1. A replica leaves once Ray Serve stops it, not before: while Serve still looks for its successor
   (which comes first when a node is drained) it answers calls as before.
2. The *road* of a call is the node whose HAProxy the carrier reaches it through, whichever node its
   replica is on. With the node goes the road.
3. Nobody leaves unless somebody stays: a replica that runs on a node that is not drained.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from actors.serve_view import ServeView
from actors.stream_watch import ReplicaPlace


@dataclass(frozen=True, slots=True)
class DrainingNode:
    """A Ray node that is drained.

    Attributes:
        address: Of the node; empty when it is not known.
        until: Loop time at which it is gone; None when nobody has said.
    """

    address: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Leaving:
    """Who is to leave, and until when (loop time); None: nobody presses.

    Attributes:
        replicas: By place.
        roads: By the address of the node.
    """

    replicas: Mapping[ReplicaPlace, float | None] = field(default_factory=dict)
    roads: Mapping[str, float | None] = field(default_factory=dict)


def leaving(view: ServeView | None, draining: Mapping[str, DrainingNode]) -> Leaving | None:
    """Who is to leave now; None when nobody knows: what was known before holds.

    Args:
        view: Of Serve; None when it does not answer.
        draining: By the id of the node.
    """
    if view is None:
        return None
    if not any(at.node not in draining for at in view.places("running")):
        return Leaving()
    untils = {node_id: node.until for node_id, node in draining.items()}
    return Leaving(
        {at: untils.get(at.node) for at in view.places("stopping")},
        {node.address: node.until for node in draining.values() if node.address},
    )
