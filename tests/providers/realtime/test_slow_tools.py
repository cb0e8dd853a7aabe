"""Tools that take their time in a call that one model hears and speaks."""

from __future__ import annotations

import json

from providers.realtime.events import CallWanted, ResponseBegan, ResponseEnded, SpeechStarted
from providers.realtime.outputs import ToolAnswered, ToolRunning
from tests.support.realtime_line import Line

CALL = "call-r1"
DONE = '{"status": "done", "answer": 7}'


def asking() -> Line:
    """The model has asked for a tool, in silence."""
    line = Line()
    line.speak("i1", "Where is my order?")
    line.tell(ResponseBegan("r1", ""))
    line.want("r1", "orders")
    return line


def test_a_session_is_not_given_up_while_a_tool_runs() -> None:
    line = asking()
    line.tell(ToolRunning(1, CALL, 60.0))
    line.wait(30.0)
    assert line.dropped == []
    line.answer(output=DONE)
    assert line.of("conversation.item.create")[0]["item"]["output"] == DONE
    assert line.labels == ["1.2"]
    line.reply("r2", "It is on its way.", 0.5, label="1.2")
    line.wait(1.0)
    assert [turn.agent_text for turn in line.settled] == ["It is on its way."]


def test_a_session_that_says_nothing_to_a_result_is_given_up_as_ever() -> None:
    line = asking()
    line.tell(ToolRunning(1, CALL, 60.0))
    line.wait(30.0)
    line.answer(output=DONE)
    line.wait(6.0)
    assert len(line.dropped) == 1


def test_a_sentence_is_said_meanwhile_and_the_result_comes_after_it() -> None:
    line = asking()
    line.tell(ToolRunning(1, CALL, 60.0, "One moment, please."))
    assert line.labels == ["1.2"]
    assert "One moment, please." in line.of("response.create")[0]["response"]["instructions"]
    line.reply("r2", "One moment, please.", 1.0, label="1.2", ends=False)
    line.answer(output=DONE)
    assert line.labels == ["1.2"], "it is being said"
    line.reply("r2", "", 0.1, label="1.2")
    assert line.labels == ["1.2", "1.3"]
    line.reply("r3", "It is on its way.", 0.5, label="1.3")
    line.wait(3.0)
    assert line.settled[0].agent_text.startswith("One moment, please.")
    assert line.settled[0].outcome == "heard"


def test_nothing_is_said_over_words_that_are_still_to_be_heard() -> None:
    line = Line()
    line.speak("i1", "Where is my order?")
    line.reply("r1", "Let me look that up for you.", 5.0, ends=False)
    line.want("r1", "orders")
    line.tell(ToolRunning(1, CALL, 60.0, "One moment, please."))
    assert line.labels == []


def test_a_caller_who_speaks_meanwhile_hears_of_the_result_later() -> None:
    line = asking()
    line.tell(ToolRunning(1, CALL, 60.0))
    line.tell(SpeechStarted("i2", 0))
    output = line.of("conversation.item.create")[0]["item"]["output"]
    assert json.loads(output)["status"] == "running"
    line.answer(output=DONE)
    line.answer(output=DONE)
    told = line.of("conversation.item.create")[1:]
    assert [item["item"]["content"][0]["text"] for item in told] == [f"Result of orders: {DONE}"]


def test_news_of_a_tool_that_nobody_asked_for_changes_nothing() -> None:
    line = asking()
    before = len(line.told)
    line.tell(ToolRunning(1, "other", 60.0, "One moment."), ToolRunning(9, CALL, 60.0, "Hm."))
    assert len(line.told) == before
    line.wait(6.0)
    assert len(line.dropped) == 1


def test_a_tool_that_has_ended_leaves_the_time_of_another_alone() -> None:
    line = Line()
    line.speak("i1", "Where is my order, and when do you close?")
    line.tell(ResponseBegan("r1", ""))
    calls = tuple(CallWanted("r1", name, name, "{}") for name in ("orders", "hours"))
    line.tell(*calls, ResponseEnded("r1", "", "completed", calls=calls))
    line.tell(ToolRunning(1, "orders", 60.0), ToolRunning(1, "hours", 8.0))
    line.tell(ToolRunning(1, "hours", 0.0))
    line.tell(ToolAnswered(1, "hours", {}, DONE))
    line.wait(50.0)
    assert line.dropped == []
    line.tell(ToolRunning(1, "orders", 0.0))
    line.tell(ToolAnswered(1, "orders", {}, DONE))
    line.wait(6.0)
    assert len(line.dropped) == 1
