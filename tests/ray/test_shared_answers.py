"""An answer of two calls is given to a third one from the cache, through the real actors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.placement import NAMESPACE, cache_name
from actors.semantic_cache_actor import find_semantic_cache
from actors.wire import CloseCall, OpenCall, TakeTurn, TurnEntry, TurnItem
from cache.shards import shard_of
from cluster.mind_plan import MIND_PARTS
from cluster.settings import Settings
from simulation.providers import RunningProviders
from tests.support.ray_stage import Stage

# Its calls have no ingress. It stands behind the tests that compare what ingresses and CallActors
# have counted (files run in the order of their names), and is not in one run with most of them.
pytestmark = pytest.mark.cluster

OWNERS = 2
TENANT, AGENT = "default", "cards"
ASKED, ANSWER = "What do you think of clubs?", "That is a very fine card, and I have noted it."
FILE = "language: en-US\nvoice: x\ngreeting: Good day.\nprompt: You play cards.\nspeaker: tone\n"


@pytest.fixture
def actor(stage: Stage, providers: RunningProviders, tmp_path: Path) -> Iterator[Any]:
    """A CallActor beside the stage, with a cache of its own that has two owners."""
    import ray

    from actors.call_actor import CallActor

    folder = tmp_path / "agents"
    folder.mkdir()
    (folder / f"{AGENT}.yaml").write_text(FILE, "utf-8")
    settings = Settings(
        mode="development",
        data_dir=tmp_path,
        agents_dir=folder,
        default_agent=AGENT,
        cache=True,
        cache_model="no-such-model",
        cache_owners=OWNERS,
        openai_api_key="emulated",
        openai_base_url=providers.openai_base_url,
    )
    made = (
        ray.remote(CallActor)
        .options(num_cpus=0, max_concurrency=100)
        .remote("cards", MIND_PARTS, settings.to_plain())
    )
    yield made
    ray.kill(made)
    for shard in range(OWNERS):
        ray.kill(ray.get_actor(cache_name(shard), namespace=NAMESPACE))


async def call(actor: Any, number: int) -> TurnItem:
    """One call of one caller, with one question; the end of its reply."""
    epoch = (0, time.time_ns() // 1_000)
    call_id = f"cached-{number}"
    opening = OpenCall(
        TENANT, AGENT, "", call_id, f"CA{number:032d}", epoch, caller=f"+1415555{number:04d}"
    )
    await actor.open_call.remote(opening.to_plain())
    question = TakeTurn(TENANT, call_id, epoch, 1, 1, "caller", ASKED)
    stream = actor.take_turn.options(num_returns="streaming")
    items = [
        TurnItem.from_plain(await reference)
        async for reference in stream.remote(question.to_plain())
    ]
    said = " ".join(item.text for item in items if item.type == "segment")
    assert said == ANSWER
    turn = TurnEntry(1, "caller", ASKED, said, said, outcome="heard", guess=1)
    closing = CloseCall(TENANT, call_id, epoch, True, reason="caller_hung_up", settled=(turn,))
    await actor.close_call.remote(closing.to_plain())
    return items[-1]


def test_what_two_callers_were_told_a_third_hears_from_the_cache(actor: Any) -> None:
    async def run() -> None:
        await actor.ready.remote()
        ends = [await call(actor, number) for number in range(2)]
        assert all(end.cache["outcome"] != "hit" and end.usage for end in ends)
        async with asyncio.timeout(20.0):
            number = 2
            while (end := await call(actor, number)).cache["outcome"] != "hit":
                number += 1
                await asyncio.sleep(0.2)
        assert end.cache["tier"] == "exact"
        assert end.usage == {}, "no model was asked"
        own = shard_of(TENANT, AGENT, OWNERS)
        held = [(await find_semantic_cache(shard).summary.remote()) for shard in range(OWNERS)]
        assert [part["entries"] for part in held] == [int(shard == own) for shard in range(OWNERS)]
        chosen = {"selection": {"entry_id": end.cache["entry_id"]}}
        (row,) = (await find_semantic_cache(own).look.remote(chosen))["rows"]
        assert (row["answer"], row["callers"]) == (ANSWER, 2)

    asyncio.run(run())
