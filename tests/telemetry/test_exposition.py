from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from telemetry.catalog import ACTIVE_CALLS, CALLS, LOOP_LAG, RESPONSE_LATENCY
from telemetry.exposition import render
from telemetry.ledger import MetricsLedger
from telemetry.merged import MergedMetrics


def test_prometheus_reads_what_was_measured() -> None:
    ledger = MetricsLedger("a", 1)
    awkward = 'tenant "one"\\\n二'
    for latency_ms in range(1, 101):
        ledger.observe(RESPONSE_LATENCY, latency_ms / 1_000, awkward, "reception", "en-US")
    ledger.count(CALLS, "t", "reception", "en-US", by=3)
    ledger.gauge(ACTIVE_CALLS, 2.5, "ingress")
    merged = MergedMetrics()
    merged.merge(ledger.snapshot())
    families = {
        family.name: family for family in text_string_to_metric_families(render(merged.totals()))
    }
    assert families["callcluster_calls"].samples[0].value == 3
    assert families["callcluster_active_calls"].type == "gauge"
    assert families["callcluster_active_calls"].samples[0].value == 2.5
    latency = families["callcluster_response_latency_seconds"]
    assert latency.type == "summary"
    assert latency.documentation == RESPONSE_LATENCY.help
    values = {
        (s.name.removeprefix(latency.name), s.labels.get("quantile")): s for s in latency.samples
    }
    assert list(values) == [
        ("", "0.5"),
        ("", "0.9"),
        ("", "0.95"),
        ("", "0.99"),
        ("_sum", None),
        ("_count", None),
    ]
    assert values["", "0.95"].labels["tenant_id"] == awkward
    assert abs(values["", "0.95"].value - 0.095) < 0.001
    assert values["_count", None].value == 100
    assert abs(values["_sum", None].value - 5.05) < 1e-9


def test_nothing_measured_is_an_empty_page() -> None:
    assert render(MergedMetrics().totals()) == ""


def test_a_summary_without_labels() -> None:
    ledger = MetricsLedger("a", 1)
    ledger.observe(LOOP_LAG, -0.5, "ingress")
    merged = MergedMetrics()
    merged.merge(ledger.snapshot())
    assert 'callcluster_event_loop_lag_seconds_sum{process="ingress"} -0.5' in render(
        merged.totals()
    )
