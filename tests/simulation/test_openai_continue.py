"""An emulated model that is shown its unfinished line ends it, as a real one would."""

from __future__ import annotations

from typing import Any

import pytest

from simulation.openai_continue import rest_of
from simulation.openai_replies import answer

WISH = "[Continue it: write only the words that come after its last word.]"
WHOLE = "On Sundays we close at five in the afternoon. Is there anything else I can help with?"


def line(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "content": content}


ASKED = line("user", "When do you close on Sunday?")


def test_the_rest_of_a_reply() -> None:
    assert answer([ASKED], [], ()).text == WHOLE
    begun = line("assistant", "On Sundays we close at")
    assert answer([ASKED, begun, line("user", WISH)], [], ()).text == WHOLE[23:]


@pytest.mark.parametrize(
    "messages",
    [
        [ASKED, line("user", WISH)],
        [ASKED, line("assistant", "At five."), line("user", "Please continue.")],
        [line("assistant", "Hello"), line("user", WISH)],
    ],
)
def test_what_is_no_wish_for_the_rest(messages: list[dict[str, Any]]) -> None:
    assert answer(messages, [], ()).text != ""
    assert not answer(messages, [], ()).text.startswith("five")


@pytest.mark.parametrize(
    ("whole", "begun", "rest"),
    [
        ("One two three.", "One two", "three."),
        ("One two three.", "One  two ", "three."),
        ("One two three.", "", "One two three."),
        ("One two three.", "One two three.", ""),
        ("One two three.", "Four", "One two three."),
        ("我哋星期日開", "我哋星期", "日開"),
    ],
)
def test_what_is_left(whole: str, begun: str, rest: str) -> None:
    assert rest_of(whole, begun) == rest
