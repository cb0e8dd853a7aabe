from __future__ import annotations

import json

import pytest

from telemetry.catalog import ACTIVE_CALLS, FRAMES, OBSERVATIONS_REFUSED, TURN_STAGE, UNDERRUNS
from telemetry.errors import MetricMisused
from telemetry.ledger import MetricsLedger
from telemetry.merged import MergedMetrics
from telemetry.sketch import QuantileSketch

ANN = ("t1", "ann", "en-US")


def test_a_snapshot_is_cumulative_plain_data() -> None:
    ledger = MetricsLedger("ingress-0", 7)
    ledger.count(FRAMES, "in", by=50)
    ledger.count(FRAMES, "in")
    ledger.gauge(ACTIVE_CALLS, 3, "ingress")
    ledger.gauge(ACTIVE_CALLS, 2, "ingress")
    ledger.observe(TURN_STAGE, 0.25, "first_token", *ANN)
    first, second = ledger.snapshot(), ledger.snapshot()
    assert json.loads(json.dumps(first)) == first
    assert first["counters"] == [["callcluster_frames_total", ["in"], 51]]
    assert first["gauges"] == [["callcluster_active_calls", ["ingress"], 2]]
    name, labels, plain = first["sketches"][0]
    assert (name, labels) == ("callcluster_turn_stage_seconds", ["first_token", *ANN])
    assert QuantileSketch.from_plain(plain).count == 1
    assert (first["source"], first["incarnation"]) == ("ingress-0", 7)
    assert second["version"] > first["version"]


def test_wrong_labels_or_kind_name_the_metric() -> None:
    ledger = MetricsLedger("a", 1)
    with pytest.raises(MetricMisused, match="callcluster_frames_total takes the labels way"):
        ledger.count(FRAMES)
    with pytest.raises(MetricMisused, match="is a counter, not a summary"):
        ledger.observe(UNDERRUNS, 1.0)
    with pytest.raises(MetricMisused, match="is a counter, not a gauge"):
        ledger.gauge(UNDERRUNS, 1.0)


def test_a_value_that_is_not_finite_is_counted_and_left_out() -> None:
    ledger = MetricsLedger("a", 1)
    ledger.observe(TURN_STAGE, float("nan"), "eager", *ANN)
    ledger.gauge(ACTIVE_CALLS, float("inf"), "ingress")
    ledger.count(UNDERRUNS, by=-1)
    snapshot = ledger.snapshot()
    assert snapshot["counters"] == [[OBSERVATIONS_REFUSED.name, [], 3]]
    assert snapshot["gauges"] == []
    MergedMetrics().merge(snapshot)


def test_label_values_are_bounded() -> None:
    """A label that holds a call id by mistake cannot fill the memory."""
    ledger = MetricsLedger("a", 1, max_series=2)
    for number in range(5):
        ledger.count(FRAMES, str(number))
        ledger.observe(TURN_STAGE, 1.0, str(number), *ANN)
    snapshot = ledger.snapshot()
    assert len(snapshot["counters"]) + len(snapshot["sketches"]) == 3
    assert [OBSERVATIONS_REFUSED.name, [], 8] in snapshot["counters"]


def test_a_snapshot_for_somebody_who_knows_holds_only_what_is_new() -> None:
    ledger = MetricsLedger("a", 1)
    ledger.count(FRAMES, "in")
    ledger.count(FRAMES, "out")
    ledger.gauge(ACTIVE_CALLS, 3, "ingress")
    ledger.observe(TURN_STAGE, 0.25, "first_token", *ANN)
    known = ledger.snapshot()["version"]
    assert [ledger.snapshot(known)[part] for part in ("counters", "gauges", "sketches")] == [
        [],
        [],
        [],
    ]
    ledger.count(FRAMES, "in")
    ledger.gauge(ACTIVE_CALLS, 3, "ingress")  # no change
    ledger.observe(TURN_STAGE, 0.25, "committed", *ANN)
    later = ledger.snapshot(known)
    assert later["since"] == known
    assert later["counters"] == [["callcluster_frames_total", ["in"], 2]]
    assert later["gauges"] == []
    assert [labels for _, labels, _ in later["sketches"]] == [["committed", *ANN]]
    again = ledger.snapshot(known)
    assert again["counters"] == later["counters"], "until it is known, it is told again"
    assert len(ledger.snapshot()["counters"]) == 2


def test_a_total_kept_elsewhere_is_taken_over() -> None:
    ledger = MetricsLedger("a", 1)
    for total in (0, 3, 3, 2, 5):
        ledger.count_up_to(FRAMES, total, "in")
    assert ledger.snapshot()["counters"] == [["callcluster_frames_total", ["in"], 5]]


def test_a_ledger_that_begins_anew_counts_from_zero_and_keeps_its_gauges() -> None:
    ledger = MetricsLedger("a", 1)
    ledger.count(FRAMES, "in")
    ledger.gauge(ACTIVE_CALLS, 3, "ingress")
    ledger.snapshot()
    ledger.begin_anew(9)
    snapshot = ledger.snapshot()
    assert (snapshot["incarnation"], snapshot["version"]) == (9, 1)
    assert snapshot["counters"] == []
    assert len(snapshot["gauges"]) == 1
