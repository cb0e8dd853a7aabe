"""Tools on the phone: the real edge, the real chat client, and a carrier that rings and presses."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from dialogue.tools import Tool
from simulation.callee import Phones
from simulation.callee_book import Callee, CalleeBook
from simulation.caller_call import CallOrder, CallResult, place_call
from simulation.caller_script import (
    Interrupt,
    Leave,
    Listen,
    PressKeys,
    Speak,
    StaySilent,
    Step,
    prepare,
)
from simulation.carrier import Carrier
from simulation.clip_library import load_library
from simulation.openai_replies import ScriptLine
from tests.support.edge_stage import Cast, Door, EdgeStage, answered

pytestmark = pytest.mark.e2e

SALES = "+14155550123"
TOOLS = (
    Tool("end_call", "end_call", "When the caller says goodbye."),
    Tool(
        "transfer",
        "sales",
        "To buy.",
        to=SALES,
        timeout_s=5,
        announce="I will get my colleague from sales for you now.",
        no_answer="Sales is away.",
    ),
    Tool("send_digits", "press", "For menus."),
)
SCRIPT = (
    ScriptLine(("forward",), "", tool="sales"),
    ScriptLine(("seven",), "", tool="press", arguments=(("digits", "12#"),)),
    ScriptLine(("weather",), "", tool="end_call"),
    ScriptLine(("keypad",), "You pressed keys."),
)
CONFUSED = (
    ScriptLine(("weather",), "", tool="order pizza", is_invented=True),
    ScriptLine(("seven",), "", tool="press", raw_arguments='{"digits": '),
)
CLIPS = {name: prepare(load_library().clip(name)) for name in
         ("goforward", "card003", "weather", "card001", "eot_en_question")}  # fmt: skip


@pytest.fixture(scope="module")
def stage() -> Iterator[EdgeStage]:
    names = ("answered", "busy", "interrupted", "keys", "pressed", "ended", "left")
    casts = [Cast(name, script=SCRIPT, tools=TOOLS) for name in names]
    casts.append(Cast("confused", script=CONFUSED, tools=TOOLS))
    with EdgeStage(tuple(casts)).running() as s:
        yield s


def carrier(door: Door, callee: Callee) -> Carrier:
    book = CalleeBook(Callee(outcome="failed", after_s=0.0))
    book.put(SALES, callee)
    return door.carrier(phones=Phones(book))


def play(stage: EdgeStage, name: str, *steps: Step, callee: Callee | None = None) -> CallResult:
    door = stage.doors[name]

    async def scene() -> CallResult:
        script = (Listen(until_silence_s=0.2), *steps)
        async with carrier(door, callee or Callee()) as line:
            return await place_call(line, CallOrder(iter(script), max_duration_s=25.0))

    result = stage.play(scene())
    assert not result.leg.violations.counts, result.leg.violations
    assert not result.leg.errors.counts, result.leg.errors
    return result


def uses(stage: EdgeStage, name: str) -> list[tuple[str, str]]:
    """Tool and status of every use, in the order of the turns."""
    return [
        (use["name"], json.loads(use["result"])["status"])
        for turn in stage.turns_of(stage.doors[name])
        for use in turn.tools
    ]


def said(stage: EdgeStage, name: str) -> list[str]:
    return [turn.heard_text for turn in stage.turns_of(stage.doors[name])]


def test_the_agent_ends_the_call(stage: EdgeStage) -> None:
    result = play(stage, "ended", Speak(CLIPS["weather"]), Listen(give_up_s=15.0))
    assert result.leg.ended_by == "agent"
    assert said(stage, "ended") == ["Hi.", "Bye."]
    last = stage.turns_of(stage.doors["ended"])[-1]
    assert (last.outcome, last.agent_text) == ("heard", "Bye."), "before it was hung up"
    assert stage.ends_of(stage.doors["ended"]) == [(True, "agent_hung_up")]
    assert uses(stage, "ended") == [("end_call", "done")]


def test_a_transfer_is_taken_and_the_call_is_over_for_us(stage: EdgeStage) -> None:
    callee = Callee(after_s=0.3, talk_s=1.0)
    result = play(stage, "answered", Speak(CLIPS["goforward"]), StaySilent(20.0), callee=callee)
    assert result.leg.streams == 1
    assert result.leg.status == "completed"
    assert said(stage, "answered")[-1] == "I will get my colleague from sales for you now."
    assert uses(stage, "answered") == [("sales", "put through")]
    assert stage.ends_of(stage.doors["answered"]) == [(True, "transferred")]
    counters = stage.doors["answered"].counters
    assert counters["transfers_answered"] == 1
    assert counters["streams_resumed"] == counters["streams_lost"] == 0


def test_a_transfer_that_nobody_takes_comes_back_and_goes_on(stage: EdgeStage) -> None:
    result = play(
        stage,
        "busy",
        Speak(CLIPS["goforward"]),
        StaySilent(4.5),
        Listen(until_silence_s=0.4),
        Speak(CLIPS["card001"]),
        Listen(until_silence_s=0.4),
        Leave(),
        callee=Callee("busy", after_s=0.3),
    )
    assert result.leg.streams == 2
    assert said(stage, "busy") == [
        "Hi.",
        "I will get my colleague from sales for you now.",
        "Sales is away.",
        "Noted.",
    ]
    assert uses(stage, "busy") == [("sales", "put through"), ("sales", "busy")]
    read = stage.asked("busy")[-1].messages[1:]
    assert [message.role for message in read] == [
        "assistant", "user", "assistant", "tool", "assistant", "user",
    ]  # fmt: skip
    assert [call.name for call in read[2].tool_calls] == ["sales"]
    assert json.loads(read[3].text)["status"] == "busy", "as it is known now"
    assert read[4].text == "Sales is away."
    assert stage.ends_of(stage.doors["busy"]) == [(True, "caller_hung_up")]
    counters = stage.doors["busy"].counters
    assert counters["transfers_unanswered"] == 1
    assert counters["streams_resumed"] == 0  # no loss: it does not count as one


def test_a_caller_who_speaks_into_the_announcement_is_not_transferred(stage: EdgeStage) -> None:
    result = play(
        stage,
        "interrupted",
        Speak(CLIPS["goforward"]),
        Interrupt(CLIPS["eot_en_question"], after_s=0.6),
        Listen(until_silence_s=0.6),
        Leave(),
    )
    assert result.leg.streams == 1
    assert uses(stage, "interrupted") == [("sales", "not done")]
    assert said(stage, "interrupted")[-1] == "Noted."
    assert not stage.doors["interrupted"].counters["calls_handed_over_dial"]


def test_keys_are_pressed_and_the_agent_listens_on(stage: EdgeStage) -> None:
    result = play(
        stage,
        "pressed",
        Speak(CLIPS["card003"]),
        StaySilent(4.0),
        Speak(CLIPS["card001"]),
        Listen(until_silence_s=0.4),
        Leave(),
    )
    assert result.leg.keys == "12#"
    assert result.leg.streams == 2
    phrase = stage.agents["pressed"].phrases.digits
    assert said(stage, "pressed") == ["Hi.", phrase, "Noted."]
    assert uses(stage, "pressed") == [("press", "pressed")]
    assert stage.doors["pressed"].counters["streams_resumed"] == 0  # no loss: does not count as one


def test_keys_of_the_caller_reach_the_model(stage: EdgeStage) -> None:
    result = play(stage, "keys", PressKeys("42#"), Listen(until_silence_s=0.4), Leave())
    assert answered(result) == ["answered"] or result.leg.ended_by == "caller"
    turn = stage.turns_of(stage.doors["keys"])[-1]
    assert (turn.kind, turn.caller_text, turn.heard_text) == ("digits", "42", "You pressed keys.")


def test_a_caller_who_hangs_up_while_it_rings_has_ended_the_call(stage: EdgeStage) -> None:
    callee = Callee("no-answer")
    play(stage, "left", Speak(CLIPS["goforward"]), StaySilent(5.0), Leave(), callee=callee)
    assert stage.ends_of(stage.doors["left"]) == [(True, "caller_hung_up")]
    assert stage.doors["left"].counters["transfers_left"] == 1


def test_a_model_that_misuses_its_tools_is_told_so_and_the_caller_is_answered(
    stage: EdgeStage,
) -> None:
    result = play(
        stage,
        "confused",
        Speak(CLIPS["weather"]),
        Listen(until_silence_s=0.4),
        Speak(CLIPS["card003"]),
        Listen(until_silence_s=0.4),
        Leave(),
    )
    assert (result.leg.streams, result.leg.keys) == (1, "")
    sorry = "I am sorry, that did not work."
    assert said(stage, "confused") == ["Hi.", sorry, sorry]
    assert uses(stage, "confused") == [], "nothing was used"
    told = [request.messages[-1] for request in stage.asked("confused")]
    errors = [json.loads(message.text)["error"] for message in told if message.role == "tool"]
    assert "there is no tool 'order pizza'; the tools are: end_call, sales, press" in errors
    assert "the arguments are not JSON" in errors
