"""Sums of measurements by some of their labels, in one pass over the series of a metric."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Generic, TypeVar

from telemetry.catalog import Metric
from telemetry.ledger import Series
from telemetry.merged import Totals
from telemetry.sketch import QuantileSketch

Labels = tuple[str, ...]
ValueT = TypeVar("ValueT")


class Grouping:
    """Looks into the totals of a cluster.

    Args:
        totals: Not to be changed meanwhile.
    """

    def __init__(self, totals: Totals) -> None:
        self._counters = _Index(totals.counters)
        self._gauges = _Index(totals.gauges)
        self._sketches = _Index(totals.sketches)

    def number(self, metric: Metric) -> float:
        """The sum of a counter or a gauge over all labels; an int where it is whole."""
        return self.numbers(metric).get((), 0)

    def numbers(self, metric: Metric, *labels: str) -> dict[Labels, float]:
        """The sum of a counter or a gauge for each combination of these labels, sorted."""
        index = self._counters if metric.kind == "counter" else self._gauges
        sums: dict[Labels, float] = {}
        for key, number in index.by(metric, labels):
            sums[key] = sums.get(key, 0) + number
        return {key: _whole(sums[key]) for key in sorted(sums)}

    def sketch(self, metric: Metric) -> QuantileSketch:
        """All of a summary in one sketch."""
        return self.sketches(metric).get((), QuantileSketch())

    def sketches(self, metric: Metric, *labels: str) -> dict[Labels, QuantileSketch]:
        """A summary for each combination of these labels, sorted."""
        merged: defaultdict[Labels, QuantileSketch] = defaultdict(QuantileSketch)
        for key, sketch in self._sketches.by(metric, labels):
            merged[key].merge(sketch)
        return {key: merged[key] for key in sorted(merged)}


class _Index(Generic[ValueT]):
    """The series of each metric."""

    def __init__(self, values: Mapping[Series, ValueT]) -> None:
        self._series: defaultdict[str, list[tuple[Labels, ValueT]]] = defaultdict(list)
        for (name, labels), value in values.items():
            self._series[name].append((labels, value))

    def by(self, metric: Metric, labels: tuple[str, ...]) -> list[tuple[Labels, ValueT]]:
        """Every series with only these of its labels."""
        places = [metric.labels.index(label) for label in labels]
        return [
            (tuple(values[place] for place in places), value)
            for values, value in self._series.get(metric.name, ())
        ]


def _whole(value: float) -> float:
    return int(value) if value == int(value) else value
