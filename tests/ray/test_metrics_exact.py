"""Three ingress replicas and two CallActors: what they counted is what ``/metrics`` serves.

Once with the product itself, against the call store and the replicas' own counters; once with five
processes that know what they counted, whose reports are lost, doubled and late. In both a CallActor
dies, and after it the MetricsActor, which then has nobody to ask what the dead have counted.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from actors.metrics_estate import SETTLE_S
from tests.ray.test_metrics_actor import (
    exposition,
    kill_metrics_actor,
    replica_ports,
    settled,
    summary,
    until,
)
from tests.support.counting_process import CountingProcess
from tests.support.ray_phone import note, telephones
from tests.support.ray_stage import REPLICAS, Stage

pytestmark = pytest.mark.cluster

SIDES = {"ingress-x": 1, "ingress-y": 2, "ingress-z": 3, "call-actor-x": 4, "call-actor-y": 5}
PASSED_ON_S = SETTLE_S + 6  # a silent process is in every replica's copy by then


class Never:
    """Looks at the turns that every replica shows, all the time: they never become fewer."""

    def __init__(self) -> None:
        self.looks = 0
        self.fell: list[str] = []
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        seen: dict[int, float] = {}
        while True:
            for port in await asyncio.to_thread(replica_ports):
                shown = await asyncio.to_thread(summary, port)
                turns = sum(shown["turns"]["by_outcome"].values())
                if turns < seen.get(port, 0):
                    self.fell.append(f"{port}: {seen[port]} -> {turns}")
                seen[port] = turns
                self.looks += 1
            await asyncio.sleep(0.2)

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        assert not self.fell, "a counter that falls is taken for a restart"
        assert self.looks > 10


def stored(stage: Stage) -> dict[str, Any]:
    """The same figures, from the records."""
    by_outcome = "select outcome, count(*) from turns group by outcome"
    ((calls, cost),) = stage.rows("select count(*), sum(cost_usd) from calls")
    return {"calls": calls, "cost": cost or 0.0, "turns": Counter(dict(stage.rows(by_outcome)))}


def shown(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "calls": found["calls"]["answered"],
        "cost": found["cost_usd"]["total"],
        "turns": Counter(found["turns"]["by_outcome"]),
    }


def test_the_product_measures_what_it_records(stage: Stage) -> None:
    async def call(*clips: str, times: int) -> None:
        async with telephones(stage) as phones:
            live = []
            for _ in range(times):
                live.append(phones.call(*clips))
                await asyncio.sleep(0.25)
            for one in live:
                assert not (await one.result()).leg.errors.counts

    async def run() -> None:
        names = await stage.whole_again()
        found = await asyncio.to_thread(summary, stage.settings.port)
        before, recorded_before = shown(found), stored(stage)
        events_before = Counter(found["events"])
        own_before = await asyncio.to_thread(stage.counters)
        never = Never()
        await call("card001", "goforward", times=6)
        found = await settled(stage, before["calls"] + 6)
        own = await asyncio.to_thread(stage.counters)
        streams = [own[pid]["streams_started"] - own_before[pid]["streams_started"] for pid in own]
        note("calls of each replica", streams)
        assert (len(streams), sum(streams)) == (REPLICAS, 6)
        events = Counter(found["events"])
        for name in ("streams_started", "calls_ended_planned"):
            grown = sum((own[pid] - own_before[pid])[name] for pid in own)
            assert events[name] - events_before[name] == grown == 6
        # A CallActor that has counted dies, and when nobody else knows what, the MetricsActor.
        victim = await stage.actor_status(names[0])
        os.kill(victim["pid"], signal.SIGKILL)
        await stage.whole_again(without=names[0])
        await asyncio.sleep(PASSED_ON_S)
        await kill_metrics_actor()
        await call("card001", times=3)
        after = shown(await settled(stage, before["calls"] + 9))
        recorded = stored(stage)
        await never.close()
        note("after two deaths", after)
        assert after["calls"] - before["calls"] == 9
        assert recorded["calls"] - recorded_before["calls"] == 9
        turns = recorded["turns"] - recorded_before["turns"]
        assert after["turns"] - before["turns"] == turns
        assert sum(turns.values()) == 6 * 3 + 3 * 2
        cost = recorded["cost"] - recorded_before["cost"]
        assert after["cost"] - before["cost"] == pytest.approx(cost, abs=2e-6)
        assert cost > 0

    asyncio.run(run())


def test_five_processes_over_bad_lines_add_up_exactly(stage: Stage) -> None:
    import ray

    make = ray.remote(CountingProcess)
    processes = {
        name: make.options(max_restarts=1, num_cpus=0).remote(name, seed)
        for name, seed in SIDES.items()
    }

    async def work(turns: int) -> dict[str, dict[str, Any]]:
        done = await asyncio.gather(*(p.work.remote(turns) for p in processes.values()))
        return dict(zip(processes, done, strict=True))

    async def run() -> None:
        truth: Counter[str] = Counter()
        fates: Counter[str] = Counter()
        told = await work(150)
        await kill_metrics_actor()
        told = await work(150)
        # One tells all, and dies without a word; its successor bears its name.
        dying = processes["call-actor-y"]
        await dying.tell_all.remote()
        await asyncio.sleep(3.0)
        truth.update(told["call-actor-y"]["truth"])
        fates.update(told["call-actor-y"]["fates"])
        os.kill(told["call-actor-y"]["pid"], signal.SIGKILL)

        async def reborn() -> bool:
            try:
                return bool((await dying.work.remote(0))["pid"])
            except ray.exceptions.RayError:
                return False

        await until(reborn)
        await work(100)
        await asyncio.sleep(PASSED_ON_S)
        await kill_metrics_actor()
        told = await work(100)
        assert sum(told["call-actor-y"]["truth"].values()) == 200, "it began anew"
        await asyncio.gather(*(p.tell_all.remote() for p in processes.values()))
        for one in told.values():
            truth.update(one["truth"])
            fates.update(one["fates"])
        note("reports", dict(fates), "turns", dict(truth))
        assert min(fates.values()) >= 5
        assert sum(truth.values()) == 5 * 500

        def lines() -> list[str]:
            labels = 'tenant_id="exact",agent_id="ann",language="en-US"'
            turns = "callcluster_turns_total"
            return [
                *(
                    f'{turns}{{{labels},kind="caller",outcome="{outcome}"}} {count}'
                    for outcome, count in truth.items()
                ),
                f"callcluster_response_latency_seconds_count{{{labels}}} 2500",
            ]

        found = await asyncio.to_thread(replica_ports)
        assert len(found) == REPLICAS
        for port in found:

            async def served(port: int = port) -> bool:
                text = await asyncio.to_thread(exposition, port)
                return all(line in text.splitlines() for line in lines())

            await until(served)

    try:
        asyncio.run(run())
    finally:
        for process in processes.values():
            ray.kill(process)
