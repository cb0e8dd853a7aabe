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
        cluster_capacity: Calls the cluster can carry, by minds and by ears.
        cluster_minds: Calls that it can by minds alone.
        free_slots: Leases in hand.
        directory_away: The directory did not answer the last sync: leases are no limit then.
        descriptors_short: This process can hardly open anything more.
    """

    ready: bool
    draining: bool
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
    # Of the two, whichever there is less of.
    return "replicas_full" if capacity.cluster_capacity < capacity.cluster_minds else "actors_full"
