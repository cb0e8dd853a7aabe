from __future__ import annotations

import json

import pytest

from telemetry.catalog import ACTIVE_CALLS, BARGE_INS, FRAMES, OBSERVATIONS_REFUSED, TURN_STAGE
from telemetry.errors import MetricMisused
from telemetry.ledger import MetricsLedger
from telemetry.merged import MergedMetrics
from telemetry.sketch import QuantileSketch


def test_a_snapshot_is_cumulative_plain_data() -> None:
    ledger = MetricsLedger("ingress-0", 7)
    ledger.count(FRAMES, "in", by=50)
    ledger.count(FRAMES, "in")
    ledger.gauge(ACTIVE_CALLS, 3, "ingress")
    ledger.gauge(ACTIVE_CALLS, 2, "ingress")
    ledger.observe(TURN_STAGE, 0.25, "first_token")
    first, second = ledger.snapshot(), ledger.snapshot()
    assert json.loads(json.dumps(first)) == first
    assert first["counters"] == [["callcluster_frames_total", ["in"], 51]]
    assert first["gauges"] == [["callcluster_active_calls", ["ingress"], 2]]
    name, labels, plain = first["sketches"][0]
    assert (name, labels) == ("callcluster_turn_stage_seconds", ["first_token"])
    assert QuantileSketch.from_plain(plain).count == 1
    assert (first["source"], first["incarnation"]) == ("ingress-0", 7)
    assert second["version"] > first["version"]


def test_wrong_labels_or_kind_name_the_metric() -> None:
    ledger = MetricsLedger("a", 1)
    with pytest.raises(MetricMisused, match="callcluster_frames_total takes the labels direction"):
        ledger.count(FRAMES)
    with pytest.raises(MetricMisused, match="is a counter, not a summary"):
        ledger.observe(BARGE_INS, 1.0)
    with pytest.raises(MetricMisused, match="is a counter, not a gauge"):
        ledger.gauge(BARGE_INS, 1.0)


def test_a_value_that_is_not_finite_is_counted_and_left_out() -> None:
    ledger = MetricsLedger("a", 1)
    ledger.observe(TURN_STAGE, float("nan"), "eager")
    ledger.gauge(ACTIVE_CALLS, float("inf"), "ingress")
    ledger.count(BARGE_INS, by=-1)
    snapshot = ledger.snapshot()
    assert snapshot["counters"] == [[OBSERVATIONS_REFUSED.name, [], 3]]
    assert snapshot["gauges"] == []
    MergedMetrics().merge(snapshot)


def test_label_values_are_bounded() -> None:
    """A label that holds a call id by mistake cannot fill the memory."""
    ledger = MetricsLedger("a", 1, max_series=2)
    for number in range(5):
        ledger.count(FRAMES, str(number))
        ledger.observe(TURN_STAGE, 1.0, str(number))
    snapshot = ledger.snapshot()
    assert len(snapshot["counters"]) + len(snapshot["sketches"]) == 3
    assert [OBSERVATIONS_REFUSED.name, [], 8] in snapshot["counters"]
