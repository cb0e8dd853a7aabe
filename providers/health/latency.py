"""Quantiles of one unit's latency that forget: counts in logarithmic bins with a half-life.

Rules
1. A bin is 5 % wide: a quantile is within 2.5 % of a value that was measured at that rank.
2. What was measured counts half after each half-life. With five minutes, a fault of one minute
   moves the baseline little, and a lasting change of the provider becomes the baseline.
3. Below ``MINIMUM`` (faded) measurements there is no quantile: the caller has a prior.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

BASELINE_HALF_LIFE_S = 300.0
MINIMUM = 30.0
_GROWTH = math.log(1.05)
_SMALLEST_S = 0.001
_LARGEST_BIN = 240  # two minutes
_REBASE_EXPONENT = 60.0
_NEGLIGIBLE = 0.01


class FadingLatency:
    """A histogram of seconds, fading."""

    __slots__ = ("_bins", "_since_s", "half_life_s")

    def __init__(self, half_life_s: float = BASELINE_HALF_LIFE_S) -> None:
        self.half_life_s = half_life_s
        self._bins: dict[int, float] = {}  # weights as of _since_s
        self._since_s: float | None = None

    def add(self, latency_s: float, *, now: float) -> None:
        """Count one measurement; negative ones and NaN are not counted."""
        if not latency_s >= 0.0:
            return
        bin_ = _bin_of(latency_s)
        self._bins[bin_] = self._bins.get(bin_, 0.0) + self._scale(now)

    def count(self, *, now: float) -> float:
        """Measurements, faded."""
        return sum(self._bins.values()) / self._scale(now) if self._bins else 0.0

    def quantiles(self, *shares: float, now: float) -> tuple[float, ...] | None:
        """Seconds at each of ``shares`` (ascending, 0 to 1); None below ``MINIMUM``."""
        if self.count(now=now) < MINIMUM:
            return None
        total = sum(self._bins.values())
        found: list[float] = []
        seen = 0.0
        bins = iter(sorted(self._bins.items()))
        bin_ = 0
        for share in shares:
            while seen < share * total - 1e-9 * total:
                bin_, weight = next(bins)
                seen += weight
            found.append(_value_of(bin_))
        return tuple(found)

    def bins(self, *, now: float) -> tuple[tuple[int, float], ...]:
        """``(bin, faded count)`` in order, rounded; what is negligible is left out."""
        if not self._bins:
            return ()
        scale = self._scale(now)
        faded = ((bin_, round(weight / scale, 2)) for bin_, weight in sorted(self._bins.items()))
        return tuple((bin_, weight) for bin_, weight in faded if weight >= _NEGLIGIBLE)

    def add_bins(self, bins: Iterable[tuple[int, float]], *, as_of_s: float, now: float) -> None:
        """Add what ``bins`` of another gave at ``as_of_s``."""
        scale = self._scale(now) * math.exp2((min(as_of_s, now) - now) / self.half_life_s)
        for bin_, weight in bins:
            self._bins[bin_] = self._bins.get(bin_, 0.0) + weight * scale

    def _scale(self, now: float) -> float:
        """What one measurement at ``now`` weighs in the bins."""
        if self._since_s is None:
            self._since_s = now
        exponent = (now - self._since_s) / self.half_life_s
        if exponent > _REBASE_EXPONENT:
            shrink = math.exp2(-exponent)
            kept = {bin_: weight * shrink for bin_, weight in self._bins.items()}
            self._bins = {bin_: weight for bin_, weight in kept.items() if weight > 1e-9}
            self._since_s, exponent = now, 0.0
        return math.exp2(exponent)


def merged_quantiles(
    views: Mapping[str, tuple[float, tuple[tuple[int, float], ...]]], *shares: float, now: float
) -> tuple[float, ...] | None:
    """Quantiles over all reporters.

    Args:
        views: Reporter -> (as of, bins).
        shares: Ascending, 0 to 1.
        now: Seconds.
    """
    together = FadingLatency()
    for as_of_s, bins in views.values():
        together.add_bins(bins, as_of_s=as_of_s, now=now)
    return together.quantiles(*shares, now=now)


def _bin_of(latency_s: float) -> int:
    if latency_s <= _SMALLEST_S:
        return 0
    if math.isinf(latency_s):
        return _LARGEST_BIN
    return min(_LARGEST_BIN, math.ceil(math.log(latency_s / _SMALLEST_S) / _GROWTH))


def _value_of(bin_: int) -> float:
    return _SMALLEST_S * math.exp(_GROWTH * (bin_ - 0.5)) if bin_ else _SMALLEST_S
