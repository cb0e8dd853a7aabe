"""What the composition root builds for an ingress replica."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from actors.call_parts import CallParts
from actors.metrics_counts import EventCounts
from actors.metrics_reporter import ClusterView
from actors.mind_pool import EdgePool
from cluster.call_moves import StoredMove, never_moved
from cluster.call_recall import Recall, nothing_recalled
from cluster.hand_overs import StoredHandOver, nothing_stored
from cluster.local_models import LocalModels
from cluster.provider_gate import ProviderGate
from dialogue.agent import Agent
from records.rows import Row

AgentKey = tuple[str, str]
"""(``tenant_id``, ``agent_id``)."""


def unwritten(_row: Row) -> None:
    """An edge without a record."""


@dataclass(frozen=True, slots=True)
class EdgeParts:
    """Shared by every call of the replica.

    Attributes:
        agents: By tenant and agent id.
        call_parts: Likewise.
        counts: Counts by name, for ``/readyz`` and the metrics.
        cluster_view: The newest view of the whole cluster's measurements; None before the first.
        planned_end: Whether the record says that the call with this ``CallSid`` ended as planned.
        recall: A call as the record knows it; see ``call_recall.Recall``.
        write: Takes a row of a call's record; never waits.
        models: What tells speech from silence, and finished turns from unfinished ones.
        gate: Whether providers take one more call.
        handed_over: What the record says that the carrier does with a call since the end of its
            stream; see ``hand_overs.StoredHandOver``.
        moved: Which CallActor the record says has a call; see ``call_moves.StoredMove``.
    """

    agents: Mapping[AgentKey, Agent]
    call_parts: Mapping[AgentKey, CallParts]
    pool: EdgePool
    wall_clock_us: Callable[[], int]
    counts: EventCounts
    cluster_view: Callable[[], ClusterView | None]
    planned_end: Callable[[str], Awaitable[bool]]
    handed_over: StoredHandOver = nothing_stored
    moved: StoredMove = never_moved
    recall: Recall = nothing_recalled
    write: Callable[[Row], None] = unwritten
    models: LocalModels | None = None
    gate: ProviderGate = field(default_factory=ProviderGate)

    @property
    def counters(self) -> Counter[str]:
        """What was counted in this replica since its start, by name."""
        return self.counts.by_name
