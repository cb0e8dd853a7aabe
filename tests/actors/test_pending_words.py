"""What the caller has said that no settled turn answers."""

from __future__ import annotations

from typing import Any

import pytest

from actors.pending_words import UNFINISHED_FOR_S, PendingWords
from actors.wire import TurnEntry


def turn(turn_id: int, kind: str = "caller", **more: Any) -> TurnEntry:
    return TurnEntry(turn_id, kind, "words", "reply", **{"heard_text": "reply", **more})


CUT = turn(3, heard_text="", outcome="interrupted", reason="final+silence; stream closed")
TAKEN = ("taken", 3, "a table")
GUESSED = ("guessed", 3, "a table")
FURTHER = ("guessed", 3, "a table for two")


@pytest.mark.parametrize(
    ("events", "unanswered", "unfinished"),
    [
        ([], "", ""),
        # It was said, and perhaps not to its end.
        ([GUESSED], "", "a table"),
        ([GUESSED, FURTHER], "", "a table for two"),
        ([GUESSED, turn(2)], "", "a table"),
        ([GUESSED, turn(3, "silence")], "", ""),
        ([GUESSED, turn(4)], "", ""),
        ([GUESSED, turn(3, "resume")], "", "a table"),
        # It was taken.
        ([GUESSED, TAKEN], "a table", ""),
        ([TAKEN, turn(3)], "", ""),
        ([TAKEN, CUT], "a table", ""),
        ([TAKEN, turn(4, "resume")], "", ""),
        ([("guessed", 4, "and wine"), TAKEN], "a table", "and wine"),
        # It was taken, and taken back, as the caller went on.
        ([GUESSED, TAKEN, FURTHER], "", "a table for two"),
        ([GUESSED, TAKEN, FURTHER, ("taken", 3, "a table for two")], "a table for two", ""),
        # The next stream has answered it.
        ([GUESSED, turn(3, "resume"), ("guessed", 4, "a table")], "", "a table"),
        ([GUESSED, turn(3, "resume"), ("taken", 4, "a table")], "a table", ""),
        ([GUESSED, turn(3, "resume"), ("taken", 4, "a table"), turn(4)], "", ""),
    ],
)
def test_what_the_next_stream_is_told(events: list[Any], unanswered: str, unfinished: str) -> None:
    words = PendingWords()
    for event in events:
        match event:
            case TurnEntry():
                words.settled([event])
            case ("taken", turn_id, text):
                words.taken(turn_id, text)
            case ("guessed", turn_id, text):
                words.guessed(turn_id, text, now=5.0)
    assert (words.unanswered, words.unfinished(now=6.0)) == (unanswered, unfinished)


def test_unfinished_words_are_forgotten_and_what_was_asked_is_not() -> None:
    words = PendingWords()
    words.taken(2, "a table")
    words.guessed(3, "and wine", now=5.0)
    assert words.unfinished(now=5.0 + UNFINISHED_FOR_S) == "and wine"
    assert words.unfinished(now=5.1 + UNFINISHED_FOR_S) == ""
    assert words.unanswered == "a table"
