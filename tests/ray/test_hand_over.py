"""A caller is handed to a person who does not answer, while the call's mind is killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator

import pytest

from simulation.callee import Phones
from simulation.callee_book import Callee, CalleeBook
from simulation.caller_script import Leave, Listen, Speak, StaySilent, Step, prepare
from simulation.clip_library import load_library
from tests.support.ray_phone import note, telephones
from tests.support.ray_stage import COLLEAGUE, GREETING, Stage

pytestmark = pytest.mark.cluster


def script() -> Iterator[Step]:
    library = load_library()
    yield Listen(until_silence_s=0.4)
    yield Speak(prepare(library.clip("weather")))
    yield StaySilent(8.0)
    yield Listen(until_silence_s=0.4)
    yield Speak(prepare(library.clip("card001")))
    yield Listen(until_silence_s=0.4)
    yield Leave()


async def actor_of_the_hand_over(stage: Stage) -> int:
    """Process id of the CallActor whose call the carrier has."""
    async with asyncio.timeout(20):
        while True:
            for name in stage.actor_names():
                status = await stage.actor_status(name)
                if status["handed_over_calls"]:
                    return int(status["pid"])
            await asyncio.sleep(0.02)


def test_a_transfer_comes_back_whole_though_its_actor_was_killed(stage: Stage) -> None:
    async def run() -> None:
        await stage.whole_again()
        book = CalleeBook(Callee(outcome="failed", after_s=0.0))
        book.put(COLLEAGUE, Callee("busy", after_s=2.0))
        async with telephones(stage, Phones(book)) as phones:
            call = phones.play(script())
            os.kill(await actor_of_the_hand_over(stage), signal.SIGKILL)
            result = await call.result()
        assert result.leg.streams == 2, result.leg
        assert not result.leg.violations.counts
        sid = result.leg.call_sid
        note("gap", result.leg.stream_gaps_s)
        await stage.until_recorded(sid)
        turns = stage.turns(sid)
        assert [turn.turn_id for turn in turns] == [0, 1, 2, 3]
        assert [turn.heard_text for turn in turns] == [
            GREETING,
            "One moment, I will get her.",
            "Nobody is there.",
            "That is a very fine card, and I have noted it.",
        ]
        query = "select kind, data from journal where call_sid = ? order by at_us"
        journal = [(kind, json.loads(data)) for kind, data in stage.rows(query, sid)]
        uses = [data for kind, data in journal if kind == "tool_used"]
        assert [json.loads(use["result"])["status"] for use in uses] == ["put through", "busy"]
        assert uses[1]["of_turn"] == 1, "whoever took the call over knew of turn 1"
        await stage.whole_again()

    asyncio.run(run())
