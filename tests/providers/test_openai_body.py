"""What is asked of a language model."""

from __future__ import annotations

import json

import pytest

from dialogue.ports import Message, ThinkRequest, ToolCallRequested, ToolDefinition
from providers.openai_body import model_of, request_body
from providers.settings import ChatEndpoint, OpenAIConfig

REQUEST = ThinkRequest("call", (Message("system", "Be brief."), Message("user", "Hi")))


def test_a_request_to_the_default_model() -> None:
    body = request_body(OpenAIConfig(), REQUEST)
    assert body["model"] == model_of(OpenAIConfig())
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]
    assert body["stream"] is True
    assert body["reasoning_effort"] == "none"
    assert "temperature" not in body


def test_an_unknown_model_gets_only_what_everybody_takes() -> None:
    request = ThinkRequest("call", REQUEST.messages, "local-model", 0.3, 50)
    body = request_body(OpenAIConfig(endpoint=ChatEndpoint(model="other")), request)
    assert body == {
        "model": "local-model",
        "messages": body["messages"],
        "stream": True,
        "temperature": 0.3,
        "max_tokens": 50,
    }


def test_the_bound_has_the_name_the_model_knows() -> None:
    request = ThinkRequest("call", REQUEST.messages, max_tokens=50)
    assert request_body(OpenAIConfig(), request)["max_completion_tokens"] == 50


def test_the_configured_model_comes_before_the_default() -> None:
    assert model_of(OpenAIConfig(endpoint=ChatEndpoint(model="mine"))) == "mine"


SCHEMA = {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]}
TOOLS = (ToolDefinition("transfer", "Puts the caller through.", SCHEMA),)


def test_tools_and_what_became_of_them() -> None:
    asked = ToolCallRequested("c1", "transfer", '{"to": "sales"}')
    messages = (
        *REQUEST.messages,
        Message("assistant", "", tool_calls=(asked,)),
        Message("tool", '{"ok": true}', tool_call_id="c1"),
    )
    body = request_body(OpenAIConfig(), ThinkRequest("call", messages, tools=TOOLS))
    assert body["messages"][2:] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "transfer", "arguments": '{"to": "sales"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": '{"ok": true}'},
    ]
    function = {
        "name": "transfer",
        "description": "Puts the caller through.",
        "parameters": SCHEMA,
    }
    assert body["tools"] == [{"type": "function", "function": function}]
    assert "tool_choice" not in body


def test_text_beside_a_tool_call_is_kept() -> None:
    asked = Message("assistant", "One moment.", (ToolCallRequested("c1", "transfer", "{}"),))
    body = request_body(OpenAIConfig(), ThinkRequest("call", (asked,), tools=TOOLS))
    assert body["messages"][0]["content"] == "One moment."


def test_a_tool_without_arguments_still_has_a_schema() -> None:
    tools = (ToolDefinition("end_call", "Ends the call.", {}),)
    body = request_body(OpenAIConfig(), ThinkRequest("call", REQUEST.messages, tools=tools))
    parameters = body["tools"][0]["function"]["parameters"]
    assert parameters == {"type": "object", "properties": {}}


def test_a_choice_of_tools_is_sent_only_with_tools() -> None:
    offered = ThinkRequest("call", REQUEST.messages, tools=TOOLS, tool_choice="none")
    assert request_body(OpenAIConfig(), offered)["tool_choice"] == "none"
    none = ThinkRequest("call", REQUEST.messages, tool_choice="required")
    assert not {"tools", "tool_choice"} & set(request_body(OpenAIConfig(), none))


@pytest.mark.parametrize(
    ("model", "effort"),
    [
        ("gpt-5.6-luna", "none"),
        ("gpt-5.6-terra", "none"),
        ("gpt-6-luna", "none"),
        ("gpt-5.4-mini", None),
        ("local-model", None),
    ],
)
def test_tools_come_with_the_only_effort_that_takes_them(model: str, effort: str | None) -> None:
    request = ThinkRequest("call", REQUEST.messages, model, tools=TOOLS)
    config = OpenAIConfig(reasoning_effort="high")
    assert request_body(config, request).get("reasoning_effort") == effort


def test_half_a_character_in_the_conversation_keeps_nothing_from_being_asked() -> None:
    asked = ToolCallRequested("c1", "look", '{"name": "\ud83d"}')
    messages = (
        Message("user", "a \ud83d b"),
        Message("assistant", "\ude00", tool_calls=(asked,)),
        Message("tool", '{"ok": "\ud83d\ude00é"}', tool_call_id="c1"),
    )
    body = request_body(OpenAIConfig(), ThinkRequest("call", messages))
    assert json.dumps(body, ensure_ascii=False).encode()
    assert [message["content"] for message in body["messages"]] == ["a ? b", "?", '{"ok": "??é"}']
