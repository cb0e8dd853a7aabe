"""What Ray knows of our named actors, as its dashboard and ``ray list actors --detail`` show it."""

from __future__ import annotations

import pytest

from actors.placement import (
    BACK_OFFICE_NAME,
    CALL_ACTOR_PREFIX,
    DIRECTORY_NAME,
    HEALTH_NAME,
    METRICS_NAME,
    NAMESPACE,
)
from tests.support.ray_stage import ACTORS, CALLS_PER_ACTOR, Stage, until

pytestmark = pytest.mark.ray


def shown() -> dict[str, str]:
    """Name to ``Repr`` of our actors that live."""
    from ray._private.state import state
    from ray.core.generated.gcs_pb2 import ActorTableData

    table = state._connect_and_get_accessor().get_actor_table(None, None)
    return {
        actor.name: actor.repr_name
        for actor in map(ActorTableData.FromString, table)
        if actor.ray_namespace == NAMESPACE and actor.state == actor.ALIVE
    }


def test_each_named_actor_says_what_it_is(stage: Stage) -> None:
    one_each = {
        BACK_OFFICE_NAME: "BackOffice: ",
        DIRECTORY_NAME: "CallDirectory: ",
        HEALTH_NAME: "ProviderHealth: ",
        METRICS_NAME: "Metrics: ",
    }
    until(lambda: one_each.keys() <= shown().keys(), what="the shared actors")
    found = shown()
    for name, beginning in one_each.items():
        assert found[name].startswith(beginning), name
    minds = [said for name, said in found.items() if name.startswith(CALL_ACTOR_PREFIX)]
    assert len(minds) >= ACTORS
    for said in minds:
        assert said.startswith(f"CallActor: thinks for up to {CALLS_PER_ACTOR} calls, release ")
    assert stage.settings.twilio_auth_token.get_secret_value() not in "".join(found.values())
