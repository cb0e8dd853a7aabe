"""What the other shared actors have to do in a big cluster: their own code, measured here.

Health: how long it takes until everybody knows of a failure that one process saw. Metrics: how long
a report takes, how much is kept of each process. Cache: how often copies ask. All of them ask to be
told less often when there are many, so the load of each is bounded; what grows instead is said.
"""

from __future__ import annotations

import asyncio
import math
import time
import tracemalloc
from typing import Any

from actors import cache_polls, metrics_driver, provider_health_driver
from actors.metrics_driver import MetricsDriver
from actors.node_board_link import NodeBoardLink
from actors.node_room import NodeRoom
from actors.provider_health_driver import HealthDriver
from benchmarks.metrics_cost import ledger_of
from benchmarks.scale_simulation.shape import RAY_MESSAGE_S, RAY_WAY_S, Shape
from providers.health.board import Board, Entry
from providers.health.local import LocalHealth
from providers.health.policy import HealthPolicy
from providers.health.reports import Report
from providers.health.signals import Sign, Signal
from providers.health.unit import Unit

_UNIT = Unit("acme", "llm.ttft").key
_MOST_LEDGERS = 40
_AGENTS = 3


def health(shape: Shape) -> dict[str, float]:
    """Polls a second, and until the last process knows what one saw.

    One process a machine polls and hands on what it hears (``actors.node_board_link``).
    """
    on_a_node = math.ceil(shape.processes / shape.nodes)
    own_s = asyncio.run(_everybody_told(shape.nodes, on_a_node))
    alone_s = asyncio.run(_everybody_told(shape.processes, 1))
    hand_on_s = asyncio.run(_handed_on(on_a_node))
    messages = min(shape.nodes / provider_health_driver.POLL_S, _limit())
    reports = min(shape.processes / provider_health_driver.CALM_S, 2 * _limit())
    known_s = own_s + shape.nodes * RAY_MESSAGE_S + RAY_WAY_S + hand_on_s
    return {
        "messages_per_s": messages + reports,
        "core_percent": 100 * (messages + reports) * RAY_MESSAGE_S,
        "handed_on_in_a_machine_ms": 1e3 * hand_on_s,
        "known_everywhere_ms": 1e3 * known_s,
        "without_listeners_ms": 1e3 * (alone_s + shape.processes * RAY_MESSAGE_S),
        "poll_every_s": max(provider_health_driver.POLL_S, shape.nodes / _limit()),
    }


def _limit() -> float:
    return provider_health_driver.CALLS_A_SECOND


async def _everybody_told(polls: int, on_a_node: int) -> float:
    """What the keeper works from a report to the last answer, s."""
    driver = HealthDriver(time.monotonic, 1, lambda: 0.0, probes_idle=False)
    local = LocalHealth("worker-0", lambda: 0.0)
    now = time.monotonic()
    asked = [
        asyncio.create_task(
            driver.watch(
                {
                    "v": 1,
                    "reporter": f"worker-{number}",
                    "seen": list(driver.board.stamp),
                    "can_probe": [_UNIT],
                    "also": {f"worker-{number}-{n}": [_UNIT] for n in range(1, on_a_node)},
                }
            )
        )
        for number in range(polls)
    ]
    await asyncio.sleep(0)
    for _ in range(HealthPolicy().run_opens):
        local.saw(_UNIT, Signal(Sign.UNAVAILABLE), now=now)
    report = local.report(now=now) or Report("worker-0")
    began_s = time.perf_counter()
    await driver.report(report.to_plain())
    answers = await asyncio.gather(*asked)
    took_s = time.perf_counter() - began_s
    if not all(answer["board"]["units"] for answer in answers):
        raise RuntimeError("somebody was not told")
    return took_s


class _Keeper:
    """A way to a keeper that answers when it is told to; the second poll never."""

    def __init__(self) -> None:
        self.news = asyncio.Event()

    async def report(self, plain: dict[str, Any]) -> None:
        raise NotImplementedError

    probed = report

    async def watch(self, plain: dict[str, Any]) -> dict[str, Any]:
        await self.news.wait()
        self.news.clear()
        board = Board((1, 2), {_UNIT: Entry((1, 2), "open", "down")}).to_plain()
        return {"v": 1, "board": board, "probes": [], "also": {}, "poll_s": 60.0, "calm_s": 0.5}


async def _handed_on(processes: int) -> float:
    """From the keeper's answer to the last of so many processes over real sockets, s.

    All of them are in this process, one after the other: on a machine they have its cores.
    """
    keeper = _Keeper()
    name = f"scale-{time.perf_counter_ns()}"
    room = NodeRoom(lambda: name)
    links = [NodeBoardLink(keeper, room) for _ in range(processes)]
    waiting = []
    for number, link in enumerate(links):
        poll = {"v": 1, "reporter": f"p{number}", "seen": [0, 0], "can_probe": [_UNIT]}
        waiting.append(asyncio.create_task(link.watch(poll)))
        await asyncio.sleep(0.02)  # who comes first listens
    began_s = time.perf_counter()
    keeper.news.set()
    answers = await asyncio.gather(*waiting)
    took_s = time.perf_counter() - began_s
    if not all(answer["board"]["units"] for answer in answers):
        raise RuntimeError("somebody was not told")
    for link in links:
        await link.aclose()
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
    per_s = min(shape.actors / cache_polls.POLL_S, float(cache_polls.CALLS_A_SECOND))
    snapshot_mb = 10_000 * (384 * 4 + 600) / 1e6  # entries of 384 numbers and their texts
    return {
        "messages_per_s": per_s,
        "core_percent": 100 * per_s * RAY_MESSAGE_S,
        "poll_every_s": shape.actors / per_s,
        "all_copies_start_gb": snapshot_mb * shape.actors / 1e3,
    }
