"""A CallActor dies or hangs in mid-call: the same stream goes on, no turn is lost or doubled."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Sequence

import pytest

from tests.support.ray_phone import LiveCall, note, telephones
from tests.support.ray_stage import GREETING, Stage
from voice.words import normalise

pytestmark = pytest.mark.ray

SAID = {
    "card001": "Ten of clubs.",
    "card003": "Seven of clubs.",
    "goforward": "Go forward ten meters.",
}
ANSWER = "That is a very fine card, and I have noted it."


async def listening(_stage: Stage, call: LiveCall, turn: int) -> None:
    """The caller has begun to speak."""
    await call.caller_said(turn)
    await asyncio.sleep(0.2)


async def thinking(stage: Stage, call: LiveCall, turn: int) -> None:
    """A reply is in the making."""
    await call.caller_said(turn)
    name = (await stage.busy_actor())["name"]
    while not (await stage.actor_status(name))["replies"]:
        await asyncio.sleep(0.005)


async def speaking(_stage: Stage, call: LiveCall, turn: int) -> None:
    """The caller hears the answer."""
    await call.agent_heard(turn + 1)  # the greeting was the first
    await asyncio.sleep(0.2)


Moment = Callable[[Stage, LiveCall, int], Awaitable[None]]


async def lose_an_actor_in_each_turn(
    stage: Stage, moments: Sequence[Moment], how: signal.Signals
) -> None:
    lost = []
    clips = list(SAID)[: len(moments)]
    async with telephones(stage) as phones:
        await stage.whole_again()
        call = phones.call(*clips, pause_s=1.0)
        try:
            for turn, moment in enumerate(moments, 1):
                await moment(stage, call, turn)
                lost.append(await stage.busy_actor())
                os.kill(lost[-1]["pid"], how)
                await stage.whole_again(without=lost[-1]["name"])
            result = await call.result()
        finally:
            for status in lost:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(status["pid"], signal.SIGCONT)
    for moment, turn_measured in zip(moments, result.turns, strict=True):
        note(how.name, "while", moment.__name__, "wait", turn_measured.latency_s)
    assert result.leg.streams == 1
    assert not result.leg.errors.counts
    assert [turn.outcome for turn in result.turns] == ["answered"] * len(clips)
    await stage.until_recorded(result.leg.call_sid)
    turns = stage.turns(result.leg.call_sid)
    assert [turn.turn_id for turn in turns] == list(range(len(clips) + 1))
    said = [normalise(turn.caller_text) for turn in turns]  # interim words or final ones
    assert said == [normalise(words) for words in ("", *(SAID[name] for name in clips))]
    assert [turn.heard_text for turn in turns][:2] == [GREETING, ANSWER]
    assert all(turn.outcome == "heard" for turn in turns)


def test_killed_actors_are_replaced_behind_the_call(stage: Stage) -> None:
    moments = (listening, thinking, speaking)
    asyncio.run(lose_an_actor_in_each_turn(stage, moments, signal.SIGKILL))


def test_a_hung_actor_costs_one_late_answer(stage: Stage) -> None:
    asyncio.run(lose_an_actor_in_each_turn(stage, (listening, thinking), signal.SIGSTOP))
