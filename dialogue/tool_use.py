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
``of_turn``: it replaces the result of that turn's use. A use of a tool that runs has an ``id``
besides (``dialogue.tool_journal``), and a fact to be remembered is ``fact`` and ``value``. Readers
take what they know and skip the rest: another version may have written it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dialogue.ports import Message, ToolCallRequested
from dialogue.tools import Action, EndCall, Note, Remember, SendDigits, Transfer

MAX_ARGUMENT_CHARS = 500
MAX_NAME_CHARS = 64
MAX_FACTS = 30
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


def refused(why: str) -> str:
    """What the model reads of a wish that cannot be done."""
    return json.dumps({"error": why}, ensure_ascii=False)


def answer_messages(
    said: str, calls: Iterable[ToolCallRequested], answers: Mapping[str, str]
) -> tuple[Message, ...]:
    """What the model reads after its calls; ``answers`` is JSON by the call's id.

    Services refuse a history with names or arguments of a form that they do not allow, though
    their own models write them: such a call is told in a form that is allowed.
    """
    asked = tuple(calls)
    results = (
        Message("tool", answers.get(call.id) or refused("not done"), tool_call_id=call.id)
        for call in asked
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


@dataclass(frozen=True, slots=True)
class LateResults:
    """What came of uses after their turns were settled.

    Attributes:
        by_turn: Of transfers, by the turn that asked for them.
        by_id: Of tools that run, by the id of the use.
        known: Ids of uses that a settled turn of their own tells of.
    """

    by_turn: Mapping[int, str] = field(default_factory=dict)
    by_id: Mapping[str, str] = field(default_factory=dict)
    known: frozenset[str] = frozenset()


def with_uses(
    spoken: Message | None, turn_id: int, uses: Iterable[Mapping[str, Any]], late: LateResults
) -> list[Message]:
    """The agent's side of a settled turn, with the tools it used and what came of them.

    What ran was asked for before the words that tell of its result; the rest came after them.

    Args:
        spoken: What was heard of it; None for nothing.
        turn_id: Of the turn.
        uses: Of the turn.
        late: Results that came later.
    """
    ran: list[tuple[ToolCallRequested, Message]] = []
    done: list[tuple[ToolCallRequested, Message]] = []
    for use in uses:
        name, arguments, use_id = use.get("name"), use.get("arguments"), use.get("id")
        if not isinstance(name, str) or not name:
            continue
        if "of_turn" in use and (not isinstance(use_id, str) or use_id in late.known):
            continue
        is_run = isinstance(use_id, str)
        call_id = f"turn_{turn_id}_{len(ran) + len(done)}"
        is_json = isinstance(arguments, str) and _is_object(arguments)
        call = ToolCallRequested(call_id, name, str(arguments) if is_json else "{}")
        newer = late.by_id.get(str(use_id)) if is_run else late.by_turn.get(turn_id)
        result = newer if newer is not None else str(use.get("result", ""))
        (ran if is_run else done).append((call, Message("tool", result, tool_call_id=call_id)))
    before = _asked(Message("assistant", ""), ran) if ran else []
    if not done:
        return [*before, *([spoken] if spoken is not None else [])]
    return [*before, *_asked(spoken or Message("assistant", ""), done)]


def _asked(line: Message, uses: list[tuple[ToolCallRequested, Message]]) -> list[Message]:
    calls = tuple(call for call, _ in uses)
    return [replace(line, tool_calls=calls), *(result for _, result in uses)]


def late_results(
    uses: Iterable[Mapping[str, Any]], newer: Mapping[str, str] | None = None
) -> LateResults:
    """The results among ``uses`` that belong to earlier turns, and ``newer`` ones, by id."""
    by_turn: dict[int, str] = {}
    by_id: dict[str, str] = {}
    known: set[str] = set()
    for use in uses:
        of_turn, use_id, result = use.get("of_turn"), use.get("id"), str(use.get("result", ""))
        if isinstance(use_id, str) and "of_turn" not in use:
            known.add(use_id)
        elif isinstance(use_id, str):
            by_id[use_id] = result
        elif isinstance(of_turn, int):
            by_turn[of_turn] = result
    return LateResults(by_turn, {**by_id, **(newer or {})}, frozenset(known))


def fact_use(tool: str, name: str, value: str) -> Plain:
    """A fact that the call is to remember, as it is kept with its turn."""
    return {
        "name": tool,
        "arguments": json.dumps({"name": name, "value": value}, ensure_ascii=False),
        "result": json.dumps({"status": "noted"}),
        "fact": name,
        "value": value,
    }


def language_switch(tool: str, language: str) -> Plain:
    """A change of language, as it is kept with its turn (``dialogue.call_language``)."""
    note = "from the next turn on everything is heard and spoken in it; answer in it"
    return {
        "name": tool,
        "arguments": json.dumps({"language": language}),
        "result": json.dumps({"status": "done", "note": note}),
        "language": language,
        "why": "tool",
    }


def note_use(note: Note) -> Plain:
    """What a tool notes for the rest of the call, as it is kept with its turn."""
    if isinstance(note, Remember):
        return fact_use(note.tool, note.name, note.value)
    return language_switch(note.tool, note.language)


def facts_in(uses: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """What is remembered after ``uses``, oldest first; the newest value of a name counts."""
    facts: dict[str, str] = {}
    for use in uses:
        name, value = use.get("fact"), use.get("value")
        if not isinstance(name, str) or not isinstance(value, str):
            continue
        facts.pop(name, None)
        if value:
            facts[name] = value
    return dict(list(facts.items())[-MAX_FACTS:])


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


_STATUS = {"dial": "put through", "digits": "pressed", "end": "done"}
