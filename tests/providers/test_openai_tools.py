"""Tools, from the port through the real SDK to the emulator and back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dialogue.ports import (
    Message,
    ReplyDone,
    ThinkRequest,
    ToolCallBegan,
    ToolCallRequested,
    ToolDefinition,
)
from providers.errors import ProviderRejected
from tests.providers.stage import run_for_real
from tests.providers.test_openai_chat import staged
from tests.support.contract_thinker import all_of, text_of

pytestmark = pytest.mark.e2e

TEXT_ARGUMENT = {"type": "string"}
TOOLS = (
    ToolDefinition(
        "transfer_call",
        "Puts the caller through.",
        {"type": "object", "properties": {"to": TEXT_ARGUMENT}, "required": ["to"]},
    ),
    ToolDefinition("end_call", "Ends the call.", {}),
)


def asking(text: str, **fields: object) -> ThinkRequest:
    request = ThinkRequest("call", (Message("user", text),), tools=TOOLS)
    return replace(request, **fields)  # type: ignore[arg-type]


def test_a_tool_is_called_and_its_result_is_answered() -> None:
    async def body() -> None:
        async with staged() as (stage, thinker):
            request = asking("Transfer me to sales please")
            events = await all_of(thinker, request)
            assert text_of(events) == "One moment, please."
            call, done = events[-2:]
            assert isinstance(call, ToolCallRequested)
            assert isinstance(done, ReplyDone)
            assert (call.name, done.reason) == ("transfer_call", "tool_calls")
            assert json.loads(call.arguments_json) == {"to": "sales"}
            asked = Message("assistant", "One moment, please.", (call,))
            result = Message("tool", '{"ok": true}', tool_call_id=call.id)
            again = replace(request, messages=(*request.messages, asked, result))
            assert text_of(await all_of(thinker, again)) == "I am putting you through now."
            assert stage.open_connections == 1

    run_for_real(body())


def test_two_calls_at_once_come_in_order() -> None:
    async def body() -> None:
        async with staged() as (_, thinker):
            events = await all_of(thinker, asking("Transfer me to sales and then hang up"))
            names = [event.name for event in events if isinstance(event, ToolCallRequested)]
            assert names == ["transfer_call", "end_call"]

    run_for_real(body())


def test_a_forbidden_tool_is_not_called_and_a_forced_one_is() -> None:
    async def body() -> None:
        async with staged() as (_, thinker):
            events = await all_of(thinker, asking("Goodbye", tool_choice="none"))
            assert text_of(events)
            assert not any(isinstance(event, ToolCallRequested) for event in events)
            events = await all_of(thinker, asking("Hello", tool_choice="required"))
            kinds = [type(event) for event in events]
            assert kinds == [ToolCallBegan, ToolCallRequested, ReplyDone]

    run_for_real(body())


def test_a_result_without_its_call_is_rejected() -> None:
    async def body() -> None:
        async with staged() as (_, thinker):
            lost = ThinkRequest("call", (Message("tool", "done", tool_call_id="c1"),))
            with pytest.raises(ProviderRejected):
                await all_of(thinker, lost)

    run_for_real(body())
