"""Durations described for people: how many, mean, quantiles, the worst; milliseconds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from simulation.carrier_ticker import Lateness


@dataclass(frozen=True, slots=True)
class Distribution:
    """A set of durations in milliseconds (reports are for people); None when there was none."""

    count: int = 0
    mean_ms: float | None = None
    p50_ms: float | None = None
    p90_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None


def distribution(values_s: Sequence[float]) -> Distribution:
    """Describe durations given in seconds; quantiles by nearest rank."""
    if not values_s:
        return Distribution()
    ordered = sorted(value * 1_000 for value in values_s)

    def rank(q: float) -> float:
        return round(ordered[max(0, math.ceil(q * len(ordered)) - 1)], 2)

    mean = math.fsum(ordered) / len(ordered)
    return Distribution(
        len(ordered), round(mean, 2), rank(0.5), rank(0.9), rank(0.95), rank(0.99), rank(1.0)
    )


def lateness_distribution(lateness: Lateness) -> Distribution:
    """Describe how late the caller's own frames were."""

    def quantile(q: float) -> float:
        return round(lateness.quantile_s(q) * 1_000, 3)

    return Distribution(
        lateness.total,
        round(lateness.mean_s * 1_000, 3),
        quantile(0.5),
        quantile(0.9),
        quantile(0.95),
        quantile(0.99),
        round(lateness.max_s * 1_000, 3),
    )
