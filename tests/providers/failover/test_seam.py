"""Text of two models: no half word before the seam, no word twice after it, none missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.failover.seam import Seam, WholeWords
from voice.words import normalise


def handed_out(*pieces: str) -> list[str]:
    words = WholeWords()
    return [*(words.feed(piece) for piece in pieces), words.finish()]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (("On", " Sun", "days", " we"), ["", "On ", "", "Sundays ", "we"]),
        (("Gladly", ".", " Where"), ["", "Gladly.", " ", "Where"]),
        (("It", "'", "s", " five"), ["", "", "", "It's ", "five"]),
        (("我哋", "星期日"), ["我哋", "星期日", ""]),
        (("twenty", "-", "one "), ["", "", "twenty-one ", ""]),
        (("สวัสดี" * 10,), ["สวัสดี" * 10, ""]),
    ],
)
def test_a_word_is_handed_on_when_it_is_whole(pieces: tuple[str, ...], expected: list[str]) -> None:
    assert handed_out(*pieces) == expected


@given(st.lists(st.text(max_size=8), max_size=12))
def test_nothing_is_lost_or_changed(pieces: list[str]) -> None:
    assert "".join(handed_out(*pieces)) == "".join(pieces)


SUNDAY = "On Sundays we close at "


@pytest.mark.parametrize(
    ("before", "after", "whole"),
    [
        (SUNDAY, "five in the afternoon.", "On Sundays we close at five in the afternoon."),
        (SUNDAY, " five.", "On Sundays we close at five."),
        (SUNDAY, "...five.", "On Sundays we close at five."),
        (SUNDAY, "… five.", "On Sundays we close at five."),
        (SUNDAY, "at five.", "On Sundays we close at five."),
        (SUNDAY, "close at five.", "On Sundays we close at five."),
        (SUNDAY, "On Sundays we close at five.", "On Sundays we close at five."),
        (SUNDAY, "on sundays, we close at five.", "On Sundays we close at five."),
        (SUNDAY, "We are open at five.", "On Sundays we close at We are open at five."),
        ("Gladly.", "Where to?", "Gladly. Where to?"),
        ("Gladly.", "Gladly. Where to?", "Gladly. Where to?"),
        ("Gladly. ", "Where to?", "Gladly. Where to?"),
        ("At five, ", "five, and on Mondays at six.", "At five, and on Mondays at six."),
        ("我哋星期日", "開到五點。", "我哋星期日開到五點。"),
        ("我哋星期日", "星期日開到五點。", "我哋星期日開到五點。"),
        ("That is all.", "", "That is all."),
        ("That is all.", "That is all.", "That is all."),
        ("No, ", "no, ", "No, "),
        ("", "Hello.", "Hello."),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_no_word_is_said_twice(before: str, after: str, whole: str, size: int) -> None:
    seam = Seam(before)
    pieces = [after[at : at + size] for at in range(0, len(after), size)]
    assert before + "".join(seam.feed(piece) for piece in pieces) + seam.finish() == whole


VOCABULARY = ("we", "close", "at", "five", "on", "sundays", "and", "open")
words = st.lists(st.sampled_from(VOCABULARY), max_size=12)


@given(words, st.integers(0, 12), st.integers(0, 6), st.integers(1, 7))
def test_whatever_is_repeated_each_word_comes_once(
    said: list[str], cut: int, repeated: int, size: int
) -> None:
    """A model that goes on exactly, or begins up to six words early."""
    distinct = list(dict.fromkeys(said))  # else "five five" could be meant
    cut = min(cut, len(distinct))
    before = "".join(f"{word} " for word in distinct[:cut])
    after = " ".join(distinct[max(0, cut - repeated) :])
    seam = Seam(before)
    pieces = [after[at : at + size] for at in range(0, len(after), size)]
    found = before + "".join(seam.feed(piece) for piece in pieces) + seam.finish()
    assert normalise(found) == tuple(distinct)


def test_what_cannot_be_a_repetition_is_handed_on_at_once() -> None:
    seam = Seam(SUNDAY)
    assert seam.feed("five ") == "five "
    assert seam.feed("in") == "in"


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_taken(before: str, after: str) -> None:
    seam = Seam(before)
    assert len(seam.feed(after) + seam.finish()) <= len(after) + 1
