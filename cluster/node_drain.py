"""How far the drain of a node has come, and what Ray is to be told, from what is seen there.

Rules
1. Ray is told at once that the node is drained: nothing new is placed there, HAProxy of the node
   asks the front to send nobody, and Ray Serve starts a successor for each replica elsewhere.
2. It is told of the deadline only when each replica there has its successor, or after a third of
   the time, a minute at most: Serve retires a replica at once when it knows of a deadline that is
   nearer than ``graceful_shutdown_timeout_s``, and calls would be short of replicas meanwhile.
3. A GCS that was started anew knows nothing of it, and is told again; so is one that did not hear.
4. The drain is over when nobody is on the phone there any more: no replica and no call of one, no
   call of other replicas whose carrier comes through HAProxy of this node, no call with a CallActor
   there. That has to be so for ``SETTLED_S``, in which a call may be between two streams, and
   somebody has to say so: who does not answer may have calls. Or the node is gone.

Synchronous; ``now`` is any clock of seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cluster.deploy_progress import counted
from cluster.errors import ClusterError

SETTLED_S = 5.0
SUCCESSORS_WITHIN_S = 60.0
SHORTEST_ID = 4


@dataclass(frozen=True, slots=True)
class RayNode:
    """A node that lives.

    Attributes:
        node_id: In hex digits.
        address: Of the node.
        host: Its name.
        is_head: It has the GCS and Ray Serve's controller.
    """

    node_id: str
    address: str
    host: str = ""
    is_head: bool = False


@dataclass(frozen=True, slots=True)
class NodeView:
    """What is seen of a node at one moment.

    Attributes:
        is_alive: Ray has it among its nodes.
        is_draining: Ray knows that it is drained.
        staying: Ingress replicas there that have no successor yet.
        leaving: Those that are to go and have not gone.
        calls: Calls of both; None when nobody knows.
        roads: Calls of replicas on other nodes that come through HAProxy of this one; likewise.
        minds: Calls with a CallActor there; likewise.
    """

    is_alive: bool = True
    is_draining: bool = True
    staying: int = 0
    leaving: int = 0
    calls: int | None = 0
    roads: int | None = 0
    minds: int | None = 0

    @property
    def is_empty(self) -> bool:
        """Nobody is on the phone there."""
        has_replica = self.staying + self.leaving > 0
        return not has_replica and self.calls == self.roads == self.minds == 0

    @property
    def line(self) -> str:
        """For people."""
        if self.is_empty:
            return "nobody is on the phone there"
        if self == UNSEEN:
            return "who is on the phone there is not known: the cluster does not answer"
        replicas = counted(self.staying + self.leaving, "replica")
        moving = "" if not self.staying else f" ({self.staying} waiting for a successor)"
        return (
            f"{replicas}{moving} with {_calls(self.calls)}, {_calls(self.roads)} of others through "
            f"its HAProxy, {_calls(self.minds)} with its CallActors"
        )


UNSEEN = NodeView(calls=None, roads=None, minds=None)  # nobody answers, the GCS above all


def _calls(count: int | None) -> str:
    return "an unknown number of calls" if count is None else counted(count, "call")


@dataclass(frozen=True, slots=True)
class NodeDrainStep:
    """What is to be done now.

    Attributes:
        tell: Tell Ray now that the node is drained.
        deadline_s: With a deadline of so many seconds; None: without one.
        is_over: Nobody is on the phone there any more.
        is_late: The time is over, and somebody is.
    """

    tell: bool = False
    deadline_s: float | None = None
    is_over: bool = False
    is_late: bool = False


class NodeDrain:
    """See the rules above.

    Args:
        deadline_s: How long it may take.
        now: When it began.
    """

    def __init__(self, deadline_s: float, *, now: float) -> None:
        self._until = now + deadline_s
        self._press_at = now + min(SUCCESSORS_WITHIN_S, deadline_s / 3.0)
        self._was_told = self._is_pressed = False
        self._empty_since: float | None = None

    def was_not_heard(self) -> None:
        """Ray did not take what the last step has told it."""
        self._was_told = False

    def look(self, view: NodeView, *, now: float) -> NodeDrainStep:
        """What is due; several looks in ``SETTLED_S``."""
        if not view.is_alive:
            return NodeDrainStep(is_over=True)
        if not view.is_empty or not view.is_draining:
            self._empty_since = None
        elif self._empty_since is None:
            self._empty_since = now
        elif now - self._empty_since >= SETTLED_S:
            return NodeDrainStep(is_over=True)
        if now >= self._until:
            return NodeDrainStep(is_late=True)
        presses = now >= self._press_at or (self._was_told and view.leaving and not view.staying)
        is_news = not view.is_draining or not self._was_told or presses > self._is_pressed
        self._was_told, self._is_pressed = True, bool(self._is_pressed or presses)
        left_s = self._until - now
        return NodeDrainStep(is_news, left_s if self._is_pressed else None)


def choose_node(nodes: Sequence[RayNode], name: str, here: str) -> RayNode:
    """The node that a person means.

    Args:
        nodes: Those that live.
        name: Its address, its host's name, or the beginning of its id; empty: the one of this
            machine.
        here: Id of the node of this machine.

    Raises:
        ClusterError: There is none, there are several, or it cannot be drained; says which are.
    """
    wanted = name or here
    is_id = len(wanted) >= SHORTEST_ID
    found = [
        each
        for each in nodes
        if wanted in (each.address, each.host) or (is_id and each.node_id.startswith(wanted))
    ]
    known = ", ".join(sorted(f"{each.address} ({each.node_id[:8]})" for each in nodes))
    if not found:
        raise ClusterError(f"no node of this cluster is called {wanted!r}; there are: {known}")
    if len(found) > 1:
        raise ClusterError(
            f"{wanted!r} is {len(found)} nodes: give the id of one; there are: {known}"
        )
    if found[0].is_head:
        raise ClusterError(
            f"{found[0].address} is the head, with Ray's GCS and Serve's controller, and cannot be "
            "drained. Give it no calls (--num-cpus=0), and it has none when it ends"
        )
    return found[0]
