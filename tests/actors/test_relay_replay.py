"""Prompts that a carrier tells again on the next socket: answered once, no tool used twice."""

from __future__ import annotations

from typing import Any

import pytest

from actors.relay_replay import REPLAY_S, ReplayGuard
from actors.wire import TurnEntry
from dialogue.tool_journal import UNKNOWN, plain_use

BOOKED = plain_use("use-1", "book", "{}", UNKNOWN)
NOTED = {"name": "remember", "arguments": "{}", "result": "{}"}


def turn(heard: str, *tools: dict[str, Any]) -> TurnEntry:
    return TurnEntry(1, "caller", "Book a table.", heard, heard, outcome="dropped", tools=tools)


@pytest.mark.parametrize(
    ("entry", "is_over"),
    [
        (turn("It is booked."), True),
        (turn(""), False),
        (turn("", NOTED), False),
        (turn("", BOOKED), True),
        (turn("", {**BOOKED, "of_turn": 0}), False),
    ],
)
def test_what_was_answered_or_had_a_tool_begun_is_not_asked_again(
    entry: TurnEntry, is_over: bool
) -> None:
    guard = ReplayGuard([entry], now=10.0)
    assert guard.is_replayed("book a table", is_last=True, now=10.5) is is_over
    assert not guard.is_replayed("book a table", is_last=True, now=10.6), "each counts once"


def test_a_caller_who_says_it_later_means_it() -> None:
    guard = ReplayGuard([turn("", BOOKED)], now=10.0)
    assert not guard.is_replayed("book a table", is_last=True, now=10.1 + REPLAY_S)
