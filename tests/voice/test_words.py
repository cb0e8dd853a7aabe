"""Comparing and joining words in every script."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.words import (
    has_real_words,
    has_words,
    join_words,
    normalise,
    remainder,
    split_words,
)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Hello, World!", "hello world"),
        ("I'm here", "i’m HERE."),
        ("ＡＢＣ １２３", "abc 123"),
        ("我想訂一張檯。", "我想 訂一張檯"),
        ("Straße", "STRASSE"),
        ("cafe\u0301", "CAFÉ"),
    ],
)
def test_the_same_words(left: str, right: str) -> None:
    assert normalise(left) == normalise(right)


@pytest.mark.parametrize(("left", "right"), [("yes", "yet"), ("二", "三"), ("a b", "ab")])
def test_different_words(left: str, right: str) -> None:
    assert normalise(left) != normalise(right)


@pytest.mark.parametrize(
    ("parts", "joined"),
    [
        (("a", "b"), "a b"),
        ((" a ", "", "b"), "a b"),
        (("我想", "訂檯"), "我想訂檯"),
        (("你好。", "Hello"), "你好。Hello"),
        (("안녕", "하세요"), "안녕 하세요"),
        ((), ""),
    ],
)
def test_joining(parts: tuple[str, ...], joined: str) -> None:
    assert join_words(parts) == joined


@pytest.mark.parametrize(
    ("text", "any_word", "real"),
    [
        ("", False, False),
        ("...!", False, False),
        ("Mhm.", True, False),
        ("uh-huh", True, False),
        ("嗯嗯", True, False),
        ("um yes", True, True),
        ("唔係", True, True),
        ("5", True, True),
    ],
)
def test_what_counts_as_a_word(text: str, any_word: bool, real: bool) -> None:
    assert (has_words(text), has_real_words(text)) == (any_word, real)


@pytest.mark.parametrize(
    ("phrase", "taken", "rest"),
    [
        ("I want a table", "I want", "a table"),
        ("I want", "I want", ""),
        ("I want", "I want a table", ""),
        ("I'm going to go", "I'm gonna go", ""),
        ("I want to book a table", "I want to cook", "a table"),
        ("我想訂一張檯", "我想訂", "一張檯"),
        ("yes", "", "yes"),
    ],
)
def test_what_a_phrase_says_beyond_what_was_taken(phrase: str, taken: str, rest: str) -> None:
    assert remainder(phrase, taken, is_same_phrase=True) == rest


def test_a_phrase_that_shares_nothing_may_be_a_new_one() -> None:
    assert remainder("yes please", "book a table", is_same_phrase=False) == "yes please"
    assert remainder("yes", "yeah", is_same_phrase=True) == ""


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.booleans())
def test_any_text_can_be_compared(phrase: str, taken: str, same: bool) -> None:
    rest = remainder(phrase, taken, is_same_phrase=same)
    assert len(normalise(rest)) <= len(normalise(phrase))
    words = split_words(phrase)
    assert all(0 <= word.start < word.end <= len(phrase) for word in words)
    assert bool(words) >= has_words(phrase)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["one", "two", "three", "四", "五"]), min_size=1, max_size=6))
def test_nothing_is_new_in_a_repetition(words: list[str]) -> None:
    text = " ".join(words)
    assert remainder(text, text.upper(), is_same_phrase=True) == ""
