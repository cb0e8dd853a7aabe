"""What is said on a new stream after words of the one that was lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.said_again import continued
from voice.words import normalise

WORDS = st.lists(st.sampled_from(["a", "table", "for", "two", "five"]), max_size=6).map(" ".join)


@pytest.mark.parametrize(
    ("before", "after", "whole"),
    [
        ("I would like a table", "", "I would like a table"),
        ("", "for two", "for two"),
        # He goes on.
        ("I would like a table", "for two people", "I would like a table for two people"),
        ("I would like a table for", "for two", "I would like a table for for two"),
        # He says it again, as it was or heard otherwise, with a word before it or not to its end.
        ("What are your hours?", "what are your hours", "What are your hours?"),
        ("What are your", "What are your hours?", "What are your hours?"),
        ("a table for too at eight", "A table for two at eight.", "A table for two at eight."),
        ("a table for two", "sorry, a table for two", "sorry, a table for two"),
        ("a table for two at", "a table for", "a table for two at"),
        ("no", "No, thanks.", "no thanks."),
        # He says the end of it again.
        (
            "I would like a table for two",
            "for two at eight",
            "I would like a table for two at eight",
        ),
        # These are two things.
        ("five five", "five six", "five five five six"),
        ("a table", "outside", "a table outside"),
        ("yes", "I do", "yes I do"),
        ("我想訂一張", "一張檯", "我想訂一張檯"),
        ("我想訂", "我想訂一張檯", "我想訂一張檯"),
    ],
)
def test_words_stand_once_and_none_is_dropped(before: str, after: str, whole: str) -> None:
    assert normalise(continued(before, after)) == normalise(whole)


@given(WORDS, WORDS)
def test_it_adds_nothing_and_begins_or_ends_with_what_is_known(before: str, after: str) -> None:
    old, new = normalise(before), normalise(after)
    whole = normalise(continued(before, after))
    assert whole[: len(old)] == old or whole == new
    assert whole[len(whole) - len(new) :] == new or whole == old
    assert len(whole) <= len(old) + len(new)
