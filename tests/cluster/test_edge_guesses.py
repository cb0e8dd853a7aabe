"""Replies prepared while the caller pauses, over sockets: real clients, emulated providers."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from actors.wire import TurnEntry
from dialogue.tools import Tool
from simulation.caller_call import CallOrder, CallResult, place_call
from simulation.caller_script import Leave, Listen, Speak, Step, prepare
from simulation.clip_library import load_library
from simulation.openai_replies import ScriptLine
from tests.support.edge_stage import Cast, EdgeStage, answered

pytestmark = pytest.mark.e2e

TOOLS = (Tool("end_call", "end_call", "When the caller says goodbye."),)
SCRIPT = (ScriptLine(("weather",), "", tool="end_call"),)
CARD, WEATHER = (prepare(load_library().clip(name)) for name in ("card001", "weather"))


@pytest.fixture(scope="module")
def stage() -> Iterator[EdgeStage]:
    casts = (Cast("plain"), Cast("tools", script=SCRIPT, tools=TOOLS))
    with EdgeStage(casts).running() as s:
        yield s


def play(stage: EdgeStage, name: str, *steps: Step) -> CallResult:
    async def scene() -> CallResult:
        script = (Listen(until_silence_s=0.2), *steps)
        async with stage.doors[name].carrier() as line:
            return await place_call(line, CallOrder(iter(script), max_duration_s=25.0))

    return stage.play(scene())


def turns(stage: EdgeStage, name: str) -> list[TurnEntry]:
    return [turn for turn in stage.turns_of(stage.doors[name]) if turn.kind == "caller"]


def was_held(turn: TurnEntry) -> bool:
    """The reply had its first audio before the turn was taken, and went out with the taking."""
    times = turn.timeline
    is_ready = times["eager"] < times["speak_first_byte"] < times["committed"]
    return is_ready and times["first_frame_out"] == times["committed"]


def test_a_reply_is_ready_when_the_turn_is_taken(stage: EdgeStage) -> None:
    listen = Listen(until_silence_s=0.4)
    result = play(stage, "plain", Speak(CARD), listen, Speak(CARD), listen, Leave())
    assert answered(result) == ["answered", "answered"]
    found = turns(stage, "plain")
    assert [turn.heard_text for turn in found] == ["Noted.", "Noted."]
    assert any(was_held(turn) for turn in found)
    for turn in found:
        asked = turn.usage["speculative_calls"]
        assert turn.usage.get("wasted_calls", 0) == asked - 1
        assert turn.usage["prompt_tokens"] > 0
    counted = len(stage.asked("plain"))
    assert counted == sum(turn.usage["speculative_calls"] for turn in found)


def test_a_tool_that_a_guess_wishes_for_is_used_once_and_after_its_words(stage: EdgeStage) -> None:
    result = play(stage, "tools", Speak(WEATHER), Listen(give_up_s=15.0))
    assert result.leg.ended_by == "agent"
    (turn,) = turns(stage, "tools")
    assert was_held(turn)
    assert (turn.heard_text, turn.outcome) == ("Bye.", "heard")
    (use,) = turn.tools
    assert (use["name"], json.loads(use["result"])["status"]) == ("end_call", "done")
    assert stage.ends_of(stage.doors["tools"]) == [(True, "agent_hung_up")]
