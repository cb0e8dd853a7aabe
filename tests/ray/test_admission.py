"""More calls than the cluster can carry: the last are refused politely, the others do not notice.

The stage carries six calls: two CallActors of three.
"""

from __future__ import annotations

import asyncio

import pytest

from cluster.voice_routes import BUSY
from simulation.caller_call import CallResult
from tests.support.ray_phone import note, telephones
from tests.support.ray_stage import ACTORS, CALLS_PER_ACTOR, Stage

pytestmark = pytest.mark.ray

CAPACITY = ACTORS * CALLS_PER_ACTOR
CALLS = CAPACITY + 3


def was_refused(result: CallResult) -> bool:
    return result.leg.said == [BUSY]


async def many_calls(stage: Stage, *clips: str) -> list[CallResult]:
    async with telephones(stage) as phones:
        calls = []
        for _ in range(CALLS):
            calls.append(phones.call(*clips))
            await asyncio.sleep(0.25)
        return [await call.result() for call in calls]


def test_calls_beyond_capacity_hear_a_refusal_and_the_others_their_answers(stage: Stage) -> None:
    async def run() -> None:
        await stage.whole_again()
        # The slots of the first round come back for the second.
        for clips in (("card001", "goforward"), ("card001",)):
            results = await many_calls(stage, *clips)
            carried = [result for result in results if not was_refused(result)]
            note("carried", len(carried), "of", CALLS)
            assert len(carried) == CAPACITY
            for result in results:
                assert result.leg.status == "completed"
                assert not result.leg.errors.counts
            for result in carried:
                assert [turn.outcome for turn in result.turns] == ["answered"] * len(clips)
            await until_idle(stage)

    asyncio.run(run())


async def until_idle(stage: Stage) -> None:
    async with asyncio.timeout(15):
        while stage.readiness()["cluster_active_calls"]:
            await asyncio.sleep(0.1)
