"""What an agent may do besides speaking: end the call, hand it to a person, press keys, ask others.

Declared in the agent's file, offered to the model, and checked when the model asks. The model may
invent a tool or an argument: it is told so, in words it can use, and nothing is done.

What a tool means is one of two things. An *action* ends the reply and is done once that was heard.
A *run* brings a result, which the model reads before it goes on (``dialogue.tool_rounds``).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from dialogue.ports import ToolCallRequested, ToolDefinition

ActionType = Literal["end_call", "transfer", "send_digits"]
RunType = Literal["http", "python", "mcp"]
NoteType = Literal["remember", "switch_language"]
ToolType = ActionType | RunType | NoteType

MAX_DIGITS = 32
MAX_FACT_NAME_CHARS = 60
MAX_FACT_CHARS = 300
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
_FACT_ARGUMENTS: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "description": "What it is, in a word or two."},
        "value": {"type": "string", "description": "The fact; empty to forget it."},
    },
    "required": ["name", "value"],
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
        parameters_json: Of a run: JSON schema of the arguments; empty for none.
        is_idempotent: Of a run: to do it again with the same key does nothing more.
        fillers: Of a run: said while it takes long, by language; where there is none, the phrase.
        filler_after_s: Of a run: silence after which that is said.
        longest_s: Of a run: after so long there is a result, if only that it took too long.
        binding: Of a run: how it is done, read by whoever does it (``providers.tools.bindings``).
    """

    type: ToolType
    name: str
    description: str
    to: str = ""
    timeout_s: int = 20
    caller_id: str = ""
    announce: str = ""
    no_answer: str = ""
    parameters_json: str = ""
    is_idempotent: bool = False
    fillers: tuple[tuple[str, str], ...] = ()
    filler_after_s: float = 0.8
    longest_s: float = 0.0
    binding: object = None

    @property
    def is_action(self) -> bool:
        """Whether it ends a reply; otherwise it brings a result."""
        return self.type in get_args(ActionType)

    @property
    def is_run(self) -> bool:
        """Whether others do it, which may take its time."""
        return self.type in get_args(RunType)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """JSON schema of its arguments, for the model."""
        if self.type == "send_digits":
            return _DIGIT_ARGUMENTS
        if self.type == "remember":
            return _FACT_ARGUMENTS
        schema: Mapping[str, Any] = json.loads(self.parameters_json or "null") or _NO_ARGUMENTS
        return schema


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
class RunTool:
    """Have somebody else do it, and read what comes of it.

    Attributes:
        arguments: An object; not checked against the tool's schema yet.
    """

    tool: Tool
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Remember:
    """Keep a fact for the rest of the call; an empty value forgets it."""

    tool: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class SwitchLanguage:
    """Go on in another of the agent's languages, from the next turn on."""

    tool: str
    language: str


Note = Remember | SwitchLanguage
Meaning = Action | RunTool | Note


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
            ToolDefinition(tool.name, tool.description, tool.parameters)
            for tool in self.tools.values()
        )

    def check(self, call: ToolCallRequested) -> Meaning | ToolRefused:
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
            case "remember":
                return _fact(tool, call.arguments_json)
            case "switch_language":
                return _language(tool, call.arguments_json)
            case "http" | "python" | "mcp":
                arguments = _object(call.arguments_json)
                return RunTool(tool, arguments) if arguments is not None else _NOT_JSON


_NOT_JSON = ToolRefused("the arguments are not a JSON object")


def _object(arguments_json: str) -> dict[str, Any] | None:
    """The arguments; None for what is no JSON object that can be written down and passed on."""
    try:
        arguments = json.loads(arguments_json, parse_constant=_no_number, parse_float=_number)
        json.dumps(arguments, ensure_ascii=False).encode()  # not with half a character in it
    except (ValueError, RecursionError):
        return None
    return arguments if isinstance(arguments, dict) else None


def _no_number(name: str) -> None:
    raise ValueError(name)


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _fact(tool: Tool, arguments_json: str) -> Remember | ToolRefused:
    arguments = _object(arguments_json)
    if arguments is None:
        return _NOT_JSON
    name, value = arguments.get("name"), arguments.get("value")
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(name, str) or not isinstance(value, str) or not name.strip():
        return ToolRefused('name and value are texts: give {"name": "...", "value": "..."}')
    name, value = " ".join(name.split()), " ".join(value.split())
    if len(name) > MAX_FACT_NAME_CHARS or len(value) > MAX_FACT_CHARS:
        most = f"{MAX_FACT_NAME_CHARS} and {MAX_FACT_CHARS}"
        return ToolRefused(f"name and value are too long: {most} characters at most")
    return Remember(tool.name, name, value)


def _language(tool: Tool, arguments_json: str) -> SwitchLanguage | ToolRefused:
    known = tool.parameters.get("properties", {}).get("language", {}).get("enum", ())
    asked = (_object(arguments_json) or {}).get("language")
    if not isinstance(asked, str) or asked not in known:
        return ToolRefused(f"language is one of: {', '.join(known)}")
    return SwitchLanguage(tool.name, asked)


def language_parameters(languages: Iterable[str]) -> str:
    """JSON schema of the arguments of a tool that changes to one of ``languages``."""
    choice = {"type": "string", "enum": list(languages)}
    return json.dumps(
        {
            "type": "object",
            "properties": {"language": choice},
            "required": ["language"],
            "additionalProperties": False,
        }
    )


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
