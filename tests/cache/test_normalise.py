from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cache.normalise import canonical

LANGUAGES = st.sampled_from(["en-US", "zh-TW", "yue-HK", "de-DE", "fr-FR", "th-TH", "xx", ""])


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("Um, I-I want to, I want to pay.", "i want to pay"),
        ("What's the price, please?", "what is the price"),
        ("I can't, I won't, I don't", "i can not i will not i do not"),
        ("twenty five dollars", "25 dollars"),
        ("two hundred and fifty five thousand", "255000"),
        ("one hundred and one", "101"),
        ("five five one double two", "5 5 1 2 2"),
        ("five oh one", "5 0 1"),
        ("twenty twenty", "20 20"),
        ("the twenty first of May", "the 21st of may"),
        ("at 5 p.m.", "at 5 pm"),
        ("at 5pm", "at 5 pm"),
        ("at five p m", "at 5 pm"),
        ("$1,250.50", "$1250.50"),
        ("the first one", "the 1st one"),
        ("just a second", "just a second"),
        ("oh that one", "oh that one"),
        ("please", "please"),
        ("No, no, no.", "no"),
        ("4 4 7 1", "4 4 7 1"),
        ("Ｗｈａｔ  time？", "what time"),
        ("", ""),
        ("?!…", ""),
    ],
)
def test_english(said: str, key: str) -> None:
    assert canonical(said, "en-US") == key


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("請問 二十五號 有冇位？", "25號有冇位"),
        ("嗯，我想問一下", "我想問一下"),
        ("一萬二千三百蚊", "12300蚊"),
        ("三點半", "3點半"),
        ("嗯", "嗯"),
    ],
)
def test_chinese(said: str, key: str) -> None:
    assert canonical(said, "zh-HK") == key


def test_what_changes_the_answer_stays() -> None:
    keys = {
        canonical(said, "en")
        for said in ("i paid", "i have not paid", "no", "okay", "yes", "stop", "pay 5", "pay 15")
    }
    assert len(keys) == 8


def test_a_language_without_lists_loses_no_word() -> None:
    assert canonical("um um please", "xx") == "um please"


@given(st.text(max_size=60), LANGUAGES)
def test_a_key_is_its_own_key(text: str, language: str) -> None:
    key = canonical(text, language)
    assert canonical(key, language) == key


NUMBERS = ("one", "two", "twenty", "hundred", "thousand", "and", "double", "oh", "first", "5")
OTHERS = ("i", "can", "not", "second", "five", "pm", "p", "m", "21st", "um", "don't", "a", "the")
WORDS = st.sampled_from((*NUMBERS, *OTHERS))


@example(["one", "double", "one"])
@given(st.lists(WORDS, max_size=12))
def test_a_key_of_number_words_is_its_own_key(words: list[str]) -> None:
    key = canonical(" ".join(words), "en")
    assert canonical(key, "en") == key
