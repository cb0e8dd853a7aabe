"""A provider that one process sees fail is left by all, over a keeper that is killed meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import time
import urllib.request
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from actors.placement import HEALTH_NAME, NAMESPACE
from providers.health.policy import HealthPolicy
from providers.health.unit import Unit, unit_of_key
from providers.settings import ScriptedConfig
from simulation.faults import Faults
from tests.support.health_witness import HealthWitness
from tests.support.ray_phone import note, telephones
from tests.support.ray_stage import Stage

pytestmark = pytest.mark.cluster

WITNESSES = 4
ROUNDS = 3  # each waits for probes to find that all is well again
BAD = ("open", "half_open")


@asynccontextmanager
async def witnesses() -> AsyncIterator[list[Any]]:
    """Processes that look at one unit, which nobody else does."""
    import ray

    unit = Unit("acme", "llm.ttft", region=uuid.uuid4().hex).key
    actor_class: Any = ray.remote(HealthWitness)
    found = [
        actor_class.options(num_cpus=0).remote(f"witness-{number}-{uuid.uuid4().hex[:8]}", unit)
        for number in range(WITNESSES)
    ]
    try:
        await asyncio.gather(*(witness.start.remote() for witness in found))
        yield found
    finally:
        for witness in found:
            ray.kill(witness)


async def seen_to_known(found: list[Any]) -> list[float]:
    """The first sees a failure; seconds until each of the others knows, and back to health."""
    first, *others = found
    waiting = [witness.when_it_is.remote(*BAD) for witness in others]
    await asyncio.sleep(0.2)  # so that they look already
    seen_at = await first.see_it_fail.remote()
    known_at = await asyncio.gather(*waiting)
    await first.mend.remote()
    await asyncio.gather(*(witness.when_it_is.remote("closed") for witness in found))
    return [at - seen_at for at in known_at]


async def kill_keeper() -> None:
    import ray

    handle = ray.get_actor(HEALTH_NAME, namespace=NAMESPACE)
    os.kill((await handle.status.remote())["pid"], signal.SIGKILL)


def test_seen_by_one_known_by_all(stage: Stage) -> None:
    async def run() -> None:
        async with witnesses() as found:
            late_s = [late for _ in range(ROUNDS) for late in await seen_to_known(found)]
        note(
            "seen anywhere -> known in another process, ms:",
            f"median {1_000 * statistics.median(late_s):.1f}, worst {1_000 * max(late_s):.1f}",
        )
        # That it is by news and not by the next poll is shown where no other work makes it late:
        # tests/actors/test_provider_health.py.
        assert len(late_s) == ROUNDS * (WITNESSES - 1)

    asyncio.run(run())


def test_a_killed_keeper_changes_nothing_and_its_successor_takes_over(stage: Stage) -> None:
    async def run() -> None:
        async with witnesses() as found:
            first, *others = found
            await first.see_it_fail.remote()
            await asyncio.gather(*(witness.when_it_is.remote(*BAD) for witness in others))
            await kill_keeper()
            for _ in range(20):
                states = await asyncio.gather(*(witness.state.remote() for witness in found))
                assert set(states) <= set(BAD), "nobody goes back to a provider that is down"
                await asyncio.sleep(0.1)
            await asyncio.gather(*(witness.mend.remote() for witness in found))
            await asyncio.gather(*(witness.when_it_is.remote("closed") for witness in found))

    asyncio.run(run())


async def board() -> dict[str, str]:
    """The keeper's verdicts on the language model that the stage's agent prefers."""
    import ray

    handle = ray.get_actor(HEALTH_NAME, namespace=NAMESPACE)
    units = (await handle.status.remote())["board"]["units"]
    found = {unit_of_key(key): entry[2] for key, entry in units.items()}
    return {unit.operation: state for unit, state in found.items() if unit.provider == "openai"}


def test_calls_go_on_while_the_language_model_is_down(stage: Stage) -> None:
    """Through the whole product: the chain of a CallActor, its reporter, the keeper, its probes."""
    (stood_in,) = ScriptedConfig().replies

    async def heard(phones: Any) -> list[str]:
        result = await phones.call("card001").result()
        assert [turn.outcome for turn in result.turns] == ["answered"]
        await stage.until_recorded(result.leg.call_sid)
        return [turn.heard_text for turn in stage.turns(result.leg.call_sid)[1:]]

    async def until_well() -> None:
        async with asyncio.timeout(60):
            while set((await board()).values()) & set(BAD):
                await asyncio.sleep(0.1)

    async def run() -> None:
        await stage.whole_again()
        async with telephones(stage) as phones:
            assert stood_in not in await heard(phones)
            stage.providers.board.set("openai", Faults(status=503))
            # Calls of one turn: each asks once at least while it is not left.
            for _ in range(HealthPolicy().run_opens):
                assert await heard(phones) == [stood_in]
            assert set((await board()).values()) & set(BAD)
            mended_at = time.monotonic()
            stage.providers.board.set("openai", Faults())
            await until_well()
            note("used again after", f"{time.monotonic() - mended_at:.1f} s")
            async with asyncio.timeout(60):
                while stood_in in await heard(phones):
                    await asyncio.sleep(0.5)  # new calls come back one by one
        url = f"{stage.premises.url}/metrics"
        with await asyncio.to_thread(urllib.request.urlopen, url, timeout=5) as answer:
            text = answer.read().decode()
        assert 'callcluster_provider_requests_total{provider="scripted",work="think",' in text

    asyncio.run(run())
