"""Tools of a call that one model hears and speaks: run once, and told of to later sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from actors.tool_runs import ToolRuns
from tests.actors.test_tool_runs import BOOK, DONE, Journal, Shop
from tests.support.fake_realtime import REALTIME_AGENT, RealtimePhone, RealtimeStage
from tests.support.local_mind_pool import LocalMindPool
from tests.support.scripted_call import play as play_any

WANT = '|book {"day": "monday"}'
FILLER = "One moment, please."


class ToolStage(RealtimeStage):
    """A replica whose agent may book a table, which takes three seconds."""

    def __init__(self) -> None:
        super().__init__(agent=replace(REALTIME_AGENT, tools=(BOOK,)))
        self.shop = Shop()
        self.shop.wait_s = 3.0
        ids = count(1)

        def tools(_name: str) -> ToolRuns:
            return ToolRuns(self.shop, Journal(), lambda: 7, lambda: f"use-{next(ids)}")

        agents = {self.agent.agent_id: self.agent}
        self.pool = LocalMindPool(agents, {"fake": self.thinker}, tools=tools)

    async def booking(self, said: str | None) -> RealtimePhone:
        """A caller whose table is being booked."""
        phone = self.phone()
        await phone.greeted()
        self.service.replies = [WANT]
        await phone.say(said)
        await phone.until(lambda: self.shop.used)
        return phone


def play(scene: Callable[[ToolStage], Awaitable[None]]) -> None:
    play_any(scene, ToolStage)  # type: ignore[arg-type]


def items(stage: ToolStage, kind: str) -> list[dict[str, Any]]:
    """What the newest session was told of tools."""
    told = [event["item"] for event in stage.service.session.told if "item" in event]
    return [item for item in told if item["type"] == kind]


@pytest.mark.parametrize("said", ["A table on Monday.", None])
@pytest.mark.parametrize("lost_after_s", [0.1, 2.0])
def test_the_next_session_is_told_of_a_tool_that_runs_and_gets_its_result(
    said: str | None, lost_after_s: float
) -> None:
    async def scene(stage: ToolStage) -> None:
        phone = await stage.booking(said)
        await asyncio.sleep(lost_after_s)
        session = stage.service.session
        stage.service.replies = [] if FILLER in phone.heard else [FILLER]
        session.break_off()
        await phone.until(lambda: stage.service.session is not session)
        stage.service.replies = ["It is booked."]
        assert stage.service.session.audio_bytes < 800, "what was understood is not said again"
        await phone.until_heard("It is booked.")
        (asked,), (known,) = items(stage, "function_call"), items(stage, "function_call_output")
        assert asked["call_id"] == known["call_id"]
        assert (asked["name"], known["output"]) == ("book", DONE)
        await phone.until(lambda: len(phone.log) == 2)
        turn = phone.driver.turn_log[-1]
        assert (turn.outcome, len(turn.tools), len(stage.shop.used)) == ("heard", 1, 1)
        assert turn.caller_text == (said or "")

    play(scene)


def test_a_result_that_came_while_there_was_no_session_is_told_to_the_next() -> None:
    async def scene(stage: ToolStage) -> None:
        phone = await stage.booking("A table on Monday.")
        session = stage.service.session
        await asyncio.sleep(2.9)
        session.break_off()
        stage.service.replies = ["It is booked."]
        await phone.until_heard("It is booked.")
        assert [item["output"] for item in items(stage, "function_call_output")] == [DONE]
        assert len(stage.shop.used) == 1

    play(scene)


def test_the_pipeline_does_not_hear_again_what_a_tool_is_at_work_for() -> None:
    async def scene(stage: ToolStage) -> None:
        phone = await stage.booking(None)
        stage.service.is_down = True
        stage.service.session.break_off()
        await phone.until_heard("Back.")
        assert phone.ear.audio.count(0) == 0, "only silence was heard since"
        await asyncio.sleep(3.0)
        await phone.talk(0.6)
        phone.ear.hear("And?")
        await phone.until(lambda: phone.log[-1][1] == "caller" and phone.log[-1][0] > 1)
        (use,) = [use for turn in phone.driver.turn_log[2:] for use in turn.tools]
        assert (use["result"], use["of_turn"]) == (DONE, 1)
        assert len(stage.shop.used) == 1

    play(scene)


def test_sessions_may_use_the_same_names_for_their_calls() -> None:
    async def scene(stage: ToolStage) -> None:
        phone = await stage.booking("A table on Monday.")
        await phone.until(lambda: items(stage, "function_call_output"))
        await phone.until(lambda: len(phone.log) == 2)
        stage.service.restart_numbers()
        stage.service.session.break_off()
        await phone.until(lambda: len(stage.service.sessions) == 2)
        stage.service.replies = ["Well.", WANT, "Booked again."]
        await phone.say("Thank you.")
        await phone.until(lambda: phone.log[-1][2] == "Well.")
        await phone.say("And one on Monday next.")
        await phone.until_heard("Booked again.")
        assert len(stage.shop.used) == 2

    play(scene)
