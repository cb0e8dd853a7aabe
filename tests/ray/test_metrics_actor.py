"""The metrics of the whole cluster: the same from every replica, over a lost MetricsActor."""

from __future__ import annotations

import asyncio
import os
import signal
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any

import psutil
import pytest

from actors.metrics_actor import RayMetricsLink, begin_metrics
from actors.metrics_reporter import MetricsReporter
from actors.placement import METRICS_NAME, NAMESPACE
from cluster import ports
from telemetry import catalog as c
from telemetry.ledger import MetricsLedger
from tests.support.ray_phone import note, telephones
from tests.support.ray_stage import ACTORS, CALLS_PER_ACTOR, REPLICAS, Stage, get_json

pytestmark = pytest.mark.ray

WITHIN_S = 20.0
PROCESSES = ("ingress-x", "ingress-y", "ingress-z", "call-actor-x", "call-actor-y")


def replica_ports() -> list[int]:
    """Where each ingress replica listens, behind HAProxy."""
    found = []
    for process in psutil.Process().children(recursive=True):
        if "ServeReplica" in " ".join(process.cmdline()):
            for connection in process.net_connections("tcp"):
                port = ports.port_of(connection)
                if connection.status == psutil.CONN_LISTEN and 30_000 <= port < 32_000:
                    found.append(port)
    return sorted(set(found))


def summary(port: int) -> dict[str, Any]:
    return get_json(f"http://127.0.0.1:{port}/metrics?format=json")[1]


async def until(condition: Callable[[], Awaitable[Any]]) -> Any:
    """The first true value; fails after ``WITHIN_S``."""
    async with asyncio.timeout(WITHIN_S):
        while not (value := await condition()):
            await asyncio.sleep(0.1)
    return value


async def settled(stage: Stage, answered: int) -> dict[str, Any]:
    """The summary once it shows so many answered calls and none going on."""

    async def shown() -> dict[str, Any] | None:
        found = await asyncio.to_thread(summary, stage.settings.port)
        is_there = found["calls"]["answered"] == answered and not found["active_calls"]
        return found if is_there and sum(found["calls"]["ended"].values()) == answered else None

    found: dict[str, Any] = await until(shown)
    return found


async def kill_metrics_actor() -> tuple[int, int]:
    """End its process; returns the old process id and that of its successor."""
    import ray

    handle = ray.get_actor(METRICS_NAME, namespace=NAMESPACE)
    old = (await handle.status.remote())["pid"]
    os.kill(old, signal.SIGKILL)

    async def restarted() -> int:
        try:
            pid = int((await handle.status.remote())["pid"])
        except ray.exceptions.RayError:
            return 0
        return pid if pid != old else 0

    return old, await until(restarted)


def test_calls_are_measured_and_every_replica_says_the_same(stage: Stage) -> None:
    async def run() -> None:
        await stage.whole_again()
        before = await asyncio.to_thread(summary, stage.settings.port)
        calls = before["calls"]["answered"]
        async with telephones(stage) as phones:
            live = []
            for _ in range(3):
                live.append(phones.call("card001", "goforward"))
                await asyncio.sleep(0.25)

            async def all_up() -> dict[str, Any] | None:
                found = await asyncio.to_thread(summary, stage.settings.port)
                return found if found["active_calls"] == 3 else None

            busy = await until(all_up)
            results = [await call.result() for call in live]
        assert busy["max_concurrent_calls"] == ACTORS * CALLS_PER_ACTOR
        assert busy["utilization_percent"] == 50
        assert [turn.outcome for result in results for turn in result.turns] == ["answered"] * 6
        after = await settled(stage, calls + 3)
        note("latency", after["latency_s"]["response"])
        assert after["peak_concurrent_calls"] >= 3
        turns = after["turns"]["by_kind"]["caller"] - before["turns"]["by_kind"].get("caller", 0)
        assert turns == 6
        assert after["latency_s"]["response"]["count"] >= 6
        assert set(after["processes"]["count"]) == {"ingress", "call_actor"}
        assert after["processes"]["count"]["ingress"] == REPLICAS
        rows = stage.rows("select cost_usd, usage from calls where cost_usd > 0")
        cost = sum(usd for usd, _ in rows)
        assert after["cost_usd"]["total"] == pytest.approx(cost, abs=1e-4)
        found = replica_ports()
        assert len(found) == REPLICAS
        for port in found:

            async def the_same(port: int = port) -> bool:
                there = await asyncio.to_thread(summary, port)
                return all(there[part] == after[part] for part in ("calls", "turns", "cost_usd"))

            await until(the_same)

    asyncio.run(run())


def test_a_lost_metrics_actor_comes_back_with_all_that_the_living_have_counted(
    stage: Stage,
) -> None:
    async def run() -> None:
        await stage.whole_again()
        before = await asyncio.to_thread(summary, stage.settings.port)
        old, new = await kill_metrics_actor()
        assert new != old
        async with telephones(stage) as phones:
            result = await phones.call("card001").result()
        assert [turn.outcome for turn in result.turns] == ["answered"], "no call notices"
        after = await settled(stage, before["calls"]["answered"] + 1)
        assert after["peak_concurrent_calls"] >= before["peak_concurrent_calls"]
        assert after["processes"]["count"] == before["processes"]["count"]

    asyncio.run(run())


def test_five_processes_add_up_exactly_over_a_restart(stage: Stage) -> None:
    """As the unit test does with a bad line; here the line and the actor are real."""

    async def run() -> None:
        ledgers = [MetricsLedger(name, 1) for name in PROCESSES]
        reporters = [
            MetricsReporter(
                ledger,
                RayMetricsLink(),
                lambda: None,
                wants_view=False,
                incarnation=lambda: 2,
                jitter=lambda: 0.1,
            )
            for ledger in ledgers
        ]
        labels = ("exact", "ann", "en-US", "caller", "heard")
        for reporter in reporters:
            reporter.start()
        for step in range(60):
            for number, ledger in enumerate(ledgers):
                ledger.count(c.TURNS, *labels, by=number + 1)
                ledger.observe(c.RESPONSE_LATENCY, 0.1 * (number + 1), *labels[:3])
            if step == 30:
                await kill_metrics_actor()
            await asyncio.sleep(0.05)
        for reporter in reporters:
            await reporter.aclose()

        async def shown() -> bool:
            found = await asyncio.to_thread(summary, stage.settings.port)
            turns = [a["turns"] for a in found["agents"] if a["tenant_id"] == "exact"]
            return turns == [] and found["turns"]["by_outcome"].get("heard", 0) >= 60 * 15

        await until(shown)
        text = await asyncio.to_thread(exposition, stage.settings.port)
        line = 'callcluster_turns_total{tenant_id="exact",agent_id="ann",language="en-US",'
        assert f'{line}kind="caller",outcome="heard"}} {60 * 15}' in text
        name = "callcluster_response_latency_seconds_count"
        assert f'{name}{{tenant_id="exact",agent_id="ann",language="en-US"}} {60 * 5}' in text

    asyncio.run(run())


def exposition(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def test_rays_own_prometheus_endpoint_shows_them_once(stage: Stage) -> None:
    """The MetricsActor was killed twice by now, and Ray still shows its former processes."""
    import ray

    (node,) = [node for node in ray.nodes() if node["Alive"]]
    port = node["MetricsExportPort"]
    answered = summary(stage.settings.port)["calls"]["answered"]
    assert answered

    async def shown() -> dict[str, list[float]] | None:
        found: dict[str, list[float]] = {}
        for line in (await asyncio.to_thread(exposition, port)).splitlines():
            if line.startswith("ray_callcluster_"):
                name = line.split("{", 1)[0]
                found.setdefault(name, []).append(float(line.rsplit(" ", 1)[1]))
        return found if "ray_callcluster_calls_total" in found else None

    async def run() -> dict[str, list[float]]:
        found: dict[str, list[float]] = await until(shown)
        return found

    found = asyncio.run(run())
    note("Ray shows", len(found), "metrics of ours; calls", found["ray_callcluster_calls_total"])
    assert 1 <= sum(found["ray_callcluster_calls_total"]) <= answered
    assert "ray_callcluster_response_latency_seconds" in found
    assert "ray_callcluster_response_latency_seconds_count_total" in found
    assert "ray_callcluster_capacity_calls" in found


def test_whoever_needs_it_finds_the_same_one(stage: Stage) -> None:
    import ray

    async def run() -> None:
        begun = await begin_metrics().status.remote()
        named = ray.get_actor(METRICS_NAME, namespace=NAMESPACE)
        assert begun["pid"] == (await named.status.remote())["pid"]

    asyncio.run(run())
