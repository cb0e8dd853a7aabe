"""What the other shared actors have to do in a big cluster: their own code, measured here.

Health: how long it takes until everybody knows of a failure that one process saw. Metrics: how long
a report takes, how much is kept of each process. Cache: how often copies ask. All of them ask to be
told less often when there are many, so the load of each is bounded; what grows instead is said.
"""

from __future__ import annotations

import asyncio
import time
import tracemalloc

from actors import cache_driver, metrics_driver, provider_health_driver
from actors.metrics_driver import MetricsDriver
from actors.provider_health_driver import HealthDriver
from benchmarks.metrics_cost import ledger_of
from benchmarks.scale_simulation.shape import RAY_MESSAGE_S, Shape
from providers.health.local import LocalHealth
from providers.health.policy import HealthPolicy
from providers.health.reports import Report
from providers.health.signals import Sign, Signal
from providers.health.unit import Unit

_UNIT = Unit("acme", "llm.ttft").key
_MOST_LEDGERS = 40
_AGENTS = 3


def health(shape: Shape) -> dict[str, float]:
    """Polls a second, and until the last process knows what one saw."""
    own_s = asyncio.run(_everybody_told(shape.processes))
    messages = min(shape.processes / provider_health_driver.POLL_S, _limit())
    reports = min(shape.processes / provider_health_driver.CALM_S, 2 * _limit())
    return {
        "messages_per_s": messages + reports,
        "core_percent": 100 * (messages + reports) * RAY_MESSAGE_S,
        "known_everywhere_ms": 1e3 * (own_s + shape.processes * RAY_MESSAGE_S),
        "poll_every_s": max(provider_health_driver.POLL_S, shape.processes / _limit()),
    }


def _limit() -> float:
    return provider_health_driver.CALLS_A_SECOND


async def _everybody_told(processes: int) -> float:
    driver = HealthDriver(time.monotonic, 1, lambda: 0.0, probes_idle=False)
    local = LocalHealth("worker-0", lambda: 0.0)
    now = time.monotonic()
    polls = [
        asyncio.create_task(
            driver.watch(
                {
                    "v": 1,
                    "reporter": f"worker-{number}",
                    "seen": list(driver.board.stamp),
                    "can_probe": [_UNIT],
                }
            )
        )
        for number in range(processes)
    ]
    await asyncio.sleep(0)
    for _ in range(HealthPolicy().run_opens):
        local.saw(_UNIT, Signal(Sign.UNAVAILABLE), now=now)
    report = local.report(now=now) or Report("worker-0")
    began_s = time.perf_counter()
    await driver.report(report.to_plain())
    answers = await asyncio.gather(*polls)
    took_s = time.perf_counter() - began_s
    if not all(answer["board"]["units"] for answer in answers):
        raise RuntimeError("somebody was not told")
    return took_s


def metrics(shape: Shape) -> dict[str, float]:
    """A MetricsActor that hears all processes; measured with some, times how many there are."""
    driver = MetricsDriver(1)
    count = min(_MOST_LEDGERS, shape.processes)
    reports = []
    for number in range(count):
        ledger = ledger_of(_AGENTS)
        ledger.source = f"process-{number}"
        reports.append({"v": 1, "snapshot": ledger.snapshot(), "view": -1})
    tracemalloc.start()
    for report in reports:
        driver.report(report, now=0.0)
    kept_bytes = tracemalloc.get_traced_memory()[0] / count
    tracemalloc.stop()
    began_s = time.perf_counter()
    for report in reports:
        driver.report(report, now=1.0)
    own_s = (time.perf_counter() - began_s) / count
    per_s = min(
        shape.processes / metrics_driver.REPORT_EVERY_S, float(metrics_driver.REPORTS_A_SECOND)
    )
    return {
        "messages_per_s": per_s,
        "core_percent": 100 * per_s * (own_s + RAY_MESSAGE_S),
        "report_every_s": shape.processes / per_s,
        "memory_mb": kept_bytes * shape.processes / 1e6,
    }


def cache(shape: Shape) -> dict[str, float]:
    """The owner of the response cache and the copies in all CallActors."""
    per_s = min(shape.actors / cache_driver.POLL_S, float(cache_driver.CALLS_A_SECOND))
    snapshot_mb = 10_000 * (384 * 4 + 600) / 1e6  # entries of 384 numbers and their texts
    return {
        "messages_per_s": per_s,
        "core_percent": 100 * per_s * RAY_MESSAGE_S,
        "poll_every_s": shape.actors / per_s,
        "all_copies_start_gb": snapshot_mb * shape.actors / 1e3,
    }
