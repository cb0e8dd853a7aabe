"""The merged measurements as metrics of Ray, so that its dashboard and its Prometheus show them.

Exported from the MetricsActor alone, and not from the processes that measure: each number exists
once, so that a sum over Ray's own tags (node, process) doubles nothing; quantiles of the whole
cluster cannot be had by adding up those of processes; and processes that carry audio are spared the
work. Names are ours with Ray's ``ray_`` before them. A summary becomes a gauge with the tag
``quantile`` and a counter ``..._count``.

Ray's agent goes on showing the counters of a process that died for some minutes. A restarted
MetricsActor, which is told everything anew, therefore exports only what was counted since.
"""

from __future__ import annotations

from collections.abc import Mapping

from ray.util import metrics as ray_metrics

from telemetry.catalog import BY_NAME
from telemetry.exposition import QUANTILES
from telemetry.ledger import Series
from telemetry.merged import MergedMetrics


class RayExport:
    """Hands what has changed to Ray's metric agent of this node.

    Args:
        is_restarted: What the first update finds was exported by a predecessor.
    """

    def __init__(self, *, is_restarted: bool) -> None:
        self._skips = is_restarted
        self._counters: dict[str, ray_metrics.Counter] = {}
        self._gauges: dict[str, ray_metrics.Gauge] = {}
        self._told: dict[Series, float] = {}
        self._shown: set[Series] = set()

    def update(self, merged: MergedMetrics) -> None:
        """Export the measurements as they are now."""
        for series, total in merged.counters().items():
            self._count(series, total)
        self._show(merged.gauges())
        for series, sketch in merged.sketches().items():
            name, labels = series
            self._count((f"{name}_count", labels), sketch.count)
            for share in QUANTILES:
                value = sketch.quantile(share)
                if value is not None:
                    tags = {**_tags(series), "quantile": str(share)}
                    self._gauge(name, tuple(tags)).set(value, tags=tags)
        self._skips = False

    def _count(self, series: Series, total: float) -> None:
        increment = total - self._told.get(series, 0)
        if increment <= 0:
            return
        self._told[series] = total
        if self._skips:
            return
        tags = _tags(series)
        name = series[0].removesuffix("_total")  # which Ray adds by itself
        counter = self._counters.get(name)
        if counter is None:
            counter = ray_metrics.Counter(name, _help(series[0]), tuple(tags))
            self._counters[name] = counter
        counter.inc(increment, tags=tags)

    def _show(self, gauges: Mapping[Series, float]) -> None:
        gone = self._shown - set(gauges)
        for series, value in [*gauges.items(), *((series, 0.0) for series in gone)]:
            tags = _tags(series)
            self._gauge(series[0], tuple(tags)).set(value, tags=tags)
        self._shown = set(gauges)

    def _gauge(self, name: str, tag_keys: tuple[str, ...]) -> ray_metrics.Gauge:
        gauge = self._gauges.get(name)
        if gauge is None:
            gauge = self._gauges[name] = ray_metrics.Gauge(name, _help(name), tag_keys)
        return gauge


def _tags(series: Series) -> dict[str, str]:
    name, labels = series
    metric = BY_NAME[name.removesuffix("_count")] if name not in BY_NAME else BY_NAME[name]
    return dict(zip(metric.labels, labels, strict=True))


def _help(name: str) -> str:
    metric = BY_NAME.get(name) or BY_NAME.get(name.removesuffix("_count"))
    return metric.help if metric else ""
