"""What a reply that asks for tools becomes, and how the history tells of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from dialogue.agent import Agent
from dialogue.errors import EmptyReply
from dialogue.history import History, HistoryLimits, instructions
from dialogue.ports import Message, ThinkRequest, ToolCallRequested
from dialogue.session import MAX_TOOL_ROUNDS, AskAgain, CallIdentity, DialogueSession, ReplyEnd
from dialogue.tool_use import late_result, status_of, use_of
from dialogue.tools import Tool

AGENT = Agent(
    "t",
    "a",
    "v1",
    "en-US",
    "You are Ann.",
    "Hello!",
    "voice",
    tools=(
        Tool("end_call", "end_call", "When the caller says goodbye."),
        Tool("transfer", "sales", "To buy.", to="+14155550123", announce="I will get sales."),
        Tool("transfer", "support", "For help.", to="+14155550124", no_answer="Nobody is in."),
        Tool("send_digits", "press", "For menus."),
    ),
)
CALL = CallIdentity("t", "a", "v1", "call-1", "CA1")
SALES = {
    "verb": "dial",
    "tool": "sales",
    "arguments": "{}",
    "to": "+14155550123",
    "timeout_s": 20,
    "caller_id": "",
}


@dataclass(frozen=True)
class Settled:
    turn_id: int
    kind: str = "caller"
    caller_text: str = ""
    heard_text: str = ""
    outcome: str = "heard"
    tools: tuple[dict[str, Any], ...] = ()


def asked(name: str, arguments: str = "{}", call_id: str = "c1") -> ToolCallRequested:
    return ToolCallRequested(call_id, name, arguments)


def reply(
    *parts: str | ToolCallRequested, agent: Agent = AGENT
) -> tuple[DialogueSession[Settled], ReplyEnd | AskAgain | None]:
    session: DialogueSession[Settled] = DialogueSession(agent, CALL)
    session.begin_turn(1, 1, "caller", "Sales, please")
    return session, go_on(session, *parts)


def go_on(
    session: DialogueSession[Settled], *parts: str | ToolCallRequested
) -> ReplyEnd | AskAgain | None:
    for part in parts:
        if isinstance(part, str):
            session.feed(1, 1, part)
        else:
            session.call_tool(1, 1, part)
    return session.finish(1, 1)


def test_tools_are_offered_with_every_question() -> None:
    session: DialogueSession[Settled] = DialogueSession(AGENT, CALL)
    request = session.begin_turn(1, 1, "caller", "Hi")
    assert isinstance(request, ThinkRequest)
    assert [tool.name for tool in request.tools] == ["end_call", "sales", "support", "press"]


def test_words_and_a_wish_end_with_the_action() -> None:
    _, end = reply("One moment.", asked("sales"))
    assert end == ReplyEnd(("One moment.",), hang_up=False, action=SALES)


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("sales", "{}", "I will get sales."),
        ("support", "{}", AGENT.phrases.transfer),
        ("press", '{"digits": "1#"}', AGENT.phrases.digits),
        ("end_call", "{}", AGENT.phrases.goodbye),
    ],
)
def test_a_wish_without_words_gets_those_of_the_file(tool: str, arguments: str, said: str) -> None:
    _, end = reply(asked(tool, arguments))
    assert isinstance(end, ReplyEnd)
    assert end.segments == (said,)
    assert end.action["tool"] == tool
    assert end.hang_up == (tool == "end_call")


def test_of_several_wishes_the_first_that_can_be_done_counts() -> None:
    _, end = reply(asked("refund"), asked("press", "{}"), asked("sales"), asked("end_call"))
    assert isinstance(end, ReplyEnd)
    assert end.action == SALES


def test_a_transfer_outlives_the_mark_of_the_end() -> None:
    _, end = reply("Bye now. <end_call>", asked("sales"))
    assert isinstance(end, ReplyEnd)
    assert not end.hang_up
    assert end.action == SALES


def test_what_cannot_be_done_is_said_to_the_model_and_asked_again() -> None:
    session, again = reply("Well", asked("refund", "{}", "x"), asked("press", "[", "y"))
    assert isinstance(again, AskAgain)
    assert again.segments == ("Well",)
    line, first, second = again.request.messages[-3:]
    assert (line.role, line.text) == ("assistant", "Well")
    assert [call.name for call in line.tool_calls] == ["refund", "press"]
    assert [message.tool_call_id for message in (first, second)] == ["x", "y"]
    assert "no tool 'refund'" in json.loads(first.text)["error"]
    assert again.request.tools
    end = go_on(session, "Sorry, I cannot do that.")
    assert isinstance(end, ReplyEnd)
    assert not end.action


def test_what_the_model_misspelt_is_told_back_in_a_form_that_services_take() -> None:
    call = asked("give refund!" + "x" * 100, '{"digits": ')
    _, again = reply(call, asked("press", '{"digits": "one"}', "c2"))
    assert isinstance(again, AskAgain)
    line, *results = again.request.messages[-3:]
    assert [(told.name, told.arguments_json) for told in line.tool_calls] == [
        ("give_refund_" + "x" * 52, "{}"),
        ("press", '{"digits": "one"}'),
    ]
    assert [result.tool_call_id for result in results] == ["c1", "c2"]
    assert "give refund!" in json.loads(results[0].text)["error"]


def test_a_model_that_insists_is_asked_so_often_and_no_more() -> None:
    session, answer = reply(asked("refund"))
    for _ in range(MAX_TOOL_ROUNDS - 1):
        assert isinstance(answer, AskAgain)
        answer = go_on(session, asked("refund"))
    assert isinstance(answer, AskAgain)
    with pytest.raises(EmptyReply):
        go_on(session, asked("refund"))


def test_what_was_said_before_it_insisted_stands() -> None:
    session, answer = reply("Let me see.", asked("refund"))
    for _ in range(MAX_TOOL_ROUNDS):
        assert isinstance(answer, AskAgain)
        answer = go_on(session, asked("refund"))
    assert answer == ReplyEnd((), hang_up=False)


def test_an_agent_without_tools_ignores_wishes() -> None:
    _, end = reply("Of course.", asked("end_call"), agent=replace(AGENT, tools=()))
    assert isinstance(end, ReplyEnd)
    assert not end.hang_up
    assert not end.action


def test_a_dead_guess_takes_no_wish() -> None:
    session, _ = reply("Hi.")
    session.call_tool(1, 1, asked("sales"))
    assert session.finish(1, 1) is None


# --- history ----------------------------------------------------------------------------------


def told(*turns: Settled, agent: Agent = AGENT) -> list[Message]:
    history: History[Settled] = History(HistoryLimits())
    history.add(turns)
    return list(history.messages(agent, 99, "Hello?"))[1:]


def test_the_model_reads_which_tool_it_used_and_what_came_of_it() -> None:
    done = use_of(SALES, is_done=True)
    late = late_result("sales", "busy", 1)
    lines = told(
        Settled(1, caller_text="Sales?", heard_text="One moment.", tools=(done,)),
        Settled(2, "resume", "", "Nobody is there.", tools=(late,)),
    )
    assert [line.role for line in lines] == ["user", "assistant", "tool", "assistant", "user"]
    assert lines[1].tool_calls == (ToolCallRequested("turn_1_0", "sales", "{}"),)
    assert lines[2].tool_call_id == "turn_1_0"
    assert json.loads(lines[2].text)["status"] == "busy"
    assert lines[3].text == "Nobody is there."


def test_a_use_that_was_interrupted_is_told_as_not_done() -> None:
    undone = use_of(SALES, is_done=False)
    lines = told(Settled(1, "caller", "Sales?", "One mom", "interrupted", (undone,)))
    assert lines[1].text == "One mom…"
    assert json.loads(lines[2].text)["status"] == "not done"


def test_keys_that_were_pressed_are_told_with_their_digits() -> None:
    action = {"verb": "digits", "tool": "press", "arguments": '{"digits": "12"}', "digits": "12"}
    lines = told(Settled(1, "caller", "Press 12", "", tools=(use_of(action, is_done=True),)))
    assert lines[1].tool_calls[0].arguments_json == '{"digits": "12"}'
    assert json.loads(lines[2].text) == {"status": "pressed"}


@pytest.mark.parametrize(
    "use",
    [{}, {"name": 7}, {"name": ""}, {"of_turn": "x", "result": 3}, {"of_turn": 9, "result": "x"}],
)
def test_uses_of_another_version_are_read_kindly(use: dict[str, Any]) -> None:
    assert [line.role for line in told(Settled(1, "caller", "Hi", "Yes?", tools=(use,)))] == [
        "user",
        "assistant",
        "user",
    ]


def test_arguments_that_are_no_object_are_not_sent_back() -> None:
    use = {"name": "press", "arguments": "[", "result": "x"}
    assert (
        told(Settled(1, "caller", "Hi", "Yes?", tools=(use,)))[1].tool_calls[0].arguments_json
        == "{}"
    )


def test_an_agent_that_has_lost_its_tools_is_told_of_none() -> None:
    turn = Settled(1, "caller", "Hi", "Yes?", tools=(use_of(SALES, is_done=True),))
    lines = told(turn, agent=replace(AGENT, tools=()))
    assert [line.role for line in lines] == ["user", "assistant", "user"]


def test_a_dropped_turn_has_used_nothing() -> None:
    turn = Settled(1, "caller", "Hel", "O", "dropped", (use_of(SALES, is_done=False),))
    assert [line.text for line in told(turn)] == ["Hello?"]


def test_the_prompt_names_the_tool_that_ends_the_call() -> None:
    assert "use the tool end_call" in instructions(AGENT)
    assert "<end_call>" not in instructions(AGENT)
    assert "<end_call>" in instructions(replace(AGENT, tools=()))
    assert "(pressed on the keypad: 1 2 #)" in instructions(AGENT)


def test_sentences_of_tools_are_rendered_beforehand() -> None:
    sentences = AGENT.fixed_sentences()
    assert {"I will get sales.", "Nobody is in.", AGENT.phrases.no_answer} <= set(sentences)
    assert AGENT.phrases.no_answer not in replace(AGENT, tools=()).fixed_sentences()
    assert len(sentences) == len(set(sentences))


@pytest.mark.parametrize(
    "result", ["", "put through", "[]", "7", '{"status": 7}', '{"status": ""}', "[" * 100_000]
)
def test_what_came_of_a_use_of_another_version_is_unknown(result: str) -> None:
    assert status_of({"name": "sales", "result": result}) == "unknown"
    assert status_of(late_result("sales", "busy", 1)) == "busy"


def test_two_guesses_wish_apart_and_the_one_given_up_leaves_no_trace() -> None:
    mind: DialogueSession[Settled] = DialogueSession(AGENT, CALL)
    before = mind.begin_turn(1, 1, "caller", "sales")
    mind.begin_turn(1, 2, "caller", "support")
    mind.call_tool(1, 1, asked("sales"))
    mind.call_tool(1, 2, asked("support"))
    mind.feed(1, 2, "One moment.")
    mind.abandon(1, 1)
    end = mind.finish(1, 2)
    assert isinstance(end, ReplyEnd)
    assert end.action["tool"] == "support"
    assert mind.finish(1, 1) is None
    again = mind.begin_turn(1, 3, "caller", "sales")
    assert isinstance(before, ThinkRequest)
    assert isinstance(again, ThinkRequest)
    assert again.messages == before.messages


def test_a_guess_that_is_told_what_cannot_be_done_tells_no_other() -> None:
    mind: DialogueSession[Settled] = DialogueSession(AGENT, CALL)
    mind.begin_turn(1, 1, "caller", "press it")
    mind.begin_turn(1, 2, "caller", "press one")
    mind.call_tool(1, 1, asked("press", '{"digits": "never"}'))
    mind.call_tool(1, 2, asked("press", '{"digits": "1"}'))
    assert isinstance(mind.finish(1, 1), AskAgain)
    end = mind.finish(1, 2)
    assert isinstance(end, ReplyEnd)
    assert end.action["digits"] == "1"
