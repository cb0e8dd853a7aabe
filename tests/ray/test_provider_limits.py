"""A key has one limit for all processes; a call beyond it is refused before it is answered."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from cluster.voice_routes import BUSY
from tests.support.limit_hog import LimitHog
from tests.support.ray_phone import telephones
from tests.support.ray_stage import STREAMS, Stage

pytestmark = pytest.mark.cluster


def hog() -> Any:
    import ray

    actor_class: Any = ray.remote(LimitHog)
    return actor_class.options(num_cpus=0).remote(f"hog-{uuid.uuid4().hex[:8]}", STREAMS)


def test_a_limit_that_another_process_uses_up_closes_the_door_until_it_lets_go(
    stage: Stage,
) -> None:
    import ray

    async def until_all_say(is_full: bool) -> None:
        async with asyncio.timeout(30):
            while True:
                reports = await asyncio.to_thread(stage.replicas)
                used = [r["provider_limits"]["recognise.azure"] for r in reports]
                if used and all((one["cluster_used_ratio"] >= 1.0) == is_full for one in used):
                    return
                await asyncio.sleep(0.2)

    async def run() -> None:
        await stage.whole_again()
        greedy = hog()
        async with telephones(stage) as phones:
            try:
                assert await greedy.use.remote(0) < 0.5
                call = phones.call("card001", "goforward")
                await greedy.until_used.remote(1)  # a stream of the product's, seen over here
                assert [turn.outcome for turn in (await call.result()).turns] == ["answered"] * 2
                assert await greedy.use.remote(STREAMS) >= 1.0
                await until_all_say(True)
                refused = await phones.call("card001").result()
                assert refused.leg.said == [BUSY]
                assert sum(c["calls_refused_providers_full"] for c in stage.counters().values()) > 0
            finally:
                ray.kill(greedy)
            await until_all_say(False)  # its lease runs out
            again = await phones.call("card001").result()
            assert [turn.outcome for turn in again.turns] == ["answered"]

    asyncio.run(run())
