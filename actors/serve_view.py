"""What Ray Serve's controller says of the ingress replicas: where each runs, and in what state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from actors.stream_watch import ReplicaPlace

State = Literal["starting", "running", "stopping"]
_STATES: Final[dict[str, State]] = {
    "RUNNING": "running",
    "UPDATING": "running",
    "PENDING_MIGRATION": "running",
    "STOPPING": "stopping",
}


@dataclass(frozen=True, slots=True)
class ServeReplica:
    """One ingress replica.

    Attributes:
        name: As Serve calls it.
        state: ``starting`` for whatever is neither of the others.
        place: Where it runs; None while it has no process.
    """

    name: str
    state: State
    place: ReplicaPlace | None


@dataclass(frozen=True, slots=True)
class ServeView:
    """The ingress deployment, as the controller sees it.

    Attributes:
        status: Of the deployment: ``HEALTHY``, ``UPDATING``, ``DEPLOY_FAILED``, ...
        message: What is wrong, in the controller's words; may be empty.
        wanted: How many replicas there are to be.
    """

    status: str
    message: str
    wanted: int
    replicas: tuple[ServeReplica, ...]

    def count(self, state: State) -> int:
        """How many replicas are in this state."""
        return sum(replica.state == state for replica in self.replicas)

    def places(self, state: State) -> frozenset[ReplicaPlace]:
        """Where the replicas in this state run."""
        return frozenset(
            replica.place
            for replica in self.replicas
            if replica.state == state and replica.place is not None
        )


def view_of(details: Any) -> ServeView:
    """What ``DeploymentDetails`` of Ray Serve says."""
    return ServeView(
        status=_word(details.status),
        message=str(details.message),
        wanted=int(details.target_num_replicas),
        replicas=tuple(_replicas(details.replicas)),
    )


def _replicas(found: Iterable[Any]) -> Iterable[ServeReplica]:
    for each in found:
        has_process = each.node_id and each.pid
        place = ReplicaPlace(str(each.node_id), int(each.pid)) if has_process else None
        state = _STATES.get(_word(each.state), "starting")
        yield ServeReplica(str(each.replica_id), state, place)


def _word(value: Any) -> str:
    return str(getattr(value, "value", value))
