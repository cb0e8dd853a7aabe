"""What one process measured, cumulative since it began.

Observing is a dictionary look-up and an addition: no lock (one event loop), no I/O, no clock. A
snapshot holds everything so far, so a lost one costs nothing and a repeated one does no harm.
"""

from __future__ import annotations

from typing import Any

from telemetry.catalog import OBSERVATIONS_REFUSED, Metric
from telemetry.errors import MetricMisused
from telemetry.sketch import QuantileSketch

VERSION = 1
MAX_SERIES = 5_000
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

    def snapshot(self) -> dict[str, Any]:
        """Everything measured so far, as JSON types; each one has a larger version."""
        self._version += 1
        return {
            "v": VERSION,
            "source": self.source,
            "incarnation": self.incarnation,
            "version": self._version,
            "counters": [[name, list(labels), n] for (name, labels), n in self._counters.items()],
            "gauges": [[name, list(labels), n] for (name, labels), n in self._gauges.items()],
            "sketches": [
                [name, list(labels), sketch.to_plain()]
                for (name, labels), sketch in self._sketches.items()
            ],
        }

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
