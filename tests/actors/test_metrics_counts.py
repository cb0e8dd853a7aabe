from __future__ import annotations

from actors.metrics_counts import EventCounts
from actors.metrics_process import ProcessMeter
from telemetry import catalog as c
from telemetry.ledger import MetricsLedger
from telemetry.merged import MergedMetrics
from tests.support.virtual_time import run


def merged(ledger: MetricsLedger) -> MergedMetrics:
    result = MergedMetrics()
    result.merge(ledger.snapshot())
    return result


def test_each_name_is_counted_for_people_and_for_the_metrics() -> None:
    ledger = MetricsLedger("a", 1)
    counts = EventCounts(ledger)
    for name in ("calls_admitted", "calls_refused_draining", "streams_lost", "protocol_warnings"):
        counts(name, 1)
        counts(name)
    assert counts.by_name == {
        "calls_admitted": 2,
        "calls_refused_draining": 2,
        "streams_lost": 2,
        "protocol_warnings": 2,
    }
    assert merged(ledger).counters() == {
        (c.EVENTS.name, ("calls_admitted",)): 2,
        (c.CALLS_REFUSED.name, ("draining",)): 2,
        (c.ERRORS.name, ("streams_lost",)): 2,
        (c.PROTOCOL_ERRORS.name, ("media_streams",)): 2,
    }


def test_a_process_measures_itself_and_the_worst_lag_of_each_second() -> None:
    ledger = MetricsLedger("a", 1)
    process = ProcessMeter(ledger, "ingress")
    for lag_s in (0.01, 0.5, 0.02):
        process.note_lag(lag_s)
    process.sample(active_calls=3, capacity=25)
    process.sample(active_calls=4, capacity=25)
    gauges, kind = merged(ledger).gauges(), ("ingress",)
    assert gauges[c.ACTIVE_CALLS.name, kind] == 4
    assert gauges[c.CAPACITY.name, kind] == 25
    assert gauges[c.PROCESSES.name, kind] == 1
    assert gauges[c.MEMORY.name, kind] > 1_000_000
    lag = merged(ledger).sketches()[c.LOOP_LAG.name, kind]
    assert (lag.count, lag.maximum, lag.minimum) == (2, 0.5, 0.0)


def test_a_loop_that_nobody_else_watches_is_watched() -> None:
    async def scene() -> None:
        import asyncio

        ledger = MetricsLedger("a", 1)
        process = ProcessMeter(ledger, "call_actor")
        process.start()
        process.start()
        await asyncio.sleep(0.35)
        await process.aclose()
        await process.aclose()
        process.sample(active_calls=0, capacity=1)
        assert merged(ledger).gauges()[c.TASKS.name, ("call_actor",)] == len(asyncio.all_tasks())
        assert merged(ledger).sketches()[c.LOOP_LAG.name, ("call_actor",)].maximum < 1e-6

    run(scene())
