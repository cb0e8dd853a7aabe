"""The merged measurements as one JSON object for dashboards and people.

Durations are seconds. Everything is of the whole cluster, since its measuring began, but for what
is going on now: ``active_calls``, ``utilization_percent``, ``processes``, ``records.pending``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from telemetry import catalog as c
from telemetry.catalog import Metric
from telemetry.ledger import Series
from telemetry.merged import MergedMetrics
from telemetry.sketch import RELATIVE_ERROR_RATIO, QuantileSketch

INGRESS = "ingress"
CALL_ACTOR = "call_actor"

Labels = tuple[str, ...]
Numbers = Mapping[Series, float]


def active_calls(gauges: Numbers) -> int:
    """Calls in progress: those that an ingress replica carries."""
    return int(gauges.get((c.ACTIVE_CALLS.name, (INGRESS,)), 0))


def capacity_calls(gauges: Numbers) -> int:
    """Calls the cluster can hold at once: by its ears or by its minds, whichever are fewer."""
    sides = [gauges.get((c.CAPACITY.name, (side,)), 0) for side in (INGRESS, CALL_ACTOR)]
    return int(min(sides))


def utilisation_ratio(gauges: Numbers) -> float:
    """Calls in progress to calls the cluster can hold; 0 while it can hold none."""
    capacity = capacity_calls(gauges)
    return active_calls(gauges) / capacity if capacity else 0.0


def summarise(merged: MergedMetrics) -> dict[str, Any]:
    """The summary, as JSON types."""
    counters, gauges, sketches = merged.counters(), merged.gauges(), merged.sketches()
    return {
        "active_calls": active_calls(gauges),
        "max_concurrent_calls": capacity_calls(gauges),
        "peak_concurrent_calls": int(gauges.get((c.PEAK_CALLS.name, ()), 0)),
        "utilization_percent": round(100 * utilisation_ratio(gauges), 2),
        "calls": {
            "answered": _total(counters, c.CALLS),
            "ended": _by(counters, c.CALLS_ENDED),
            "refused": _by(counters, c.CALLS_REFUSED),
            "resumed": _by(counters, c.CALLS_RESUMED),
            "replaced": _total(counters, c.CALLS_REPLACED),
            "duration_s": _spread(_of(sketches, c.CALL_DURATION)),
        },
        "turns": {
            "by_outcome": _by(counters, c.TURNS, "outcome"),
            "by_kind": _by(counters, c.TURNS, "kind"),
            "barge_ins": _total(counters, c.BARGE_INS),
            "underruns": _total(counters, c.UNDERRUNS),
            "guesses": _by(counters, c.GUESSES),
            "dtmf_digits": _total(counters, c.DIGITS),
        },
        "latency_s": {
            "response": _spread(_of(sketches, c.RESPONSE_LATENCY)),
            "commit_to_first_frame": _spread(_of(sketches, c.COMMIT_TO_FRAME)),
            "stages": _spreads(sketches, c.TURN_STAGE, "stage"),
            "admission": _spread(_of(sketches, c.ADMISSION_LATENCY)),
            "event_loop_lag": _spreads(sketches, c.LOOP_LAG, "process"),
            "relative_error": RELATIVE_ERROR_RATIO,
        },
        "providers": {
            "latency_s": _spreads(sketches, c.PROVIDER_LATENCY, "provider", "work"),
            "errors": _by(counters, c.PROVIDER_ERRORS, "provider", "kind"),
            "units": _by(counters, c.UNITS, "unit"),
        },
        "languages": _languages(counters, sketches),
        "agents": _agents(counters, sketches),
        "errors": {
            **_by(counters, c.ERRORS),
            "provider": _total(counters, c.PROVIDER_ERRORS),
            "protocol": _total(counters, c.PROTOCOL_ERRORS),
        },
        "cost_usd": {
            "total": round(_total(counters, c.COST), 6),
            **{name: round(usd, 6) for name, usd in _by(counters, c.COST, "component").items()},
            "unpriced_units": _by(counters, c.UNPRICED, "item", "unit"),
        },
        "cache": {
            "lookups": _by(counters, c.CACHE_LOOKUPS, "cache", "result"),
            "bytes": _by(gauges, c.CACHE_BYTES),
        },
        "records": {
            "pending": _total(gauges, c.RECORDS_PENDING),
            "dropped": _total(counters, c.RECORDS_DROPPED),
        },
        "processes": {
            "count": _by(gauges, c.PROCESSES),
            "capacity_calls": _by(gauges, c.CAPACITY),
            "largest_resident_bytes": _by(gauges, c.MEMORY),
        },
        "events": _by(counters, c.EVENTS),
    }


def _total(numbers: Numbers, metric: Metric) -> float:
    return _whole(sum(value for (name, _), value in numbers.items() if name == metric.name))


def _by(numbers: Numbers, metric: Metric, *labels: str) -> dict[str, float]:
    """The sum for each value of ``labels`` (by default the only label), joined by a slash."""
    wanted = [metric.labels.index(label) for label in labels or metric.labels]
    sums: dict[str, float] = {}
    for (name, values), number in sorted(numbers.items(), key=lambda item: item[0]):
        if name == metric.name:
            key = "/".join(values[index] for index in wanted)
            sums[key] = _whole(sums.get(key, 0) + number)
    return sums


def _of(
    sketches: Mapping[Series, QuantileSketch], metric: Metric, **only: str
) -> QuantileSketch | None:
    """All of ``metric`` in one sketch, or of the series with these labels."""
    merged: QuantileSketch | None = None
    for (name, values), sketch in sketches.items():
        if name == metric.name and _fits(metric, values, only):
            merged = merged or QuantileSketch()
            merged.merge(sketch)
    return merged


def _fits(metric: Metric, values: Labels, only: Mapping[str, str]) -> bool:
    named = dict(zip(metric.labels, values, strict=True))
    return all(named[label] == value for label, value in only.items())


def _spreads(
    sketches: Mapping[Series, QuantileSketch], metric: Metric, *labels: str
) -> dict[str, Any]:
    """A spread for each value of ``labels``, joined by a slash."""
    return {
        "/".join(key): _spread(_of(sketches, metric, **dict(zip(labels, key, strict=True))))
        for key in _values(sketches, metric, *labels)
    }


def _values(series: Iterable[Series], metric: Metric, *labels: str) -> list[Labels]:
    wanted = [metric.labels.index(label) for label in labels]
    return sorted(
        {tuple(values[i] for i in wanted) for name, values in series if name == metric.name}
    )


def _spread(sketch: QuantileSketch | None) -> dict[str, float] | None:
    """Count, mean, quantiles and the exact maximum; None when nothing was measured."""
    if sketch is None or not sketch.count:
        return None
    shares = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
    quantiles = {name: sketch.quantile(share) or 0.0 for name, share in shares.items()}
    return {
        "count": sketch.count,
        "mean": round(sketch.total / sketch.count, 6),
        **{name: round(value, 6) for name, value in quantiles.items()},
        "max": round(sketch.maximum, 6),
    }


def _languages(counters: Numbers, sketches: Mapping[Series, QuantileSketch]) -> dict[str, Any]:
    return {
        language: {
            "calls": _sum_of(counters, c.CALLS, language=language),
            "turns": _sum_of(counters, c.TURNS, language=language),
            "barge_ins": _sum_of(counters, c.BARGE_INS, language=language),
            "response_latency_s": _spread(_of(sketches, c.RESPONSE_LATENCY, language=language)),
        }
        for (language,) in _values(counters, c.CALLS, "language")
    }


def _agents(counters: Numbers, sketches: Mapping[Series, QuantileSketch]) -> list[dict[str, Any]]:
    found = []
    for tenant_id, agent_id in _values(counters, c.CALLS, "tenant_id", "agent_id"):
        only = {"tenant_id": tenant_id, "agent_id": agent_id}
        found.append(
            {
                **only,
                "calls": _sum_of(counters, c.CALLS, **only),
                "turns": _sum_of(counters, c.TURNS, **only),
                "barge_ins": _sum_of(counters, c.BARGE_INS, **only),
                "response_latency_s": _spread(_of(sketches, c.RESPONSE_LATENCY, **only)),
                "cost_usd": round(_sum_of(counters, c.COST, **only), 6),
            }
        )
    return found


def _sum_of(numbers: Numbers, metric: Metric, **only: str) -> float:
    return _whole(
        sum(
            value
            for (name, values), value in numbers.items()
            if name == metric.name and _fits(metric, values, only)
        )
    )


def _whole(value: float) -> float:
    return int(value) if value == int(value) else value
