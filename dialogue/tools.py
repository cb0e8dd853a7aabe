"""What an agent may do besides speaking: end the call, hand it to a person, press keys.

Declared in the agent's file, offered to the model, and checked when the model asks. The model may
invent a tool or an argument: it is told so, in words it can use, and nothing is done.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dialogue.ports import ToolCallRequested, ToolDefinition

ToolType = Literal["end_call", "transfer", "send_digits"]

MAX_DIGITS = 32
_DIGITS = re.compile(r"[0-9*#wW]+")
_NO_ARGUMENTS: Mapping[str, Any] = {
    "type": "object",
    "properties": {},
    "additionalProperties": False,
}
_DIGIT_ARGUMENTS: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "digits": {
            "type": "string",
            "description": "Keys to press: 0-9, * and #; w waits half a second, W a whole one.",
        }
    },
    "required": ["digits"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool of an agent, as its file declares it.

    Attributes:
        name: What the model calls it; unique within the agent.
        description: For the model: when to use it.
        to: Of a transfer: a number in E.164, or ``sip:`` address.
        timeout_s: Of a transfer: how long it rings.
        caller_id: Of a transfer: the number that the person sees; empty for our number in the call.
        announce: Said before it is done when the model says nothing itself; empty for the phrase.
        no_answer: Of a transfer: said when it comes back unanswered; empty for the phrase.
    """

    type: ToolType
    name: str
    description: str
    to: str = ""
    timeout_s: int = 20
    caller_id: str = ""
    announce: str = ""
    no_answer: str = ""


@dataclass(frozen=True, slots=True)
class EndCall:
    """Say goodbye and hang up."""

    tool: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """Hand the caller to a person."""

    tool: str
    to: str
    timeout_s: int
    caller_id: str = ""


@dataclass(frozen=True, slots=True)
class SendDigits:
    """Press keys on the line."""

    tool: str
    digits: str


Action = EndCall | Transfer | SendDigits


@dataclass(frozen=True, slots=True)
class ToolRefused:
    """The model asked for what cannot be done; ``why`` is for the model."""

    why: str


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools of one agent.

    Attributes:
        tools: By name, in the order of the file.
    """

    tools: Mapping[str, Tool] = field(default_factory=dict)

    def definitions(self) -> tuple[ToolDefinition, ...]:
        """What the model is offered; the same for a whole call."""
        return tuple(
            ToolDefinition(
                tool.name,
                tool.description,
                _DIGIT_ARGUMENTS if tool.type == "send_digits" else _NO_ARGUMENTS,
            )
            for tool in self.tools.values()
        )

    def check(self, call: ToolCallRequested) -> Action | ToolRefused:
        """What the model's wish means, or why it cannot be done."""
        tool = self.tools.get(call.name)
        if tool is None:
            known = ", ".join(self.tools) or "none"
            return ToolRefused(f"there is no tool {call.name[:64]!r}; the tools are: {known}")
        match tool.type:
            case "end_call":
                return EndCall(tool.name)
            case "transfer":
                return Transfer(tool.name, tool.to, tool.timeout_s, tool.caller_id)
            case "send_digits":
                return _digits(tool, call.arguments_json)


def _digits(tool: Tool, arguments_json: str) -> SendDigits | ToolRefused:
    try:
        arguments = json.loads(arguments_json)
    except (ValueError, RecursionError):
        return ToolRefused("the arguments are not JSON")
    digits = arguments.get("digits") if isinstance(arguments, dict) else None
    if isinstance(digits, int) and not isinstance(digits, bool) and digits >= 0:
        digits = str(digits)
    if not isinstance(digits, str):
        return ToolRefused('digits is missing: give {"digits": "1234#"}')
    digits = re.sub(r"[\s,-]", "", digits)
    if len(digits) > MAX_DIGITS or _DIGITS.fullmatch(digits) is None:
        return ToolRefused(f"digits takes 1 to {MAX_DIGITS} of 0-9 * # w W")
    return SendDigits(tool.name, digits)
