"""What was said and done in one conversation, held against the same one carried another way."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from dialogue.tool_use import status_of
from voice.words import normalise


@dataclass(frozen=True, slots=True)
class TalkTurn:
    """One turn of the caller, as it was recorded.

    Attributes:
        tools: What was used, with what (``told_use``), and what came of it.
    """

    caller_text: str
    agent_text: str
    heard_text: str
    outcome: str
    tools: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation.

    Attributes:
        mode: How it was carried.
        turns: Of the caller, in order.
    """

    mode: str
    turns: tuple[TalkTurn, ...]

    @property
    def tools(self) -> tuple[tuple[str, str], ...]:
        """All of the call, in order."""
        return tuple(use for turn in self.turns for use in turn.tools)

    @property
    def interruptions(self) -> tuple[int, ...]:
        """Which turns (from 0) the caller has cut."""
        return tuple(n for n, turn in enumerate(self.turns) if turn.outcome == "interrupted")


class Recorded(Protocol):
    """A turn of a record; ``actors.wire.TurnEntry`` and ``records.rows.TurnRow`` are such."""

    @property
    def turn_id(self) -> int:
        """Of the turn, in the call."""

    @property
    def kind(self) -> str:
        """``caller`` for one that the caller has begun with words."""

    @property
    def caller_text(self) -> str:
        """What the caller said."""

    @property
    def agent_text(self) -> str:
        """What was to be said."""

    @property
    def heard_text(self) -> str:
        """What was heard of it."""

    @property
    def outcome(self) -> str:
        """How it ended."""


Uses = Mapping[int, Sequence[tuple[str, str]]]


def told_use(use: Mapping[str, Any]) -> tuple[str, str]:
    """A use of a record (``dialogue.tool_use``): name and arguments, and its status."""
    try:
        given = json.loads(str(use.get("arguments") or "{}"))
    except ValueError:
        given = {}
    arguments = given if isinstance(given, dict) else {}
    listed = ", ".join(f"{name}={arguments[name]}" for name in sorted(arguments))
    return f"{use.get('name', '')}({listed})", status_of(use)


def talk_of(mode: str, turns: Iterable[Recorded], uses: Uses) -> Talk:
    """The conversation of a record.

    Args:
        mode: How it was carried.
        turns: Of one call, in any order.
        uses: By turn id, the tools that it used and what came of them. Of a turn that the caller
            has not begun (a transfer that comes back) they belong to the caller's turn before it.
    """
    found: list[TalkTurn] = []
    for turn in sorted(turns, key=lambda each: each.turn_id):
        used = tuple(uses.get(turn.turn_id, ()))
        if turn.kind == "caller":
            found.append(
                TalkTurn(turn.caller_text, turn.agent_text, turn.heard_text, turn.outcome, used)
            )
        elif found and used:
            found[-1] = replace(found[-1], tools=found[-1].tools + used)
    return Talk(mode, tuple(found))


def differences(one: Talk, other: Talk) -> list[str]:
    """In words, where two of them are not the same; none: the caller noticed no difference.

    Words are compared without case and punctuation, which recognisers write as they like. Of a
    reply that was cut as much is compared as was heard of both: where a caller cuts in is nobody's
    to say to the syllable.
    """
    found = []
    names = f"{one.mode} and {other.mode}"
    if len(one.turns) != len(other.turns):
        found.append(f"{names}: {len(one.turns)} and {len(other.turns)} turns")
    for number, (a, b) in enumerate(zip(one.turns, other.turns, strict=False), 1):
        if normalise(a.caller_text) != normalise(b.caller_text):
            found.append(f"turn {number}, {names}: heard {a.caller_text!r} and {b.caller_text!r}")
        if a.outcome != b.outcome:
            found.append(f"turn {number}, {names}: {a.outcome} and {b.outcome}")
        elif not _is_same_reply(a, b):
            found.append(f"turn {number}, {names}: said {a.heard_text!r} and {b.heard_text!r}")
        if a.tools != b.tools:
            found.append(f"turn {number}, {names}: tools {a.tools} and {b.tools}")
    return found


def _is_same_reply(a: TalkTurn, b: TalkTurn) -> bool:
    one, other = normalise(a.heard_text), normalise(b.heard_text)
    if a.outcome != "interrupted":
        return one == other
    shorter = min(len(one), len(other))
    # The last word may be cut in the middle.
    return shorter > 0 and one[: shorter - 1] == other[: shorter - 1]


def all_differences(talks: Mapping[str, Talk] | Sequence[Talk]) -> list[str]:
    """Of every conversation from the first one."""
    told = list(talks.values()) if isinstance(talks, Mapping) else list(talks)
    return [line for talk in told[1:] for line in differences(told[0], talk)]
