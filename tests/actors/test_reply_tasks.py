"""What the voice machine is told of a reply that the mind thinks up."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from actors.mind_client import MindClient
from actors.reply_tasks import ReplyTasks
from actors.speech_source import SpeechSource
from actors.turn_question import TurnQuestion
from actors.wire import TurnItem
from dialogue.agent import Agent
from tests.support.virtual_time import run
from voice import events as voice

AGENT = Agent("t", "a", "v1", "en-US", "You are Ann.", "Hello.", "Rachel")


def tool(*uses: dict[str, Any]) -> TurnItem:
    return TurnItem("tool", 1, 1, tools=uses)


def asked(use_id: str, wait_s: object) -> dict[str, Any]:
    return {"id": use_id, "name": "orders", "arguments": "{}", "wait_s": wait_s}


def done(use_id: str) -> dict[str, Any]:
    return {"id": use_id, "name": "orders", "arguments": "{}", "result": '{"status": "done"}'}


class ScriptedMind:
    """Answers every question with the same items."""

    call_id = "call-1"

    def __init__(self, items: tuple[TurnItem, ...]) -> None:
        self._items = items
        self.grants = SimpleNamespace()

    async def take_turn(self, question: TurnQuestion) -> AsyncGenerator[TurnItem, None]:
        for item in self._items:
            yield item


def fed(*items: TurnItem) -> list[voice.Input]:
    """What the machine is told of a reply that consists of these items."""
    told: list[voice.Input] = []

    async def story() -> None:
        tasks = ReplyTasks(
            AGENT,
            cast(MindClient, ScriptedMind(items)),
            cast(SpeechSource, None),
            told.append,
            lambda _name, _by: None,
            on_refused=lambda: None,
        )
        tasks.begin(voice.BeginTurn(1, 1, "caller", "Where is it?", speculative=False))
        thinking = tasks._reply(1, 1).think
        assert thinking is not None
        await thinking

    run(story())
    return told


def waits(*items: TurnItem) -> list[float]:
    return [each.for_s for each in fed(*items) if isinstance(each, voice.ReplyWorking)]


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ((tool(asked("a", 8.0)), tool(done("a"))), [8.0, 0.0]),
        ((tool(asked("a", 8.0)), tool(asked("b", 30.0)), tool(done("a"))), [8.0, 30.0, 30.0]),
        ((tool(asked("a", 30.0)), tool(asked("b", 8.0)), tool(done("a"))), [30.0, 30.0, 8.0]),
        (
            (tool(asked("a", 8.0), asked("b", 30.0)), tool(done("b")), tool(done("a"))),
            [30.0, 8.0, 0.0],
        ),
        ((tool(asked("a", 8.0)), TurnItem("accepted", 1, 1), tool(done("b"))), [8.0, 0.0]),
        ((tool(asked("a", "long")), tool(asked("b", 1e9))), [0.0, 300.0]),
        ((tool(asked("a", float("nan"))), tool({"name": "x"})), [0.0, 0.0]),
    ],
    ids=["one", "shorter first", "longer first", "in one item", "another actor", "odd", "none"],
)
def test_a_reply_is_waited_for_as_long_as_the_slowest_of_its_tools_may_take(
    items: tuple[TurnItem, ...], told: list[float]
) -> None:
    assert waits(*items) == told


def test_the_steps_of_a_reply_come_in_order() -> None:
    end = TurnItem("finished", 1, 1, hang_up=True)
    assert fed(TurnItem("segment", 1, 1, text="Well."), tool(asked("a", 8.0)), end) == [
        voice.SegmentPlanned(1, 1, 0, "Well."),
        voice.ReplyWorking(1, 1, 8.0),
        voice.ReplyFinished(1, 1, True, {}),
    ]
