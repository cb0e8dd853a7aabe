"""What OpenAI would refuse, the emulator refuses."""

from __future__ import annotations

from typing import Any

import pytest

from simulation.errors import WireViolation
from simulation.openai_request import parse_request

USER = {"role": "user", "content": "hi"}
TOOL = {"type": "function", "function": {"name": "go", "parameters": {"type": "object"}}}


def call(call_id: str = "c1") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": "go", "arguments": "{}"}}


def asked(*calls: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(calls)}


def result(call_id: str = "c1") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": "done"}


def body(*messages: object, **fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": list(messages), **fields}


@pytest.mark.parametrize(
    "messages",
    [
        [USER],
        [],
        [USER, asked(call()), result()],
        [USER, asked(call("a"), call("b")), result("b"), result("a"), USER],
        [USER, asked(call()), result(), asked(call("c2")), result("c2")],
    ],
)
def test_histories_that_are_whole(messages: list[object]) -> None:
    assert parse_request(body(*messages), None).messages == messages


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ([USER, result()], "must be a response"),
        ([USER, asked(call()), result("other")], "must be a response"),
        ([USER, asked(call()), result(), result()], "must be a response"),
        ([USER, asked(call())], "did not have response messages: c1"),
        ([USER, asked(call("a"), call("b")), result("a"), USER], "messages: b"),
        ([USER, asked()], "tool_calls"),
        ([{"role": "user", "content": "hi", "tool_calls": [call()]}], "tool_calls"),
        ([asked({"id": "c1"})], "a field is missing"),
        ([asked({**call(), "function": {"name": "go", "arguments": {}}})], "a field is missing"),
        (
            [asked(call(), {**call("b"), "function": {"name": "go on", "arguments": ""}})],
            r"tool_calls\[1\].function.name': string does not match",
        ),
        ([{"role": "robot", "content": "hi"}], "robot"),
        (["hi"], "array of objects"),
    ],
)
def test_histories_that_are_not(messages: list[object], why: str) -> None:
    with pytest.raises(WireViolation, match=why):
        parse_request(body(*messages), None)


@pytest.mark.parametrize(
    ("fields", "tools", "forced"),
    [
        ({}, 0, ""),
        ({"tools": []}, 0, ""),
        ({"tools": [TOOL]}, 1, ""),
        ({"tools": [TOOL], "tool_choice": "auto"}, 1, ""),
        ({"tools": [TOOL], "tool_choice": "none"}, 0, ""),
        ({"tools": [TOOL], "tool_choice": "required"}, 1, "required"),
        ({"tools": [TOOL], "tool_choice": TOOL}, 1, "go"),
    ],
)
def test_tools_and_which_must_be_called(fields: dict[str, Any], tools: int, forced: str) -> None:
    parsed = parse_request(body(USER, **fields), None)
    assert (len(parsed.tools), parsed.forced) == (tools, forced)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"tool_choice": "auto"}, "only allowed when 'tools'"),
        ({"tools": TOOL}, "array of objects"),
        ({"tools": [{"function": TOOL["function"]}]}, "type"),
        ({"tools": [{"type": "function", "function": {"name": "no good"}}]}, "pattern"),
        ({"tools": [{"type": "function", "function": {"name": "x" * 65}}]}, "pattern"),
        (
            {"tools": [{"type": "function", "function": {"name": "x", "parameters": 7}}]},
            "Invalid schema",
        ),
        ({"tools": [TOOL], "tool_choice": "x"}, "tool_choice"),
        (
            {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "x"}}},
            "no tool is called 'x'",
        ),
    ],
)
def test_tools_that_are_none(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(WireViolation, match=why):
        parse_request(body(USER, **fields), None)


@pytest.mark.parametrize("model", ["gpt-5.6-luna", "gpt-5.6-sol-2026-07-09", "gpt-6-luna"])
def test_models_that_take_tools_only_without_reasoning(model: str) -> None:
    whole = body(USER, tools=[TOOL]) | {"model": model}
    assert parse_request(whole | {"reasoning_effort": "none"}, None).tools
    assert parse_request(whole | {"tools": None}, None).model == model
    for effort in ({}, {"reasoning_effort": "low"}):
        with pytest.raises(WireViolation, match="set reasoning_effort to 'none'"):
            parse_request(whole | effort, None)


def test_the_deployment_stands_for_the_model() -> None:
    parsed = parse_request({"messages": [USER]}, "voice")
    assert (parsed.model, parsed.is_azure) == ("voice", True)
    with pytest.raises(WireViolation, match="model"):
        parse_request({"messages": [USER]}, None)


def test_one_call_at_most_if_so_asked() -> None:
    assert parse_request(body(USER, parallel_tool_calls=False), None).most_calls == 1
