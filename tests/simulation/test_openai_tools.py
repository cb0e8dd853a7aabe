"""When the emulated model calls a tool, and with what."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.openai_tools import (
    DEFAULT_TOOL_RULES,
    ToolCall,
    ToolRule,
    after_result,
    arguments_for,
    keys_of,
    tool_calls,
)


def tool(name: str, required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(required)}
    return {"name": name, "parameters": parameters}


TEXT = {"type": "string"}
TRANSFER = tool("transfer_call", ("destination",), destination=TEXT)
END = tool("end_call", reason=TEXT)
DIGITS = tool("send_digits", ("digits",), digits=TEXT)
ALL = [TRANSFER, END, DIGITS]


@pytest.mark.parametrize(
    ("said", "name", "arguments"),
    [
        ("Transfer me to sales, please.", "transfer_call", {"destination": "sales"}),
        ("please put me through to the front desk", "transfer_call", {"destination": "front desk"}),
        ("Could you connect me with billing please?", "transfer_call", {"destination": "billing"}),
        ("Let me speak to a human.", "transfer_call", {"destination": "human"}),
        ("Transfer me!", "transfer_call", {"destination": "Transfer me!"}),
        ("Okay, goodbye.", "end_call", {"reason": "the caller said goodbye"}),
        ("You can hang up now.", "end_call", {"reason": "the caller said goodbye"}),
        ("Press one.", "send_digits", {"digits": "1"}),
        ("press the keys one, two and star", "send_digits", {"digits": "12*"}),
        ("Please press 42 and then #", "send_digits", {"digits": "42"}),
    ],
)
def test_what_a_caller_says_to_have_it_called(
    said: str, name: str, arguments: dict[str, str]
) -> None:
    _, (call,) = tool_calls(said, ALL, DEFAULT_TOOL_RULES)
    assert call.name == name
    assert json.loads(call.arguments) == arguments


@pytest.mark.parametrize(
    "said",
    ["", "What is the press saying?", "I moved money to my account", "a bypass", "one two three"],
)
def test_what_calls_nothing(said: str) -> None:
    assert tool_calls(said, ALL, DEFAULT_TOOL_RULES) == ("", ())


def test_a_tool_that_is_not_offered_is_not_called() -> None:
    assert tool_calls("Goodbye", [TRANSFER], DEFAULT_TOOL_RULES) == ("", ())


def test_two_wishes_are_two_calls_in_the_order_of_the_table() -> None:
    _, calls = tool_calls("Press one, then hang up.", ALL, DEFAULT_TOOL_RULES)
    assert [call.name for call in calls] == ["send_digits", "end_call"]


def test_a_table_of_ones_own() -> None:
    rules = (ToolRule(r"order (?P<number>\w+)", ("find_order",), (("fast", True),), "A moment."),)
    found = tool_calls("my order a7 please", [{"name": "find_order"}], rules)
    assert found == ("A moment.", (ToolCall("find_order", '{"fast": true, "number": "a7"}'),))


@pytest.mark.parametrize(
    ("schema", "arguments"),
    [
        ({"properties": {"to": TEXT}, "required": ["to"]}, {"to": "sales"}),
        ({"properties": {"to": TEXT}}, {}),
        (
            {"properties": {"where": {"enum": ["front_desk", "sales_team", "sales"]}}},
            {"where": "sales"},
        ),
        ({"properties": {"where": {"enum": ["x", "y"]}}, "required": ["where"]}, {"where": "x"}),
        ({"properties": {"where": {"enum": ["x", "y"]}}}, {}),
        (
            {
                "properties": {
                    "n": {"type": "integer"},
                    "x": {"type": "number"},
                    "b": {"type": "boolean"},
                    "a": {"type": "array"},
                    "o": {"type": "object"},
                    "optional": TEXT,
                    "odd": None,
                },
                "required": ["n", "x", "b", "a", "o", "odd"],
            },
            {"n": 12, "x": 12.0, "b": True, "a": [], "o": {}},
        ),
        ({}, {"destination": "sales"}),
        (None, {"destination": "sales"}),
    ],
)
def test_arguments_fit_the_schema(schema: object, arguments: dict[str, Any]) -> None:
    known = {"destination": "sales"}
    assert arguments_for(schema, known, "Transfer 12 to sales") == arguments


def test_what_is_said_to_a_result() -> None:
    call = {"id": "c1", "function": {"name": "transfer_call"}}
    asked = {"role": "assistant", "content": None, "tool_calls": [call]}

    def after(result: str, call_id: str = "c1") -> str:
        told = {"role": "tool", "tool_call_id": call_id, "content": result}
        return after_result([asked, told], DEFAULT_TOOL_RULES)

    assert after('{"ok": true}') == "I am putting you through now."
    assert after('{"ok": false}') == "I am sorry, that did not work."
    assert after("sunny", "c2") == ""


@given(st.text(alphabet="0123456789*#", max_size=9))
def test_keys_in_digits_are_themselves(keys: str) -> None:
    assert keys_of(keys) == keys


@given(st.text(max_size=60))
@settings(max_examples=100)
def test_any_words_are_taken(said: str) -> None:
    tool_calls(said, ALL, DEFAULT_TOOL_RULES)
