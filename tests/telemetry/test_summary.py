from __future__ import annotations

import json

import pytest

from telemetry import catalog as c
from telemetry.ledger import MetricsLedger
from telemetry.merged import MergedMetrics, Totals
from telemetry.summary import summarise

ANN, BOB = ("t1", "ann", "en-US"), ("t1", "bob", "zh-HK")


def merged(*ledgers: MetricsLedger) -> Totals:
    result = MergedMetrics()
    for ledger in ledgers:
        result.merge(ledger.snapshot())
    return result.totals()


def process(name: str, kind: str, active: int, capacity: int) -> MetricsLedger:
    ledger = MetricsLedger(name, 1)
    ledger.gauge(c.ACTIVE_CALLS, active, kind)
    ledger.gauge(c.CAPACITY, capacity, kind)
    ledger.gauge(c.PROCESSES, 1, kind)
    return ledger


def test_an_empty_cluster_has_a_summary_too() -> None:
    summary = summarise(merged())
    assert summary["active_calls"] == 0
    assert summary["max_concurrent_calls"] == 0
    assert summary["utilization_percent"] == 0
    assert summary["latency_s"]["response"] is None
    json.dumps(summary)


def test_availability_is_of_those_who_called_and_of_those_who_were_answered() -> None:
    nobody = {"answered_percent": None, "ended_as_planned_percent": None}
    assert summarise(merged())["calls"]["availability"] == nobody
    ledger = MetricsLedger("a", 1)
    ledger.count(c.CALLS, *ANN, by=1_999)
    ledger.count(c.CALLS_REFUSED, "capacity")
    found = summarise(merged(ledger))["calls"]["availability"]
    assert found == {"answered_percent": 99.95, "ended_as_planned_percent": None}
    ledger.count(c.CALLS_ENDED, "caller_hung_up", by=997)
    ledger.count(c.CALLS_ENDED, "carrier_gone", by=3)
    ledger.count(c.CALLS_LOST, by=3)
    summary = summarise(merged(ledger))
    assert summary["calls"]["lost"] == 3
    assert summary["calls"]["availability"]["ended_as_planned_percent"] == 99.7


def test_capacity_is_that_of_the_narrower_side() -> None:
    ears = [process("a", "ingress", 3, 25), process("b", "ingress", 6, 25)]
    minds = [process("c", "call_actor", 9, 30)]
    summary = summarise(merged(*ears, *minds))
    assert summary["active_calls"] == 9
    assert summary["max_concurrent_calls"] == 30
    assert summary["utilization_percent"] == 30
    assert summary["processes"]["count"] == {"call_actor": 1, "ingress": 2}


def test_by_agent_by_language_and_in_all() -> None:
    ledger = MetricsLedger("a", 1)
    for labels, calls, latency_s in ((ANN, 2, 0.5), (BOB, 1, 1.5)):
        ledger.count(c.CALLS, *labels, by=calls)
        ledger.count(c.TURNS, *labels, "caller", "heard", by=calls)
        ledger.count(c.BARGE_INS, *labels)
        ledger.observe(c.RESPONSE_LATENCY, latency_s, *labels)
        ledger.observe(c.TURN_STAGE, latency_s, "first_token", *labels)
        ledger.observe(c.PROVIDER_LATENCY, latency_s, "azure", "final_words", labels[2])
        ledger.gauge(c.AGENT_ACTIVE_CALLS, calls, *labels)
        ledger.count(c.TURNS, *labels, "caller", "failed")
        ledger.count(c.COST, "think", *labels[:2], by=0.25)
    ledger.count(c.ERRORS, "streams_lost", by=4)
    ledger.count(c.PROVIDER_ERRORS, "openai", "busy", by=2)
    ledger.count(c.PROTOCOL_ERRORS, "media_streams")
    summary = summarise(merged(ledger))
    assert summary["calls"]["answered"] == 3
    assert summary["turns"]["by_outcome"] == {"failed": 2, "heard": 3}
    assert summary["latency_s"]["response"]["count"] == 2
    assert summary["latency_s"]["stages"]["first_token"]["max"] == 1.5
    assert summary["languages"]["zh-HK"]["response_latency_s"]["p50"] == pytest.approx(
        1.5, rel=0.01
    )
    hong_kong = summary["languages"]["zh-HK"]
    assert (hong_kong["calls"], hong_kong["turns"], hong_kong["turns_failed"]) == (1, 2, 1)
    assert hong_kong["provider_latency_s"]["azure/final_words"]["count"] == 1
    assert hong_kong["stages_s"]["first_token"]["max"] == 1.5
    ann = summary["agents"][0]
    assert (ann["active_calls"], ann["turns_failed"]) == (2, 1)
    assert ann["stages_s"]["first_token"]["max"] == 0.5
    assert (ann["agent_id"], ann["calls"], ann["barge_ins"], ann["cost_usd"]) == ("ann", 2, 1, 0.25)
    assert summary["errors"] == {"streams_lost": 4, "provider": 2, "protocol": 1}
    assert summary["providers"]["errors"] == {"openai/busy": 2}
    assert summary["cost_usd"] == {"total": 0.5, "think": 0.5, "unpriced_units": {}}
