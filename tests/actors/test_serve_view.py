"""What the controller of Ray Serve says of replicas, in its own words."""

from __future__ import annotations

from ray.serve.schema import DeploymentDetails, ReplicaDetails

from actors.serve_view import view_of
from actors.stream_watch import ReplicaPlace


def replica(name: str, state: str, pid: int | None) -> ReplicaDetails:
    node = None if pid is None else "node-1"
    return ReplicaDetails(
        replica_id=name, state=state, pid=pid, node_id=node, start_time_s=1.0, actor_name=name
    )


def test_states_and_places_are_read() -> None:
    details = DeploymentDetails.model_construct(
        status="UPDATING",
        message="",
        target_num_replicas=2,
        replicas=[
            replica("a", "RUNNING", 11),
            replica("b", "STOPPING", 12),
            replica("c", "STARTING", None),
            replica("d", "UPDATING", 14),
            replica("e", "STOPPING", None),
        ],
    )
    view = view_of(details)
    assert (view.status, view.wanted) == ("UPDATING", 2)
    assert [each.state for each in view.replicas] == [
        "running",
        "stopping",
        "starting",
        "running",
        "stopping",
    ]
    assert view.places("stopping") == {ReplicaPlace("node-1", 12)}
    assert (view.count("running"), view.count("stopping"), view.count("starting")) == (2, 2, 1)
