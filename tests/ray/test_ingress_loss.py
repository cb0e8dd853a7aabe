"""The replica with the socket dies: the carrier comes back to ``action`` and the call goes on."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from cluster.resume_routes import LOST
from tests.support.ray_phone import note, telephones
from tests.support.ray_stage import GREETING, Stage
from tests.support.ray_wire import Line
from voice.words import normalise

pytestmark = pytest.mark.ray


def test_a_killed_replica_costs_a_short_gap_and_no_second_greeting(stage: Stage) -> None:
    async def run() -> None:
        await stage.whole_again()
        async with telephones(stage) as phones:
            call = phones.call("card001", "goforward")
            await call.caller_said(2)  # one turn is settled, the next one has begun
            os.kill(await asyncio.to_thread(stage.replica_with_calls), signal.SIGKILL)
            result = await call.result()
            note("gap", result.leg.stream_gaps_s, [turn.latency_s for turn in result.turns])
            assert result.leg.streams == 2
            assert result.turns[0].outcome == "answered"
            await stage.until_recorded(result.leg.call_sid)
            turns = stage.turns(result.leg.call_sid)
            assert [turn.turn_id for turn in turns] == list(range(len(turns)))
            assert [turn.heard_text for turn in turns].count(GREETING) == 1
            assert normalise(turns[1].caller_text) == normalise("Ten of clubs.")
        await asyncio.to_thread(stage.counters)  # every replica is there again

    asyncio.run(run())


def test_after_a_planned_end_the_carrier_is_told_to_hang_up(stage: Stage) -> None:
    async def run() -> None:
        async with telephones(stage) as phones, Line(stage) as line:
            call = phones.call()
            sid = (await call.result()).leg.call_sid
            await stage.until_recorded(sid)
            # Known to its actor, and known to the store only.
            for actor in (*stage.actor_names(), "call-actor-that-is-gone"):
                answer = await line.resume(sid, actor=actor, resume=0)
                assert "<Hangup" in answer
                assert "<Stream" not in answer

    asyncio.run(run())


def test_resumes_are_bounded(stage: Stage) -> None:
    async def run() -> None:
        async with Line(stage) as line:
            actor = stage.actor_names()[0]
            most = stage.settings.max_resumes
            assert "<Stream" in await line.resume("CA" + "1" * 32, actor=actor, resume=most - 1)
            answer = await line.resume("CA" + "1" * 32, actor=actor, resume=most)
            assert LOST in answer
            assert "<Stream" not in answer

    asyncio.run(run())
