"""A CallActor dies or hangs in mid-call: the same stream goes on, no turn is lost or doubled."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Sequence

import pytest

from tests.support.ray_phone import WITHIN_S, LiveCall, conversation, note, telephones
from tests.support.ray_stage import GREETING, Stage
from voice.words import normalise

pytestmark = pytest.mark.ray

SAID = {
    "card001": "Ten of clubs.",
    "card003": "Seven of clubs.",
    "goforward": "Go forward ten meters.",
}
# Longer than between "one moment" and an answer that was asked of two actors: whoever speaks, or
# hangs up, in that silence has not heard the answer.
PAUSE_S = 4.0
ANSWER = "That is a very fine card, and I have noted it."


async def listening(_stage: Stage, call: LiveCall, turn: int) -> None:
    """The caller has begun to speak."""
    await call.caller_said(turn)
    await asyncio.sleep(0.2)


async def thinking(stage: Stage, call: LiveCall, turn: int) -> None:
    """A reply is in the making."""
    await call.caller_said(turn)
    status = await stage.busy_actor()
    name, turns = status["name"], status["totals"].get("turns", 0)
    async with asyncio.timeout(WITHIN_S):
        # A reply of some 150 ms may come and go between two questions on a busy machine.
        while not status["replies"] and status["totals"].get("turns", 0) <= turns:
            await asyncio.sleep(0.005)
            status = await stage.actor_status(name)


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
        open_turn = 0
        script = conversation(*clips, pause_s=PAUSE_S, may_go_on=lambda turn: turn <= open_turn)
        call = phones.play(script)
        try:
            for turn, moment in enumerate(moments, 1):
                open_turn = turn
                await moment(stage, call, turn)
                lost.append(await stage.busy_actor())
                os.kill(lost[-1]["pid"], how)
                await stage.whole_again(without=lost[-1]["name"])
            open_turn += 1
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
    assert [turn.outcome for turn in turns] == ["heard"] * len(turns), turns


def test_killed_actors_are_replaced_behind_the_call(stage: Stage) -> None:
    moments = (listening, thinking, speaking)
    asyncio.run(lose_an_actor_in_each_turn(stage, moments, signal.SIGKILL))


def test_a_hung_actor_costs_one_late_answer(stage: Stage) -> None:
    asyncio.run(lose_an_actor_in_each_turn(stage, (listening, thinking), signal.SIGSTOP))
