from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.failover.overlap import without_overlap
from voice.words import normalise


@pytest.mark.parametrize(
    ("known", "text", "rest"),
    [
        ("I would like a table", "table for two", "for two"),
        ("I would like a table.", "A table, for two.", "for two."),
        ("I would like a table", "ble table for two", "for two"),  # the remnant of a word
        ("I would like a table", "table", ""),
        ("I would like a table", "for two", "for two"),
        ("", "for two", "for two"),
        ("for two", "", ""),
        ("我想订一张", "一张桌子", "桌子"),
        ("no no no", "no no", ""),
        ("go on", "on on on", "on on"),
    ],
)
def test_words_at_the_seam_come_once(known: str, text: str, rest: str) -> None:
    assert without_overlap(text, known) == rest


@given(st.text(max_size=40), st.text(max_size=40))
def test_never_more_than_four_words_are_dropped_and_the_rest_is_unchanged(
    known: str, text: str
) -> None:
    rest = normalise(without_overlap(text, known))
    words = normalise(text)
    assert words[len(words) - len(rest) :] == rest
    assert len(words) - len(rest) <= 4
