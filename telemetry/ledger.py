"""What one process measured, cumulative since it began.

Observing is a dictionary look-up and an addition: no lock (one event loop), no I/O, no clock. A
snapshot holds what was measured so far, so a lost one costs nothing and a repeated one does no
harm. Once somebody has confirmed a version, the next snapshots hold only the series that have
changed since that version: an idle process says next to nothing.
"""

from __future__ import annotations

from typing import Any

from telemetry.catalog import OBSERVATIONS_REFUSED, Metric
from telemetry.errors import MetricMisused
from telemetry.sketch import QuantileSketch

VERSION = 1
MAX_SERIES = 10_000
_LARGEST = 1e300  # what JSON and every reader still holds

Series = tuple[str, tuple[str, ...]]


class MetricsLedger:
    """Counters, gauges and sketches of one process.

    Args:
        source: A name that stays over restarts of this process, such as ``ingress-3``.
        incarnation: A number that grows with each restart: its start in UTC microseconds.
        max_series: How many label combinations are kept; more are refused and counted.
    """

    def __init__(self, source: str, incarnation: int, *, max_series: int = MAX_SERIES) -> None:
        self.source = source
        self.incarnation = incarnation
        self._max_series = max_series
        self._version = 0
        self._counters: dict[Series, float] = {}
        self._gauges: dict[Series, float] = {}
        self._sketches: dict[Series, QuantileSketch] = {}
        # What the last snapshot said of a series (of a sketch: its count), and since which version.
        self._said: dict[Series, tuple[float, int]] = {}

    def count(self, metric: Metric, *labels: str, by: float = 1) -> None:
        """Add to a counter; what is negative or not finite is left out and counted.

        Raises:
            MetricMisused: It is no counter, or the labels are not those of the catalog.
        """
        if not 0 <= by <= _LARGEST:
            self.count(OBSERVATIONS_REFUSED)
            return
        key = (metric.name, labels)
        try:
            self._counters[key] += by
        except KeyError:
            if self._may_add(metric, "counter", labels):
                self._counters[key] = by

    def count_up_to(self, metric: Metric, total: float, *labels: str) -> None:
        """Raise a counter to a total that somebody else keeps. Raises as ``count`` does."""
        missing = total - self._counters.get((metric.name, labels), 0)
        if missing > 0:
            self.count(metric, *labels, by=missing)

    def gauge(self, metric: Metric, value: float, *labels: str) -> None:
        """Set a gauge. Raises ``MetricMisused`` as ``count`` does."""
        if not -_LARGEST <= value <= _LARGEST:
            self.count(OBSERVATIONS_REFUSED)
            return
        key = (metric.name, labels)
        if key in self._gauges or self._may_add(metric, "gauge", labels):
            self._gauges[key] = value

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """Add a value to a summary. Raises ``MetricMisused`` as ``count`` does."""
        key = (metric.name, labels)
        sketch = self._sketches.get(key)
        if sketch is None:
            if not self._may_add(metric, "summary", labels):
                return
            sketch = self._sketches[key] = QuantileSketch()
        try:
            sketch.add(value)
        except ValueError:
            self.count(OBSERVATIONS_REFUSED)

    def snapshot(self, since: int = 0) -> dict[str, Any]:
        """What was measured so far, as JSON types; each snapshot has a larger version.

        Args:
            since: Leave out the series that have not changed since this version, for a reader who
                has all of that version; 0 for everything.
        """
        self._version += 1
        return {
            "v": VERSION,
            "source": self.source,
            "incarnation": self.incarnation,
            "version": self._version,
            "since": since,
            "counters": [
                [*_named(key), n]
                for key, n in self._counters.items()
                if self._is_news(key, n, since)
            ],
            "gauges": [
                [*_named(key), n] for key, n in self._gauges.items() if self._is_news(key, n, since)
            ],
            "sketches": [
                [*_named(key), sketch.to_plain()]
                for key, sketch in self._sketches.items()
                if self._is_news(key, sketch.count, since)
            ],
        }

    def begin_anew(self, incarnation: int) -> None:
        """Count from zero under a larger incarnation: what was counted so far is elsewhere."""
        self.incarnation = incarnation
        self._version = 0
        self._counters.clear()
        self._sketches.clear()
        self._said.clear()

    def _is_news(self, key: Series, value: float, since: int) -> bool:
        """Whether the series has changed after version ``since``."""
        said = self._said.get(key)
        if said is None or said[0] != value:
            said = self._said[key] = (value, self._version)
        return said[1] > since

    def _may_add(self, metric: Metric, kind: str, labels: tuple[str, ...]) -> bool:
        if metric.kind != kind:
            raise MetricMisused(f"{metric.name} is a {metric.kind}, not a {kind}")
        if len(labels) != len(metric.labels) or not all(isinstance(item, str) for item in labels):
            raise MetricMisused(f"{metric.name} takes the labels {', '.join(metric.labels) or '-'}")
        held = len(self._counters) + len(self._gauges) + len(self._sketches)
        if held >= self._max_series and metric is not OBSERVATIONS_REFUSED:
            self.count(OBSERVATIONS_REFUSED)
            return False
        return True


def _named(key: Series) -> tuple[str, list[str]]:
    return key[0], list(key[1])
