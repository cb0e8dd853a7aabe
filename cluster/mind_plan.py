"""From the settings of a deployment to the pool of CallActors that it wants."""

from __future__ import annotations

from actors.named import MindPlan
from cluster.settings import Settings

MIND_PARTS = "cluster.mind_parts:build_mind_parts"


def mind_plan(settings: Settings) -> MindPlan:
    """The plan; the same for every ingress replica, so that it does not matter who asks first."""
    return MindPlan(
        config={
            "calls_per_actor": settings.calls_per_actor,
            "min_actors": settings.call_actors,
            "max_actors": settings.max_call_actors,
        },
        build=MIND_PARTS,
        settings=settings.to_plain(),
    )
