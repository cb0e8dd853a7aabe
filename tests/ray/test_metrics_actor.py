"""The metrics of the whole cluster: the same from every replica, over a lost MetricsActor."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from actors.metrics_actor import begin_metrics
from actors.placement import METRICS_NAME, NAMESPACE
from cluster import ports
from tests.support.ray_phone import note, telephones
from tests.support.ray_stage import ACTORS, CALLS_PER_ACTOR, REPLICAS, Stage, get_json

pytestmark = pytest.mark.ray

WITHIN_S = 20.0
RAY_SHOWS_WITHIN_S = 90.0  # after a restart it shows nothing for a while, then every 10 s
# What does not change while nobody calls, and is in both.
ADDED_UP = (
    "callcluster_calls_total",
    "callcluster_turns_total",
    "callcluster_cost_usd_total",
    "callcluster_provider_units_total",
    "callcluster_response_latency_seconds_sum",
    "callcluster_response_latency_seconds_count",
    "callcluster_turn_stage_seconds",
    "callcluster_capacity_calls",
    "callcluster_processes",
)


def replica_ports() -> list[int]:
    """Where each ingress replica listens, behind HAProxy."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # one that was killed is a zombie for a moment
            if "ServeReplica" in " ".join(process.cmdline()):
                for connection in process.net_connections("tcp"):
                    port = ports.port_of(connection)
                    if connection.status == psutil.CONN_LISTEN and 30_000 <= port < 32_000:
                        found.append(port)
    return sorted(set(found))


def summary(port: int) -> dict[str, Any]:
    return get_json(f"http://127.0.0.1:{port}/metrics?format=json")[1]


async def until(condition: Callable[[], Awaitable[Any]], within_s: float = WITHIN_S) -> Any:
    """The first true value; fails after ``within_s``."""
    async with asyncio.timeout(within_s):
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
                # Ingresses tell the first, CallActors the second: each in its own time.
                by_agent = {one["agent_id"]: one["active_calls"] for one in found["agents"]}
                told = (found["active_calls"], by_agent.get("reception"))
                return found if told == (3, 3) else None

            busy = await until(all_up)
            results = [await call.result() for call in live]
        assert busy["max_concurrent_calls"] == ACTORS * CALLS_PER_ACTOR
        assert busy["utilization_percent"] == 50
        (agent,) = [agent for agent in busy["agents"] if agent["agent_id"] == "reception"]
        assert agent["active_calls"] == busy["languages"]["en-US"]["active_calls"] == 3
        assert [turn.outcome for result in results for turn in result.turns] == ["answered"] * 6
        after = await settled(stage, calls + 3)
        note("latency", after["latency_s"]["response"])
        assert after["peak_concurrent_calls"] >= 3
        turns = after["turns"]["by_kind"]["caller"] - before["turns"]["by_kind"].get("caller", 0)
        assert turns == 6
        assert after["latency_s"]["response"]["count"] >= 6
        for stage_name in ("committed", "first_token", "speak_first_byte", "first_frame_out"):
            assert after["latency_s"]["stages"][stage_name]["count"] >= 6
        works = {key.partition("/")[2] for key in after["providers"]["latency_s"]}
        assert works >= {"open", "final_words", "first_token", "first_audio"}
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


def exposition(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return str(answer.read().decode())


def test_rays_own_prometheus_endpoint_shows_each_of_them_once(stage: Stage) -> None:
    """The MetricsActor was killed by now; Ray's agent must not add its former process to it."""
    import ray

    (node,) = [node for node in ray.nodes() if node["Alive"]]
    port = node["MetricsExportPort"]

    def shown() -> Counter[str]:
        """The sum of each of our metrics over everything that Ray's agent shows of it."""
        sums: Counter[str] = Counter()
        for family in text_string_to_metric_families(exposition(port)):
            for sample in family.samples:
                if sample.name.startswith("ray_callcluster_"):
                    sums[sample.name.removeprefix("ray_")] += sample.value
        return sums

    def served() -> Counter[str]:
        """The same of what a replica serves."""
        sums: Counter[str] = Counter()
        for family in text_string_to_metric_families(exposition(stage.settings.port)):
            for sample in family.samples:
                sums[sample.name] += sample.value
        return sums

    async def the_same() -> Counter[str] | None:
        ours, rays = await asyncio.to_thread(served), await asyncio.to_thread(shown)
        names = {name for name in ours if name.startswith(ADDED_UP)}
        assert len(names) >= len(ADDED_UP)
        return rays if all(rays[name] == pytest.approx(ours[name]) for name in names) else None

    async def run() -> Counter[str]:
        found: Counter[str] = await until(the_same, RAY_SHOWS_WITHIN_S)
        return found

    found = asyncio.run(run())
    note("Ray shows", len(found), "metrics of ours; calls", found["callcluster_calls_total"])
    assert found["callcluster_calls_total"] >= 4
    assert found["callcluster_response_latency_seconds_count"] >= 4


def test_whoever_needs_it_finds_the_same_one(stage: Stage) -> None:
    import ray

    async def run() -> None:
        begun = await begin_metrics().status.remote()
        named = ray.get_actor(METRICS_NAME, namespace=NAMESPACE)
        assert begun["pid"] == (await named.status.remote())["pid"]

    asyncio.run(run())
