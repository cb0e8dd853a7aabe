"""May one more call enter here? Pure: facts in, an answer with its reason out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Refusal = Literal[
    "",
    "starting",
    "draining",
    "descriptors_short",
    "replicas_full",
    "actors_full",
    "providers_full",
]


@dataclass(frozen=True, slots=True)
class Capacity:
    """What one ingress replica knows when a call wants to come in.

    Attributes:
        ready: Models, connections and the greeting are warm.
        draining: No new calls: a deploy or a scale-in is on its way.
        cluster_active: Calls in the cluster at the last sync.
        cluster_capacity: Calls the cluster can carry, by minds and by ears.
        cluster_minds: Calls that it can by minds alone; 0 where an older directory does not say.
        free_slots: Leases in hand.
        directory_away: The directory did not answer the last sync: leases are no limit then.
        descriptors_short: This process can hardly open anything more.
    """

    ready: bool
    draining: bool
    cluster_active: int
    cluster_capacity: int
    cluster_minds: int
    free_slots: int
    directory_away: bool = False
    descriptors_short: bool = False


def refusal(capacity: Capacity) -> Refusal:
    """Why the call cannot come in; empty when it can."""
    if capacity.draining:
        return "draining"
    if not capacity.ready:
        return "starting"
    if capacity.descriptors_short:
        return "descriptors_short"
    if capacity.free_slots > 0 or capacity.directory_away:
        return ""
    if capacity.cluster_minds:  # of the two, whichever there is less of
        has_few_ears = capacity.cluster_capacity < capacity.cluster_minds
    else:
        has_few_ears = capacity.cluster_active >= capacity.cluster_capacity
    return "replicas_full" if has_few_ears else "actors_full"
