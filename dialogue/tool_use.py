"""Tools that were used, as plain data: on their way to the phone, and in the history of a call.

An *action* is what the model wants and may have::

    {"verb": "dial", "tool": "transfer", "arguments": "{}", "to": "+1...", "timeout_s": 20,
     "caller_id": ""}
    {"verb": "digits", "tool": "send_digits", "arguments": "...", "digits": "12#"}
    {"verb": "end", "tool": "end_call", "arguments": "{}"}

As it leaves, it is told who has the call meanwhile: ``actor`` is the name of its CallActor, and
``minted_us`` belongs to the epoch that this one knows.

A *use* is what became of it: ``{"name", "arguments", "result"}``, kept with the turn that asked for
it. What is only known later (nobody answered a transfer) is kept with a later turn, as a use with
``of_turn``: it replaces the result of that turn's use. Readers take what they know and skip the
rest: another version may have written it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from dialogue.ports import Message, ToolCallRequested
from dialogue.tools import Action, EndCall, SendDigits, Transfer

MAX_ARGUMENT_CHARS = 500
MAX_NAME_CHARS = 64
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")

Plain = dict[str, Any]


def plain_action(action: Action, call: ToolCallRequested) -> Plain:
    """An action as it crosses between the halves of a call."""
    told = {"tool": action.tool, "arguments": call.arguments_json[:MAX_ARGUMENT_CHARS]}
    match action:
        case EndCall():
            return {"verb": "end", **told}
        case Transfer(to=to, timeout_s=timeout_s, caller_id=caller_id):
            where = {"to": to, "timeout_s": timeout_s, "caller_id": caller_id}
            return {"verb": "dial", **told, **where}
        case SendDigits(digits=digits):
            return {"verb": "digits", **told, "digits": digits}


def use_of(action: Mapping[str, Any], *, is_done: bool) -> Plain:
    """The use of a turn: its reply was heard and the action is performed, or it was not."""
    if is_done:
        result = {"status": _STATUS.get(str(action.get("verb")), "done")}
    else:
        result = {"status": "not done", "why": "the caller spoke before, or the words failed"}
    return {
        "name": str(action.get("tool", "")),
        "arguments": str(action.get("arguments", "{}")),
        "result": json.dumps(result),
    }


def status_of(use: Mapping[str, Any]) -> str:
    """What came of a use, in a word or two; ``unknown`` when another version wrote it."""
    try:
        result = json.loads(str(use.get("result", "")))
    except (ValueError, RecursionError):
        return "unknown"
    status = result.get("status") if isinstance(result, dict) else None
    return status if isinstance(status, str) and status else "unknown"


def late_result(tool: str, status: str, of_turn: int) -> Plain:
    """What became of a transfer after its turn: ``status`` as the carrier names it."""
    result = {"status": status, "note": "not put through; the caller is back on the line with you"}
    return {"name": tool, "result": json.dumps(result), "of_turn": of_turn}


def refusal_messages(
    said: str, calls: Iterable[ToolCallRequested], why: Mapping[str, str]
) -> tuple[Message, ...]:
    """What the model reads after calls that cannot be done; ``why`` is by the call's id.

    Services refuse a history with names or arguments of a form that they do not allow, though
    their own models write them: such a call is told in a form that is allowed.
    """
    asked = tuple(calls)
    results = (
        Message("tool", json.dumps({"error": why[call.id]}), tool_call_id=call.id) for call in asked
    )
    told = (
        ToolCallRequested(
            call.id,
            _NOT_IN_NAMES.sub("_", call.name)[:MAX_NAME_CHARS],
            call.arguments_json if _is_object(call.arguments_json) else "{}",
        )
        for call in asked
    )
    return (Message("assistant", said, tool_calls=tuple(told)), *results)


def with_uses(
    spoken: Message | None, turn_id: int, uses: Iterable[Mapping[str, Any]], late: Mapping[int, str]
) -> list[Message]:
    """The agent's side of a settled turn, with the tools it used and what came of them.

    Args:
        spoken: What was heard of it; None for nothing.
        turn_id: Of the turn.
        uses: Of the turn.
        late: Results that came later, by ``turn_id``.
    """
    calls: list[ToolCallRequested] = []
    results: list[Message] = []
    for use in uses:
        name, arguments = use.get("name"), use.get("arguments")
        if "of_turn" in use or not isinstance(name, str) or not name:
            continue
        call_id = f"turn_{turn_id}_{len(calls)}"
        is_json = isinstance(arguments, str) and _is_object(arguments)
        calls.append(ToolCallRequested(call_id, name, str(arguments) if is_json else "{}"))
        result = late.get(turn_id, str(use.get("result", "")))
        results.append(Message("tool", result, tool_call_id=call_id))
    if not calls:
        return [spoken] if spoken is not None else []
    line = spoken or Message("assistant", "")
    return [replace(line, tool_calls=tuple(calls)), *results]


def late_results(uses: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    """The results among ``uses`` that belong to earlier turns, by ``turn_id``."""
    return {
        use["of_turn"]: str(use.get("result", ""))
        for use in uses
        if isinstance(use.get("of_turn"), int)
    }


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


_STATUS = {"dial": "put through", "digits": "pressed", "end": "done"}
