"""A call that a person moves between modes goes on on any replica, also when its mind is killed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from cluster.api_client import ApiClient
from cluster.evaluate.mode_stage import ModeStage, running_stage
from cluster.wall_clock import wall_clock_us
from dialogue.agent import CallMode
from records.database import Database
from records.key_store import KeyStore
from records.store import RecordStore
from simulation.caller_events import AgentHeard, CallStarted, StreamResumed
from simulation.mode_script import GREETING
from tests.support.stricken_call import (
    CLIPS,
    SAID,
    Quiet,
    Stricken,
    processes,
    record_of,
    replicas,
    until_back,
)
from voice.words import normalise

pytestmark = pytest.mark.cluster
RESUMED = "Here I am again."


async def key_of(stage: ModeStage) -> str:
    """A new key of the API."""
    database = Database(stage.store_url)
    try:
        return await KeyStore(database).create("default", "moves", at_us=wall_clock_us())
    finally:
        await database.aclose()


async def id_of(call: Stricken) -> str:
    """The product's id of the call."""
    (sid,) = [event.call_sid for event in call.events if isinstance(event, CallStarted)]
    records = RecordStore(call.stage.store_url)
    try:
        async with asyncio.timeout(10.0):
            while (row := await records.call_by_sid(sid)) is None:
                await asyncio.sleep(0.1)
        return row.call_id
    finally:
        await records.aclose()


async def move(call: Stricken, mode: CallMode, api_key: str) -> None:
    """Asked of a replica that has not got the call."""
    others = [each for each in await asyncio.to_thread(replicas) if not each.active_calls]
    async with ApiClient(others[0].url, api_key) as api:
        await api.move(await id_of(call), mode)


@pytest.mark.parametrize(
    "modes", [("relay", "pipeline", "relay"), ("pipeline", "realtime")], ids="-".join
)
def test_a_call_goes_from_mode_to_mode_over_a_mind_that_is_killed(
    modes: Sequence[CallMode], tmp_path: Path
) -> None:
    first, *others = modes

    async def move_on_and_kill(call: Stricken) -> None:
        """While an answer sounds, so that it happens behind it; then the mind is killed."""
        api_key = await key_of(call.stage)
        for number, mode in enumerate(others, 1):
            await call.caller_said(number)
            heard = sum(isinstance(e, AgentHeard) and e.started for e in call.events)
            await call.agent_heard(heard + 1)
            await move(call, mode, api_key)
            await call.seen(lambda e: isinstance(e, StreamResumed), number)
            (actor,) = processes("ray::CallActor")[:1]
            os.kill(actor.pid, signal.SIGKILL)
            await until_back("ray::CallActor", actor.pid)

    async def run() -> None:
        async with running_stage(tmp_path, Quiet(), replicas=2, may_move=True) as stage:
            result = await Stricken(stage, first).play(move_on_and_kill)
            found = await record_of(stage, result)
        assert result.outcome == "completed", result.leg
        assert (result.leg.streams, result.leg.relays) == (len(modes), modes.count("relay"))
        assert [turn.outcome for turn in result.turns] == ["answered"] * len(CLIPS)
        assert [turn.turn_id for turn in found.rows] == list(range(len(found.rows)))
        said = [normalise(turn.caller_text) for turn in found.rows if turn.kind == "caller"]
        assert said == [normalise(text) for text in SAID]
        heard = [turn.heard_text for turn in found.rows]
        assert heard.count(GREETING) == 1
        assert RESUMED not in heard, "a move is not heard"
        assert all(heard)
        assert found.row is not None
        assert found.row.planned_end
        assert set(found.row.mode.split(",")) == set(modes)

    asyncio.run(run())
