"""A CallActor dies or hangs in mid-call: the same stream goes on, no turn is lost or doubled."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import pytest

from tests.support.ray_phone import LiveCall, note, telephones
from tests.support.ray_stage import Stage

pytestmark = pytest.mark.ray


async def listening(_stage: Stage, call: LiveCall) -> None:
    """The caller has begun to speak."""
    await call.caller_said()
    await asyncio.sleep(0.2)


async def thinking(stage: Stage, call: LiveCall) -> None:
    """A reply is in the making."""
    await call.caller_said()
    name = (await stage.busy_actor())["name"]
    while not (await stage.actor_status(name))["replies"]:
        await asyncio.sleep(0.005)


async def speaking(_stage: Stage, call: LiveCall) -> None:
    """The caller hears the answer."""
    await call.agent_heard(2)
    await asyncio.sleep(0.2)


SAID = ["", "Ten of clubs.", "Go forward ten meters."]
Moment = Callable[[Stage, LiveCall], Awaitable[None]]


async def lose_actor(stage: Stage, moment: Moment, how: signal.Signals) -> None:
    await stage.whole_again()
    async with telephones(stage) as phones:
        call = phones.call("card001", "goforward")
        await moment(stage, call)
        lost = await stage.busy_actor()
        os.kill(lost["pid"], how)
        try:
            result = await call.result()
        finally:
            if how is signal.SIGSTOP:
                _wake(lost["pid"])
        note(moment.__name__, how.name, [turn.latency_s for turn in result.turns])
        assert result.leg.streams == 1
        assert not result.leg.errors.counts
        assert [turn.outcome for turn in result.turns] == ["answered", "answered"]
        stage.until_recorded(result.leg.call_sid)
        turns = stage.turns(result.leg.call_sid)
        assert [turn.turn_id for turn in turns] == [0, 1, 2]
        assert [turn.caller_text for turn in turns] == SAID
        assert turns[1].heard_text == "That is a very fine card, and I have noted it."
    assert lost["name"] not in await stage.whole_again()


def _wake(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        return


@pytest.mark.parametrize("moment", [listening, thinking, speaking])
def test_a_killed_actor_is_not_noticed_by_the_caller(stage: Stage, moment: Moment) -> None:
    asyncio.run(lose_actor(stage, moment, signal.SIGKILL))


@pytest.mark.parametrize("moment", [listening, thinking])
def test_a_hung_actor_costs_one_late_answer(stage: Stage, moment: Moment) -> None:
    asyncio.run(lose_actor(stage, moment, signal.SIGSTOP))
