"""What a chat completion asks for, checked the way OpenAI checks it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from simulation.errors import WireViolation
from simulation.openai_replies import text_of

_CHARS_A_TOKEN = 4
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
# Chat completions take tools for these only without reasoning, and reason unless told not to.
_NO_TOOLS_WHILE_REASONING = re.compile(r"gpt-5\.6\b.*|gpt-6-luna")
_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked request.

    Attributes:
        tools: The ``function`` objects of those that are offered.
        forced: ``required``, or the name of the one tool that must be called; empty for neither.
        most_tokens: 0 for any number.
        most_calls: Tool calls in one answer.
    """

    model: str
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]]
    forced: str
    stream: bool
    with_usage: bool
    most_tokens: int
    most_calls: int
    is_azure: bool

    @property
    def prompt_tokens(self) -> int:
        """About a token for four characters, and four for each message."""
        texts = (text_of(message.get("content")) for message in self.messages)
        return sum(4 + len(text) // _CHARS_A_TOKEN for text in texts)


def parse_request(body: dict[str, Any], deployment: str | None) -> Asked:
    """Check a request's body.

    Args:
        body: As it came.
        deployment: Of Azure's classic path; stands for the model.

    Raises:
        WireViolation: In the words of OpenAI, more or less.
    """
    model = str(body.get("model") or deployment or "")
    if not model:
        raise WireViolation("you must provide a model parameter")
    messages = body.get("messages")
    if not isinstance(messages, list) or not all(isinstance(m, dict) for m in messages):
        raise WireViolation("'messages' must be an array of objects")
    check_messages(messages)
    offered, forced = _tools(body)
    if offered and _NO_TOOLS_WHILE_REASONING.fullmatch(model):
        _check_effort(model, body.get("reasoning_effort"))
    options = body.get("stream_options")
    most = body.get("max_completion_tokens") or body.get("max_tokens") or 0
    return Asked(
        model=model,
        messages=messages,
        tools=offered,
        forced=forced,
        stream=body.get("stream") is True,
        with_usage=isinstance(options, dict) and options.get("include_usage") is True,
        most_tokens=most if isinstance(most, int) else 0,
        most_calls=1 if body.get("parallel_tool_calls") is False else 128,
        is_azure=deployment is not None,
    )


def check_messages(messages: list[dict[str, Any]]) -> None:
    """See that every tool call has its result directly after it. Raises ``WireViolation``."""
    waiting: list[str] = []
    for number, message in enumerate(messages):
        role = message.get("role")
        if role not in _ROLES:
            raise WireViolation(f"Invalid value: '{role}'. In messages[{number}].role")
        if role == "tool":
            call_id = message.get("tool_call_id")
            if call_id not in waiting:
                raise WireViolation(
                    "messages with role 'tool' must be a response to a preceding message with "
                    f"'tool_calls' (messages[{number}], tool_call_id {call_id!r})"
                )
            waiting.remove(call_id)
            continue
        _require_none(waiting)
        waiting = _call_ids(message, number)
    _require_none(waiting)


def _require_none(waiting: list[str]) -> None:
    if waiting:
        raise WireViolation(
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'. The following tool_call_ids did not have response messages: "
            + ", ".join(waiting)
        )


def _call_ids(message: dict[str, Any], number: int) -> list[str]:
    calls = message.get("tool_calls")
    if calls is None:
        return []
    if message.get("role") != "assistant" or not isinstance(calls, list) or not calls:
        raise WireViolation(f"Invalid 'messages[{number}].tool_calls': expected a list of calls")
    for place, call in enumerate(calls):
        function = call.get("function") if isinstance(call, dict) else None
        if (
            not isinstance(function, dict)
            or not isinstance(call.get("id"), str)
            or call.get("type") != "function"
            or not isinstance(function.get("name"), str)
            or not isinstance(function.get("arguments"), str)
        ):
            raise WireViolation(f"Invalid 'messages[{number}].tool_calls': a field is missing")
        if not _TOOL_NAME.fullmatch(function["name"]):
            raise WireViolation(
                f"Invalid 'messages[{number}].tool_calls[{place}].function.name': string does not "
                "match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
            )
    return [call["id"] for call in calls]


def _tools(body: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """The offered functions that may be called, and which must be."""
    tools, choice = body.get("tools"), body.get("tool_choice")
    if not tools:
        if choice is not None:
            raise WireViolation("'tool_choice' is only allowed when 'tools' are specified.")
        return [], ""
    if not isinstance(tools, list):
        raise WireViolation("Invalid type for 'tools': expected an array of objects")
    functions = [_function(tool, number) for number, tool in enumerate(tools)]
    if choice == "none":
        return [], ""
    if choice in (None, "auto", "required"):
        return functions, "required" if choice == "required" else ""
    named = choice.get("function") if isinstance(choice, dict) else None
    name = named.get("name") if isinstance(named, dict) else None
    if name not in [function["name"] for function in functions]:
        raise WireViolation(f"Invalid value for 'tool_choice': no tool is called {name!r}")
    return functions, str(name)


def _function(tool: object, number: int) -> dict[str, Any]:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(tool, dict) or tool.get("type") != "function":
        raise WireViolation(f"Invalid value for 'tools[{number}].type': expected 'function'")
    name = function.get("name") if isinstance(function, dict) else None
    if (
        not isinstance(function, dict)
        or not isinstance(name, str)
        or not _TOOL_NAME.fullmatch(name)
    ):
        raise WireViolation(
            f"Invalid 'tools[{number}].function.name': expected a string that matches the pattern "
            "'^[a-zA-Z0-9_-]+$' of at most 64 characters"
        )
    schema = function.get("parameters")
    if schema is not None and (
        not isinstance(schema, dict) or schema.get("type", "object") != "object"
    ):
        raise WireViolation(f"Invalid schema for function '{name}': expected 'type: \"object\"'")
    return function


def _check_effort(model: str, effort: object) -> None:
    if effort != "none":
        raise WireViolation(
            f"Function tools with reasoning_effort are not supported for {model} in "
            "/v1/chat/completions. To use function tools, use /v1/responses or set "
            "reasoning_effort to 'none'."
        )
