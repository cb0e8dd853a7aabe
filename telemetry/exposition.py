"""The merged measurements as Prometheus text (exposition format 0.0.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from telemetry.catalog import METRICS, Metric
from telemetry.ledger import Series
from telemetry.merged import Totals
from telemetry.sketch import QuantileSketch

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
QUANTILES = (0.5, 0.9, 0.95, 0.99)

ValueT = TypeVar("ValueT")


def render(totals: Totals) -> str:
    """Every metric that has a value, in the order of the catalog."""
    numbers = _by_name({**totals.counters, **totals.gauges})
    sketches = _by_name(totals.sketches)
    lines: list[str] = []
    for metric in METRICS:
        body = [
            *_number_lines(metric, numbers.get(metric.name, {})),
            *_summary_lines(metric, sketches.get(metric.name, {})),
        ]
        if body:
            lines.append(f"# HELP {metric.name} {_escape_help(metric.help)}")
            lines.append(f"# TYPE {metric.name} {metric.kind}")
            lines += body
    return "\n".join(lines) + "\n" if lines else ""


def _by_name(values: Mapping[Series, ValueT]) -> dict[str, dict[tuple[str, ...], ValueT]]:
    grouped: dict[str, dict[tuple[str, ...], ValueT]] = {}
    for (name, labels), value in sorted(values.items(), key=lambda item: item[0]):
        grouped.setdefault(name, {})[labels] = value
    return grouped


def _number_lines(metric: Metric, values: Mapping[tuple[str, ...], float]) -> Iterator[str]:
    for labels, value in values.items():
        yield f"{metric.name}{_labels(metric, labels)} {_number(value)}"


def _summary_lines(
    metric: Metric, sketches: Mapping[tuple[str, ...], QuantileSketch]
) -> Iterator[str]:
    for labels, sketch in sketches.items():
        for share in QUANTILES:
            value = sketch.quantile(share)
            if value is not None:
                tagged = _labels(metric, labels, quantile=str(share))
                yield f"{metric.name}{tagged} {_number(value)}"
        yield f"{metric.name}_sum{_labels(metric, labels)} {_number(sketch.total)}"
        yield f"{metric.name}_count{_labels(metric, labels)} {sketch.count}"


def _labels(metric: Metric, values: tuple[str, ...], **more: str) -> str:
    pairs = [*zip(metric.labels, values, strict=True), *more.items()]
    if not pairs:
        return ""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in pairs) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _escape_help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
