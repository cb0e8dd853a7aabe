"""What the language model is told of the call so far."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from dialogue.agent import Agent
from dialogue.history import History, HistoryLimits, caller_line, instructions, language_name

AGENT = Agent("t", "a", "v1", "en-US", "You are Ann.", "Hello!", "voice")


@dataclass(frozen=True)
class Settled:
    turn_id: int
    kind: str = "caller"
    caller_text: str = ""
    heard_text: str = ""
    outcome: str = "heard"
    tools: tuple[dict[str, Any], ...] = ()


GREETING = Settled(0, "greeting", "", "Hello!")


def told(
    *turns: Settled, before: int = 99, line: str = "", limits: HistoryLimits | None = None
) -> list[tuple[str, str]]:
    history: History[Settled] = History(limits or HistoryLimits())
    history.add(turns)
    messages = history.messages(AGENT, before, line)
    assert messages[0].role == "system"
    return [(message.role, message.text) for message in messages[1:]]


def test_a_prompt_is_one_string_in_all_calls_of_an_agent() -> None:
    one, other = (History[Settled](HistoryLimits()).messages(AGENT, 1, "Hi") for _ in range(2))
    assert one[0].text is other[0].text


def test_the_greeting_is_the_assistants_first_line() -> None:
    assert told(GREETING, line="Hi") == [("assistant", "Hello!"), ("user", "Hi")]


def test_turns_alternate() -> None:
    assert told(GREETING, Settled(1, caller_text="Hi", heard_text="Yes?"), line="Book") == [
        ("assistant", "Hello!"),
        ("user", "Hi"),
        ("assistant", "Yes?"),
        ("user", "Book"),
    ]


@pytest.mark.parametrize(
    ("heard", "outcome", "line"),
    [
        ("We have a table", "interrupted", "We have a table…"),
        ("We have a table,", "interrupted", "We have a table…"),
        ("我哋有", "failed", "我哋有…"),
    ],
)
def test_a_reply_that_was_cut_off_says_so(heard: str, outcome: str, line: str) -> None:
    turn = Settled(1, caller_text="Hi", heard_text=heard, outcome=outcome)
    assert told(turn) == [("user", "Hi"), ("assistant", line)]


def test_a_reply_nobody_heard_is_not_there_and_the_callers_lines_join() -> None:
    turn = Settled(1, caller_text="I want", heard_text="", outcome="interrupted")
    assert told(turn, line="a table") == [("user", "I want\na table")]


def test_a_dropped_turn_asked_again_with_more_words_is_told_once() -> None:
    turn = Settled(1, caller_text="I want", heard_text="Of", outcome="dropped")
    assert told(turn, line="I want a table") == [("user", "I want a table")]


def test_silence_adds_only_the_agents_line() -> None:
    silence = Settled(2, "silence", "", "Are you still there?")
    assert told(GREETING, silence) == [("assistant", "Hello!\nAre you still there?")]


def test_keys_are_told_as_keys() -> None:
    assert caller_line("digits", "12#") == "(pressed on the keypad: 1 2 #)"
    assert caller_line("digits", "it is 42") == "it is (pressed on the keypad: 4 2)"
    assert caller_line("digits", "係12") == "係 (pressed on the keypad: 1 2)"
    assert caller_line("caller", "12") == "12"
    assert told(Settled(1, "digits", "1", "ok"))[0] == ("user", "(pressed on the keypad: 1)")


def test_only_turns_before_the_asked_one_are_told() -> None:
    assert told(GREETING, Settled(5, caller_text="later"), before=5) == [("assistant", "Hello!")]


def test_the_first_account_of_a_turn_stands_and_late_ones_find_their_place() -> None:
    history: History[Settled] = History(HistoryLimits())
    history.add([Settled(0), Settled(2, caller_text="two")])
    fresh = history.add([Settled(1, caller_text="one"), Settled(2, caller_text="TWO")])
    assert fresh == [Settled(1, caller_text="one")]
    assert [(turn.turn_id, turn.caller_text) for turn in history.turns] == [
        (0, ""),
        (1, "one"),
        (2, "two"),
    ]


def test_the_window_is_bounded_by_turns_and_moves_in_steps() -> None:
    """A prompt whose beginning stays put is cheaper at the provider."""
    limits = HistoryLimits(max_turns=8, max_chars=10_000)
    starts = []
    for count in range(1, 30):
        turns = [Settled(n, caller_text=f"q{n}", heard_text=f"a{n}") for n in range(count)]
        lines = told(*turns, limits=limits)
        assert len(lines) <= 16
        assert lines[-1] == ("assistant", f"a{count - 1}")
        starts.append(lines[0][1])
    assert len(set(starts)) < 12


def test_the_window_is_bounded_by_characters_but_keeps_the_last_turn() -> None:
    turns = [Settled(n, caller_text="x" * 400, heard_text=f"a{n}") for n in range(20)]
    lines = told(*turns, limits=HistoryLimits(max_chars=1_000))
    assert len(lines) in (2, 4)
    huge = Settled(3, caller_text="y" * 5_000)
    assert told(*turns[:3], huge, limits=HistoryLimits(max_chars=1_000))[-1][1].endswith("y")


def test_instructions_hold_the_prompt_and_the_language() -> None:
    text = instructions(replace(AGENT, language="zh-HK"))
    assert text.startswith("You are Ann.")
    assert "Cantonese" in text


@pytest.mark.parametrize(
    ("tag", "name"), [("en-GB", "English"), ("zh-CN", "Mandarin Chinese"), ("xx-XX", "xx-XX")]
)
def test_language_names(tag: str, name: str) -> None:
    assert language_name(tag) == name
