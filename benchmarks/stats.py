"""Quantiles and straight lines, for figures that people compare."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """A set of durations in milliseconds; quantiles by nearest rank, None when there were none."""

    n: int = 0
    mean_ms: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None

    def as_dict(self) -> dict[str, float | int | None]:
        """Plain data for JSON."""
        return asdict(self)


def spread(values_s: Sequence[float]) -> Spread:
    """Describe durations given in seconds."""
    if not values_s:
        return Spread()
    ordered = sorted(values_s)
    quantiles = (round(nearest_rank(ordered, q) * 1_000, 2) for q in (0.5, 0.95, 0.99, 1.0))
    return Spread(len(ordered), round(math.fsum(ordered) / len(ordered) * 1_000, 2), *quantiles)


def nearest_rank(ordered: Sequence[float], q: float) -> float:
    """The smallest value of which at least the share ``q`` is not larger.

    Args:
        ordered: Ascending, not empty.
        q: Above 0, at most 1.
    """
    if not ordered:
        raise ValueError("no values: nothing to rank")
    if not 0 < q <= 1:
        raise ValueError(f"q must be above 0 and at most 1, not {q}")
    return ordered[math.ceil(q * len(ordered)) - 1]


@dataclass(frozen=True, slots=True)
class Line:
    """``y = intercept + slope * x`` by least squares.

    Attributes:
        n: Points it was drawn through; no line with fewer than two different ``x``.
        r_squared: Share of the variance that the line explains; 1 when there was none.
    """

    slope: float
    intercept: float
    r_squared: float
    n: int

    def as_dict(self) -> dict[str, float | int]:
        """Plain data for JSON."""
        return {
            "slope": round(self.slope, 4),
            "intercept": round(self.intercept, 4),
            "r_squared": round(self.r_squared, 4),
            "n": self.n,
        }


def fit_line(points: Sequence[tuple[float, float]]) -> Line | None:
    """The least-squares line through ``(x, y)``; None with fewer than two different ``x``."""
    n = len(points)
    if len({x for x, _ in points}) < 2:
        return None
    mean_x = math.fsum(x for x, _ in points) / n
    mean_y = math.fsum(y for _, y in points) / n
    var_x = math.fsum((x - mean_x) ** 2 for x, _ in points)
    slope = math.fsum((x - mean_x) * (y - mean_y) for x, y in points) / var_x
    intercept = mean_y - slope * mean_x
    var_y = math.fsum((y - mean_y) ** 2 for _, y in points)
    residual = math.fsum((y - intercept - slope * x) ** 2 for x, y in points)
    return Line(slope, intercept, 1 - residual / var_y if var_y else 1.0, n)
