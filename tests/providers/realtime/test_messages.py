"""What we say on a Realtime socket, and the settings of a session."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from openai.types.realtime import (
    conversation_item_create_event,
    conversation_item_truncate_event,
    input_audio_buffer_append_event,
)
from openai.types.realtime.realtime_session_create_request import RealtimeSessionCreateRequest

from dialogue.agent import Agent
from dialogue.ports import Message, ToolCallRequested
from dialogue.realtime import TURN_PRESETS, RealtimeOptions
from dialogue.tools import Tool
from providers.errors import ProviderRefused, ProviderRejected
from providers.realtime import messages
from providers.realtime.config import RealtimeConfig, check_config, session_update, socket_url

AGENT = Agent("t", "reception", "v1", "en-US", "You are Ann.", "Hello.", "Rachel")
CONFIG = RealtimeConfig(api_key="k")
DIAL = Tool("transfer", "sales", "Put through to sales.", to="+14155550123")


def read(raw: str) -> dict[str, Any]:
    told = json.loads(raw)
    assert isinstance(told, dict)
    return told


def test_audio_is_sent_as_it_came() -> None:
    told = read(messages.append_audio(b"\xff\x00\x7f" * 100))
    assert base64.b64decode(told["audio"]) == b"\xff\x00\x7f" * 100
    input_audio_buffer_append_event.InputAudioBufferAppendEvent.model_validate(told)


def test_what_was_heard_is_told_in_milliseconds() -> None:
    told = read(messages.truncate("item_1", 0, 12_007))
    assert told["audio_end_ms"] == 1_500
    conversation_item_truncate_event.ConversationItemTruncateEvent.model_validate(told)


def test_half_a_character_cannot_end_what_sends() -> None:
    told = read(messages.tool_result("call_1", '{"answer": "so \ud83d far"}'))
    assert told["item"]["output"] == '{"answer": "so ? far"}'
    assert messages.tool_result("call_1", "\ud83d").encode()


def test_a_sentence_is_said_word_for_word_and_without_tools() -> None:
    told = read(messages.ask_to_say("4.0", 'Say "yes", please.', "English"))["response"]
    assert json.dumps('Say "yes", please.') in told["instructions"]
    assert told["tool_choice"] == "none"
    assert told["metadata"] == {"turn": "4.0"}


def test_a_conversation_is_carried_over_as_items() -> None:
    history = (
        Message("system", "You are Ann."),
        Message("user", "Sales, please."),
        Message("assistant", "One moment.", (ToolCallRequested("turn_1_0", "sales", "{}"),)),
        Message("tool", '{"status": "busy"}', tool_call_id="turn_1_0"),
        Message("assistant", "", (ToolCallRequested("turn_2_0", "sales", "{}"),)),
        Message("tool", "gone", tool_call_id="turn_2_0"),
    )
    items = [read(raw)["item"] for raw in messages.items_of(history)]
    assert [item["type"] for item in items] == [
        "message",
        "message",
        "function_call",
        "function_call_output",
        "function_call",
        "function_call_output",
    ]
    assert items[0]["content"] == [{"type": "input_text", "text": "Sales, please."}]
    assert items[1]["content"] == [{"type": "output_text", "text": "One moment."}]
    assert (items[2]["call_id"], items[3]["output"]) == ("turn_1_0", '{"status": "busy"}')
    for raw in messages.items_of(history):
        conversation_item_create_event.ConversationItemCreateEvent.model_validate(read(raw))


def test_the_settings_are_those_of_the_protocol() -> None:
    agent = replace(AGENT, tools=(DIAL,), hints=("Pettigrew",), language="zh-HK")
    session = session_update(CONFIG, agent, "Be Ann.")
    RealtimeSessionCreateRequest.model_validate(session)
    heard, spoken = session["audio"]["input"], session["audio"]["output"]
    assert heard["format"] == spoken["format"] == {"type": "audio/pcmu"}
    assert heard["turn_detection"] == {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500,
        "create_response": True,
        "interrupt_response": True,
    }
    assert heard["transcription"]["language"] == "zh"
    assert heard["transcription"]["prompt"] == "Pettigrew"
    assert [tool["name"] for tool in session["tools"]] == ["sales", "end_call"]
    assert session["parallel_tool_calls"] is False


def test_an_agent_with_a_tool_that_ends_calls_gets_no_other() -> None:
    agent = replace(AGENT, tools=(Tool("end_call", "bye", "Hang up."),))
    tools = session_update(CONFIG, agent, "")["tools"]
    assert [tool["name"] for tool in tools] == ["bye"]


def test_the_fast_preset_and_the_semantic_one() -> None:
    def turns(preset: str) -> dict[str, Any]:
        agent = replace(AGENT, realtime=RealtimeOptions(turns=TURN_PRESETS[preset]))
        told: dict[str, Any] = session_update(CONFIG, agent, "")["audio"]["input"]["turn_detection"]
        return told

    fast = turns("fast")
    assert (fast["threshold"], fast["prefix_padding_ms"]) == (0.5, 300)
    assert fast["silence_duration_ms"] == 200
    assert turns("semantic") == {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": True,
    }


def test_fields_that_a_model_does_not_know_are_not_sent() -> None:
    old = replace(AGENT, realtime=RealtimeOptions(model="gpt-realtime", effort="low"))
    new = replace(AGENT, realtime=RealtimeOptions(model="gpt-realtime-2.1", effort="low"))
    assert "reasoning" not in session_update(CONFIG, old, "")
    assert "parallel_tool_calls" not in session_update(CONFIG, old, "")
    assert session_update(CONFIG, new, "")["reasoning"] == {"effort": "low"}


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://api.openai.com/v1", "wss://api.openai.com/v1/realtime?model=m%201"),
        ("http://127.0.0.1:7107/v1/", "ws://127.0.0.1:7107/v1/realtime?model=m%201"),
        (
            "https://x.openai.azure.com/openai/v1",
            "wss://x.openai.azure.com/openai/v1/realtime?model=m%201",
        ),
    ],
)
def test_the_address_of_a_session(base_url: str, url: str) -> None:
    assert socket_url(replace(CONFIG, base_url=base_url), "m 1") == url


@pytest.mark.parametrize("base_url", ["", "ftp://x/v1", "http://", "http://[::1", "api.openai.com"])
def test_an_address_that_is_none_names_its_setting(base_url: str) -> None:
    with pytest.raises(ProviderRejected) as caught:
        check_config(replace(CONFIG, base_url=base_url))
    assert caught.value.setting == "OPENAI_REALTIME_BASE_URL"


def test_a_missing_key_names_its_setting_and_a_server_of_ones_own_may_need_none() -> None:
    with pytest.raises(ProviderRefused) as caught:
        check_config(RealtimeConfig())
    assert "OPENAI_REALTIME_API_KEY" in caught.value.setting
    check_config(RealtimeConfig(base_url="http://127.0.0.1:1/v1"))
