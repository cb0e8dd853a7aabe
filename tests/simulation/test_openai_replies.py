from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.clip_library import load_library
from simulation.openai_replies import Answer, ScriptLine, answer, text_of, tokens
from simulation.openai_tools import DEFAULT_TOOL_RULES, ToolCall
from simulation.tongue import language_of


def said(text: str) -> list[dict[str, object]]:
    return [{"role": "system", "content": "Be kind."}, {"role": "user", "content": text}]


TOOLS = [{"name": "find_order", "parameters": {}}, {"name": "end_call"}]
SCRIPT = (ScriptLine(("order",), "Your order is on its way.", "find_order", (("id", 7),)),)


@pytest.mark.parametrize("clip", load_library(), ids=lambda clip: clip.name)
def test_every_clip_gets_an_answer_in_its_own_language(clip: object) -> None:
    transcript = clip.transcript  # type: ignore[attr-defined]
    reply = answer(said(transcript), [], ()).text
    tongues = {"en-US": "en", "de-DE": "de", "es-ES": "es", "it-IT": "it", "zh-CN": "zh"}
    expected = tongues.get(clip.language, "yue")  # type: ignore[attr-defined]
    if clip.name != "bc_yue_ng":  # type: ignore[attr-defined]
        assert (language_of(reply), len(reply) > 8) == (expected, True)


def test_what_is_unknown_is_said_back() -> None:
    reply = answer(said("My cat can play the piano."), [], ()).text
    assert reply == "You said: My cat can play the piano. How can I help you with that?"


def test_nothing_heard_is_asked_again() -> None:
    assert "say it again" in answer(said(" "), [], ()).text


def test_a_scripted_tool_is_called_when_it_is_offered() -> None:
    assert answer(said("Where is my order?"), TOOLS, SCRIPT) == Answer(
        "", (ToolCall("find_order", '{"id": 7}'),)
    )
    assert answer(said("Where is my order?"), [], SCRIPT).calls == ()


def test_a_model_may_be_scripted_to_invent_and_to_misspell() -> None:
    line = ScriptLine(("order",), "", tool="no tool", raw_arguments="{", is_invented=True)
    assert answer(said("My order"), [], (line,)).calls == (ToolCall("no tool", "{"),)


def test_a_rule_calls_its_tool_when_it_is_offered() -> None:
    goodbye = said("Thank you, goodbye.")
    called = answer(goodbye, TOOLS, (), DEFAULT_TOOL_RULES).calls
    assert [call.name for call in called] == ["end_call"]
    assert answer(goodbye, [], (), DEFAULT_TOOL_RULES).text.startswith("You are welcome")


@pytest.mark.parametrize(("forced", "name"), [("required", "find_order"), ("end_call", "end_call")])
def test_a_tool_that_must_be_called_is(forced: str, name: str) -> None:
    found = answer(said("Hello"), TOOLS, (), DEFAULT_TOOL_RULES, forced)
    assert [call.name for call in found.calls] == [name]


def test_the_result_of_a_tool_is_told() -> None:
    messages = [*said("Where is my order?"), {"role": "tool", "content": "in Leeds"}]
    assert answer(messages, TOOLS, SCRIPT).text == "Here is what I found: in Leeds."
    messages[-1]["content"] = "error: no such order"
    assert answer(messages, TOOLS, SCRIPT).text == "I am sorry, that did not work."


def test_content_may_come_in_parts() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}]
    assert text_of(parts) == "a b"


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_tokens_join_to_the_reply(text: str) -> None:
    assert "".join(tokens(text)) == text


@settings(max_examples=50)
@given(st.lists(st.dictionaries(st.sampled_from(["role", "content"]), st.text(max_size=9))))
def test_any_messages_get_an_answer(messages: list[dict[str, object]]) -> None:
    calls = answer(messages, TOOLS, SCRIPT, DEFAULT_TOOL_RULES).calls
    assert {call.name for call in calls} <= {"find_order", "end_call"}
