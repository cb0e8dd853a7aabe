"""The merged measurements as metrics of Ray, so that its dashboard and its Prometheus show them.

Exported from the MetricsActor alone, and not from the processes that measure: each number exists
once, so that a sum over Ray's own tags (node, process) doubles nothing; quantiles of the whole
cluster cannot be had by adding up those of processes; and processes that carry audio are spared the
work. Names are ours with Ray's ``ray_`` before them. A summary becomes a gauge with the tag
``quantile``, and two more, ``..._sum`` and ``..._count``.

Totals are exported as gauges, too. Ray's agent on a node shows the counters of a process that died
for as long as the agent lives (measured, Ray 2.60), so that a restarted MetricsActor, which is told
everything anew, would show every call twice. Gauges go when nobody has set them for
``AGENT_KEEPS_S``; a restarted actor lets its predecessor's go first. ``rate()`` and ``increase()``
do not ask for the type.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from ray.util import metrics as ray_metrics

from telemetry.catalog import BY_NAME, Metric
from telemetry.exposition import QUANTILES
from telemetry.ledger import Series
from telemetry.merged import Totals
from telemetry.sketch import QuantileSketch

REPORT_INTERVAL = "RAY_metrics_report_interval_ms"
AGENT_KEEPS_S = 2 * float(os.environ.get(REPORT_INTERVAL, "10000")) / 1_000  # two of them


class RayExport:
    """Hands the measurements to Ray's metric agent of this node."""

    def __init__(self) -> None:
        self._began_at: float | None = None
        self._gauges: dict[str, ray_metrics.Gauge] = {}

    def update(self, totals: Totals, *, is_successor: bool, now: float) -> None:
        """Export the measurements; call it every few seconds.

        Args:
            totals: The measurements.
            is_successor: Whether the agent may still show what another MetricsActor has exported.
            now: Loop time.
        """
        if self._began_at is None:
            self._began_at = now
        if is_successor and now - self._began_at < AGENT_KEEPS_S:
            return
        self._set(totals.counters)
        self._set(totals.gauges)
        for (name, labels), sketch in totals.sketches.items():
            self._set_summary(BY_NAME[name], labels, sketch)

    def _set(self, numbers: Mapping[Series, float]) -> None:
        for (name, labels), value in numbers.items():
            metric = BY_NAME[name]
            self._gauge(name, metric, metric.labels).set(value, _tags(metric, labels))

    def _set_summary(self, metric: Metric, labels: tuple[str, ...], sketch: QuantileSketch) -> None:
        tags = _tags(metric, labels)
        for part, value in (("sum", sketch.total), ("count", float(sketch.count))):
            self._gauge(f"{metric.name}_{part}", metric, metric.labels).set(value, tags)
        for share in QUANTILES:
            at_share = sketch.quantile(share)
            if at_share is not None:
                gauge = self._gauge(metric.name, metric, (*metric.labels, "quantile"))
                gauge.set(at_share, {**tags, "quantile": str(share)})

    def _gauge(self, name: str, metric: Metric, tags: tuple[str, ...]) -> ray_metrics.Gauge:
        gauge = self._gauges.get(name)
        if gauge is None:
            gauge = self._gauges[name] = ray_metrics.Gauge(name, metric.help, tags)
        return gauge


def _tags(metric: Metric, labels: tuple[str, ...]) -> dict[str, str]:
    return dict(zip(metric.labels, labels, strict=True))
