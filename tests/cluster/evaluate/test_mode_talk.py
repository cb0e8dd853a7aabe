from __future__ import annotations

from dataclasses import replace

import pytest

from actors.wire import TurnEntry
from cluster.evaluate.mode_talk import (
    Talk,
    TalkTurn,
    all_differences,
    differences,
    talk_of,
    told_use,
)

TURNS = (
    TalkTurn("ten of clubs", "A fine card.", "A fine card.", "heard"),
    TalkTurn("yes", "There is a lot to say.", "There is a", "interrupted"),
    TalkTurn("buy", "One moment.", "One moment.", "heard", (("sales", "busy"),)),
)
ONE = Talk("pipeline", TURNS)


def but(number: int, **changes: object) -> Talk:
    turns = list(TURNS)
    turns[number] = replace(turns[number], **changes)  # type: ignore[arg-type]
    return Talk("relay", tuple(turns))


@pytest.mark.parametrize(
    "other",
    [
        Talk("relay", TURNS),
        but(0, caller_text="Ten of clubs!"),
        but(1, heard_text="There is a lot"),
        but(1, heard_text="There is"),
    ],
)
def test_what_no_caller_would_notice_is_no_difference(other: Talk) -> None:
    assert differences(ONE, other) == []


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (Talk("relay", TURNS[:2]), "3 and 2 turns"),
        (but(0, caller_text="Nine of clubs"), "turn 1, pipeline and relay: heard"),
        (but(0, heard_text="A fine"), "turn 1, pipeline and relay: said"),
        (but(0, outcome="failed"), "turn 1, pipeline and relay: heard and failed"),
        (but(1, heard_text=""), "turn 2, pipeline and relay: said"),
        (but(1, heard_text="Something else was said"), "turn 2, pipeline and relay: said"),
        (but(2, tools=()), "turn 3, pipeline and relay: tools"),
        (but(2, tools=(("sales", "completed"),)), "turn 3, pipeline and relay: tools"),
    ],
)
def test_a_difference_is_told_with_its_turn(other: Talk, told: str) -> None:
    (found,) = differences(ONE, other)
    assert told in found


def test_all_are_held_against_the_first() -> None:
    talks = [ONE, Talk("relay", TURNS), Talk("realtime", TURNS[:1])]
    assert all_differences(talks) == ["pipeline and realtime: 3 and 1 turns"]
    assert ONE.tools == (("sales", "busy"),)
    assert ONE.interruptions == (1,)


def test_what_a_transfer_came_back_with_belongs_to_the_turn_that_asked_for_it() -> None:
    turns = (
        TurnEntry(2, "resume", heard_text="Nobody is there."),
        TurnEntry(0, "greeting", heard_text="Hello!"),
        TurnEntry(1, "caller", "Sales please", "One moment.", "One moment."),
    )
    uses = {1: [("sales", "put through")], 2: [("sales", "busy")]}
    talk = talk_of("relay", turns, uses)
    assert [turn.caller_text for turn in talk.turns] == ["Sales please"]
    assert talk.tools == (("sales", "put through"), ("sales", "busy"))


@pytest.mark.parametrize(
    ("use", "told"),
    [
        (
            {"name": "stock", "arguments": '{"n": 2, "item": "seven"}', "result": "{}"},
            ("stock(item=seven, n=2)", "unknown"),
        ),
        (
            {"name": "sales", "result": '{"status": "busy"}', "of_turn": 3},
            ("sales()", "busy"),
        ),
        (
            {"name": "a", "arguments": "{", "result": '{"status": "done"}'},
            ("a()", "done"),
        ),
        ({"name": "a", "arguments": "[1]", "result": "no JSON"}, ("a()", "unknown")),
    ],
)
def test_a_use_is_told_with_its_arguments(use: dict[str, object], told: tuple[str, str]) -> None:
    assert told_use(use) == told
