"""The shared cache on Ray: two processes, an owner that is killed, a file that brings it back."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.cache_replica_driver import CacheReplicaDriver
from actors.placement import CACHE_NAME, NAMESPACE
from actors.semantic_cache_actor import RayCacheLink, begin_semantic_cache
from cache.entry import Answer
from cache.errors import ImportInvalid
from cache.local_encoder import TurnEncoder
from cache.lookup import ask
from cache.outcomes import Hit
from cache.scope import Scope, caller_mark
from cluster.response_cache import CACHE_DRIVER
from cluster.response_cache_desk import RayDesk
from cluster.settings import Settings
from tests.support.ray_stage import Stage

pytestmark = pytest.mark.ray

SCOPE = Scope("shop", "anna", "3", "9", "faq", "en-US", "answer")
HOURS = Answer("hours", "From nine to five.")
OPEN = "what time do you open"


@pytest.fixture
def settings(stage: Stage, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """An actor with a folder of its own; the stage's calls do without a cache."""
    import ray

    made = Settings(mode="development", cache_dir=tmp_path, cache_model="no-such-model")
    yield made.to_plain()
    ray.kill(ray.get_actor(CACHE_NAME, namespace=NAMESPACE))


async def until(is_true: Any, within_s: float = 30.0) -> None:
    async with asyncio.timeout(within_s):
        while not await is_true():
            await asyncio.sleep(0.05)


async def told(question: Any) -> dict[str, Any]:
    """What the owner says, however often it has to be asked while it starts again."""
    import ray

    async with asyncio.timeout(30.0):
        while True:
            try:
                answer: dict[str, Any] = await question()
                return answer
            except ray.exceptions.RayError:
                await asyncio.sleep(0.1)


async def is_answered(process: CacheReplicaDriver) -> bool:
    return isinstance(await process.answers.lookup(ask(OPEN, SCOPE)), Hit)


def test_a_killed_owner_changes_nothing_and_comes_back_with_its_file(
    settings: dict[str, Any],
) -> None:
    async def run() -> None:
        link = RayCacheLink(CACHE_DRIVER, settings)
        one, two = (
            CacheReplicaDriver(uuid.uuid4().hex, TurnEncoder(None), link, time.time)
            for _ in range(2)
        )
        one.start()
        for caller in ("ann", "ben"):
            mark = caller_mark("shop", caller)
            one.answers.learned(ask(OPEN, SCOPE), None, HOURS, caller=mark)
        await until(lambda: is_answered(one))
        owner = begin_semantic_cache(CACHE_DRIVER, settings)

        async def is_saved() -> bool:
            return bool((await told(owner.summary.remote))["is_saved"])

        await until(is_saved)
        await one.aclose()  # nobody has a copy: what comes back is what the file says
        os.kill((await told(owner.summary.remote))["pid"], signal.SIGKILL)
        two.start()
        await until(lambda: is_answered(two))
        os.kill((await told(owner.summary.remote))["pid"], signal.SIGKILL)
        for _ in range(20):
            assert await is_answered(two), "its copy answers while nobody is there"
            await asyncio.sleep(0.05)
        chosen = {"selection": {"text": "nine"}}
        rows = (await told(lambda: owner.look.remote(chosen)))["rows"]
        assert [row["answer"] for row in rows] == [HOURS.text]
        assert (await told(lambda: owner.remove.remote(chosen)))["removed"] == 1

        async def is_gone() -> bool:
            return not await is_answered(two)

        await until(is_gone)
        await two.aclose()

    asyncio.run(run())


def test_people_ask_it_and_are_told_what_is_wrong(settings: dict[str, Any]) -> None:
    async def run() -> None:
        desk = RayDesk(begin_semantic_cache(CACHE_DRIVER, settings))
        card = {"question": "Do you have parking?", "answer": "Behind the house.", "source": "f:1"}
        scope = {"tenant_id": "shop", "agent_id": "anna", "language": "en-US"}
        brought = await desk.bring({"scope": scope, "is_trusted": True, "cards": [card, {}]})
        assert (brought["kept"], brought["refused"]) == (1, {"no_question": 1})
        (row,) = (await desk.look({"selection": {"tenant_id": "shop"}}))["rows"]
        assert (row["answer"], row["source"], row["status"]) == (card["answer"], "f:1", "alive")
        with pytest.raises(ImportInvalid, match="say which entries"):
            await desk.remove({"selection": {}})
        assert (await desk.remove({"selection": {}, "is_all": True}))["removed"] == 1
        assert (await desk.summary())["entries"] == 0

    asyncio.run(run())
