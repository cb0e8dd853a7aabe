"""Comparing and joining words in every script."""

from __future__ import annotations

from difflib import SequenceMatcher

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import voice.words
from voice.words import (
    has_real_words,
    has_words,
    join_words,
    normalise,
    remainder,
    split_words,
    units,
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
        ("ﾊﾞｽを予約", "バスを予約"),
        ("か\u3099", "が"),
        ("ﬁne", "FINE"),
        ("İZMİR", "izmir"),
        ("مَرْحَبًا", "مرحبا"),
        ("مرحـــبا", "مرحبا"),
        ("שָׁלוֹם", "שלום"),
        ("می\u200cخواهم", "میخواهم"),
        ("co\u00adoperate", "cooperate"),
        ("n'est-ce pas", "N’EST CE PAS!"),
        ("สวัสดี ครับ", "สวัสดีครับ"),
        ("first\nsecond", "first second"),
    ],
)
def test_the_same_words(left: str, right: str) -> None:
    assert normalise(left) == normalise(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("yes", "yet"),
        ("二", "三"),
        ("a b", "ab"),
        ("papá", "papa"),
        ("sí", "si"),
        ("schon", "schön"),
        ("电话", "電話"),
        ("は", "ば"),
        ("มา", "ม้า"),
    ],
)
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


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0.0),
        ("...", 0.0),
        ("hold on", 2.0),
        ("我想訂一張檯", 3.0),
        ("予約です", 2.0),
        ("안녕 하세요", 2.0),
        ("book 兩位", 2.0),
        ("มี", 0.25),
        ("ﾊﾞ", 0.5),
    ],
)
def test_how_much_was_said(text: str, count: float) -> None:
    assert units(text) == count


def test_a_mark_belongs_to_its_character() -> None:
    phrase = "ﾊﾞｽで行く"
    assert [phrase[word.start : word.end] for word in split_words(phrase)][:2] == ["ﾊﾞ", "ｽ"]
    assert remainder("ﾊﾞｽで行きます", "バスで", is_same_phrase=True) == "行きます"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_what_was_said_adds_up(left: str, right: str) -> None:
    assert units(f"{left} {right}") == units(left) + units(right)


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


def test_the_effort_of_a_revised_phrase_does_not_grow_with_the_square_of_its_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three thousand times "no", heard anew, held up every call of the process for seconds."""
    compared: list[int] = []

    def match(
        junk: None, old: tuple[str, ...], new: tuple[str, ...], autojunk: bool
    ) -> SequenceMatcher[str]:
        compared.append(len(old) * len(new))
        return SequenceMatcher(junk, old, new, autojunk=autojunk)

    monkeypatch.setattr(voice.words, "SequenceMatcher", match)
    for length in (1_000, 4_000):
        said = "no " * length
        assert remainder(f"oh {said[3:]} please", said, is_same_phrase=True) == "please"
        assert remainder(f"oh {said[3:]}", said, is_same_phrase=False) == ""
    assert compared[0] == compared[2]
    assert compared[1] == compared[3]
