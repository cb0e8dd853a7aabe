"""The merged measurements as one JSON object for dashboards and people.

Durations are seconds. Everything is of the whole cluster, since its measuring began, but for what
is going on now: ``active_calls``, ``utilization_percent``, ``processes``, ``records.pending``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telemetry import catalog as c
from telemetry.catalog import Metric
from telemetry.grouping import Grouping, Labels
from telemetry.ledger import Series
from telemetry.merged import Totals
from telemetry.sketch import RELATIVE_ERROR_RATIO, QuantileSketch

INGRESS = "ingress"
CALL_ACTOR = "call_actor"

Spread = dict[str, float]


def active_calls(gauges: Mapping[Series, float]) -> int:
    """Calls in progress: those that an ingress replica carries."""
    return int(gauges.get((c.ACTIVE_CALLS.name, (INGRESS,)), 0))


def capacity_calls(gauges: Mapping[Series, float]) -> int:
    """Calls the cluster can hold at once: by its ears or by its minds, whichever are fewer."""
    sides = [gauges.get((c.CAPACITY.name, (side,)), 0) for side in (INGRESS, CALL_ACTOR)]
    return int(min(sides))


def utilisation_ratio(gauges: Mapping[Series, float]) -> float:
    """Calls in progress to calls the cluster can hold; 0 while it can hold none."""
    capacity = capacity_calls(gauges)
    return active_calls(gauges) / capacity if capacity else 0.0


def _availability(groups: Grouping) -> dict[str, float | None]:
    """Of those who called, how many were answered; of these, how many ended as somebody wanted.

    Percent; None before the first call, or the first end of one.
    """
    answered, ended = groups.number(c.CALLS), groups.number(c.CALLS_ENDED)
    refused, lost = groups.number(c.CALLS_REFUSED), groups.number(c.CALLS_LOST)
    return {
        "answered_percent": _percent(answered, answered + refused),
        "ended_as_planned_percent": _percent(ended - lost, ended),
    }


def _percent(part: float, whole: float) -> float | None:
    return round(100 * part / whole, 3) if whole else None


def summarise(totals: Totals) -> dict[str, Any]:
    """The summary, as JSON types."""
    gauges, groups = totals.gauges, Grouping(totals)
    return {
        "active_calls": active_calls(gauges),
        "max_concurrent_calls": capacity_calls(gauges),
        "peak_concurrent_calls": int(gauges.get((c.PEAK_CALLS.name, ()), 0)),
        "utilization_percent": round(100 * utilisation_ratio(gauges), 2),
        "calls": {
            "answered": groups.number(c.CALLS),
            "ended": _by(groups, c.CALLS_ENDED),
            "lost": groups.number(c.CALLS_LOST),
            "refused": _by(groups, c.CALLS_REFUSED),
            "resumed": _by(groups, c.CALLS_RESUMED),
            "replaced": groups.number(c.CALLS_REPLACED),
            "duration_s": _spread(groups.sketch(c.CALL_DURATION)),
            "availability": _availability(groups),
        },
        "turns": {
            "by_outcome": _by(groups, c.TURNS, "outcome"),
            "by_kind": _by(groups, c.TURNS, "kind"),
            "barge_ins": groups.number(c.BARGE_INS),
            "underruns": groups.number(c.UNDERRUNS),
            "guesses": _by(groups, c.GUESSES),
            "speculative_calls": groups.number(c.GUESSED_CALLS),
            "wasted_calls": groups.number(c.WASTED_CALLS),
            "wasted_cost_usd": round(groups.number(c.WASTED_COST), 6),
            "retreats": groups.number(c.RETREATS),
            "dtmf_digits": groups.number(c.DIGITS),
            "tools_used": _by(groups, c.TOOLS, "tool", "status"),
        },
        "latency_s": {
            "response": _spread(groups.sketch(c.RESPONSE_LATENCY)),
            "commit_to_first_frame": _spread(groups.sketch(c.COMMIT_TO_FRAME)),
            "stages": _spreads(groups, c.TURN_STAGE, "stage"),
            "admission": _spread(groups.sketch(c.ADMISSION_LATENCY)),
            "event_loop_lag": _spreads(groups, c.LOOP_LAG, "process"),
            "relative_error": RELATIVE_ERROR_RATIO,
        },
        "providers": {
            "latency_s": _spreads(groups, c.PROVIDER_LATENCY, "provider", "work"),
            "errors": _by(groups, c.PROVIDER_ERRORS),
            "requests": _by(groups, c.PROVIDER_REQUESTS),
            "failover_wait_s": _spreads(groups, c.FAILOVER_WAIT, "work"),
            "left": [name for name, left in _by(groups, c.PROVIDER_LEFT).items() if left],
            "units": _by(groups, c.UNITS, "unit"),
        },
        "languages": _languages(groups),
        "agents": _agents(groups),
        "errors": {
            **_by(groups, c.ERRORS),
            "provider": groups.number(c.PROVIDER_ERRORS),
            "protocol": groups.number(c.PROTOCOL_ERRORS),
        },
        "cost_usd": {
            "total": round(groups.number(c.COST), 6),
            **{name: round(usd, 6) for name, usd in _by(groups, c.COST, "component").items()},
            "unpriced_units": _by(groups, c.UNPRICED, "item", "unit"),
        },
        "cache": {
            "lookups": _by(groups, c.CACHE_LOOKUPS),
            "turns": _by(groups, c.CACHE_TURNS, "outcome"),
            "bytes": _by(groups, c.CACHE_BYTES),
        },
        "records": {
            "pending": groups.number(c.RECORDS_PENDING),
            "dropped": groups.number(c.RECORDS_DROPPED),
        },
        "processes": {
            "count": _by(groups, c.PROCESSES),
            "capacity_calls": _by(groups, c.CAPACITY),
            "largest_resident_bytes": _by(groups, c.MEMORY),
        },
        "events": _by(groups, c.EVENTS),
    }


def _by(groups: Grouping, metric: Metric, *labels: str) -> dict[str, float]:
    """The sum for each value of ``labels`` (by default all of them), joined by a slash."""
    sums = groups.numbers(metric, *(labels or metric.labels))
    return {"/".join(key): number for key, number in sums.items()}


def _spreads(groups: Grouping, metric: Metric, *labels: str) -> dict[str, Spread | None]:
    """A spread for each value of ``labels``, joined by a slash."""
    found = groups.sketches(metric, *labels)
    return {"/".join(key): _spread(sketch) for key, sketch in found.items()}


def _spread(sketch: QuantileSketch | None) -> Spread | None:
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


def _languages(groups: Grouping) -> dict[str, Any]:
    providers = _nested(groups, c.PROVIDER_LATENCY, ("language",), ("provider", "work"))
    return {
        language: {**measured, "provider_latency_s": providers.get((language,), {})}
        for (language,), measured in _measured_by(groups, "language").items()
    }


def _agents(groups: Grouping) -> list[dict[str, Any]]:
    costs = groups.numbers(c.COST, "tenant_id", "agent_id")
    return [
        {
            "tenant_id": key[0],
            "agent_id": key[1],
            **measured,
            "cost_usd": round(costs.get(key, 0), 6),
        }
        for key, measured in _measured_by(groups, "tenant_id", "agent_id").items()
    ]


def _measured_by(groups: Grouping, *labels: str) -> dict[Labels, dict[str, Any]]:
    """What is measured of the calls of every agent, or in every language, that has had one."""
    active = groups.numbers(c.AGENT_ACTIVE_CALLS, *labels)
    calls = groups.numbers(c.CALLS, *labels)
    turns = groups.numbers(c.TURNS, *labels)
    outcomes = groups.numbers(c.TURNS, *labels, "outcome")
    barge_ins = groups.numbers(c.BARGE_INS, *labels)
    latencies = groups.sketches(c.RESPONSE_LATENCY, *labels)
    stages = _nested(groups, c.TURN_STAGE, labels, ("stage",))
    return {
        key: {
            "active_calls": active.get(key, 0),
            "calls": calls.get(key, 0),
            "turns": turns.get(key, 0),
            "turns_failed": outcomes.get((*key, "failed"), 0),
            "barge_ins": barge_ins.get(key, 0),
            "response_latency_s": _spread(latencies.get(key)),
            "stages_s": stages.get(key, {}),
        }
        for key in sorted({*calls, *turns, *(key for key, count in active.items() if count)})
    }


def _nested(
    groups: Grouping, metric: Metric, outer: Labels, inner: Labels
) -> dict[Labels, dict[str, Spread | None]]:
    """Spreads by the values of ``inner``, joined by a slash, for each value of ``outer``."""
    nested: dict[Labels, dict[str, Spread | None]] = {}
    for key, sketch in groups.sketches(metric, *outer, *inner).items():
        name = "/".join(key[len(outer) :])
        nested.setdefault(key[: len(outer)], {})[name] = _spread(sketch)
    return nested
