"""``docs/metrics.md`` says what the catalog and the summary say, to the letter."""

from __future__ import annotations

import json
import re
from typing import Any, get_args

import pytest

from telemetry import catalog as c
from telemetry.catalog import METRICS
from telemetry.exposition import QUANTILES
from telemetry.ledger import MAX_SERIES, MetricsLedger
from telemetry.merged import MergedMetrics
from telemetry.page import PAGE, with_table
from telemetry.sketch import RELATIVE_ERROR_RATIO
from telemetry.summary import summarise
from telemetry.traces import MAX_WAITING
from voice import timeline
from voice.events import Outcome, TurnKind

TEXT = PAGE.read_text("utf-8")
ANN = ("default", "reception", "en-US")


def test_the_table_is_that_of_the_catalog() -> None:
    assert with_table(TEXT) == TEXT, "run python -m telemetry.page"


@pytest.mark.parametrize(
    "broken", ["no markers at all", TEXT.replace("<!-- end of series -->", "")]
)
def test_a_page_without_its_markers_is_not_touched(broken: str) -> None:
    with pytest.raises(ValueError, match="lacks"):
        with_table(broken)


def test_what_is_named_exists() -> None:
    names = {metric.name for metric in METRICS}
    for word in re.findall(r"\bcallcluster_[a-z_]+", TEXT):
        name = re.sub(r"_(sum|count)$", "", word)
        assert name in names | {"callcluster"}, word


def test_figures_of_the_page_are_those_of_the_code() -> None:
    assert f"within {RELATIVE_ERROR_RATIO * 100:.0f} %" in TEXT
    assert f"at most {MAX_SERIES:,} series" in TEXT
    assert f"at most {MAX_WAITING:,} turns wait" in TEXT
    for share in QUANTILES:
        assert f"`{share}`" in TEXT or f'quantile="{share}"' in TEXT


def test_every_stage_is_listed() -> None:
    (row,) = [line for line in TEXT.splitlines() if line.startswith("| `stage` |")]
    assert re.findall(r"`([a-z_]+)`", row)[1:] == list(timeline.STAGES[1:])


@pytest.mark.parametrize(
    ("label", "values"), [("kind` of a turn", TurnKind), ("outcome`", Outcome)]
)
def test_kinds_and_outcomes_are_listed(label: str, values: Any) -> None:
    (row,) = [line for line in TEXT.splitlines() if line.startswith(f"| `{label} |")]
    assert re.findall(r"`([a-z_]+)`", row)[1:] == list(get_args(values))


def sample() -> dict[str, Any]:
    """A summary in which nothing is empty."""
    ledger = MetricsLedger("a", 1)
    for metric in METRICS:
        labels = [
            dict(zip(("tenant_id", "agent_id", "language"), ANN, strict=True)).get(label, "x")
            for label in metric.labels
        ]
        if metric.kind == "counter":
            ledger.count(metric, *labels)
        elif metric.kind == "gauge":
            ledger.gauge(metric, 1, *labels)
        else:
            ledger.observe(metric, 1.0, *labels)
    ledger.count(c.TURNS, *ANN, "caller", "failed")
    merged = MergedMetrics()
    merged.merge(ledger.snapshot())
    return {"age_s": 0.0, **summarise(merged.totals())}


# Whose keys are names of things and not of fields.
BY_NAME = {
    "ended", "refused", "resumed", "by_outcome", "by_kind", "guesses", "tools_used", "stages",
    "event_loop_lag", "errors", "requests", "units", "unpriced_units", "lookups", "bytes", "count",
    "capacity_calls", "largest_resident_bytes", "events", "stages_s", "provider_latency_s",
    "failover_wait_s", "cost_usd",
}  # fmt: skip


def fields(plain: Any, where: str = "") -> set[str]:
    """The paths of all fields; names of things are ``*``."""
    if isinstance(plain, list):
        return {path for item in plain for path in fields(item, f"{where}[]")}
    if not isinstance(plain, dict):
        return {where}
    last = where.rpartition(".")[2]
    by_name = last in BY_NAME or where in {"languages", "providers.latency_s", "cache.turns"}
    found = set()
    for key, value in plain.items():
        name = "*" if by_name and key not in {"total", "unpriced_units"} else key
        found |= fields(value, f"{where}.{name}".lstrip("."))
    return found or {where}


def test_the_example_has_the_fields_of_the_answer() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    shown, real = fields(json.loads(block)), fields(sample())
    of_things = {path for path in real if ".stages_s.*" in path or ".provider_latency_s.*" in path}
    assert shown - real == {
        "languages.*.stages_s",
        "languages.*.provider_latency_s",
        "agents[].stages_s",
    }, "left out, the page says how they look"
    assert real - of_things == shown & real
