"""Cantonese in both directions: what a voice is given, and what heard words are written as."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogue.spoken import Level, spoken_form
from dialogue.traditional import has_simplified, traditional
from dialogue.written import as_written
from dialogue.written.han_numbers import NUMERALS, value_of
from tests.dialogue.cantonese_cases import cases


def test_there_are_at_least_two_hundred_cases() -> None:
    names = ("spoken", "heard", "turns", "words")
    found = [case for name in names for case in cases(name)]
    assert len(set(found)) == len(found) >= 200


@pytest.mark.parametrize(("tag", "level", "written", "said"), cases("spoken"))
def test_the_voice_is_given(tag: str, level: str, written: str, said: str) -> None:
    assert spoken_form(written, tag, cast("Level", level)).text == said


@pytest.mark.parametrize(("tag", "heard", "written"), cases("heard"))
def test_the_heard_words_are_written(tag: str, heard: str, written: str) -> None:
    assert as_written(heard, tag) == written
    assert as_written(written, tag) == written, "what is written stays so"


@pytest.mark.parametrize(
    ("run", "value"),
    [
        ("三百零五", 305),
        ("一百二", 120),
        ("一百零二", 102),
        ("千五", 1500),
        ("三萬五", 35_000),
        ("三十二萬", 320_000),
        ("兩億三千萬", 230_000_000),
        ("廿五", 25),
        ("卅一", 31),
        ("十", 10),
        ("三呀五", 35),
        ("二三十", None),
        ("十百", None),
    ],
)
def test_numerals_are_worth(run: str, value: int | None) -> None:
    assert value_of(run) == value


def test_other_languages_are_left_alone() -> None:
    assert as_written("我的电话是九一二三四五六七", "zh-CN") == "我的电话是九一二三四五六七"
    assert as_written("five", "en-US") == "five"


@given(st.text(alphabet=NUMERALS + "點半個蚊號月日呀毫百分之括A1，下晝", max_size=30))
def test_any_heard_text_is_taken(text: str) -> None:
    written = as_written(text, "zh-HK")
    assert isinstance(written, str)
    assert sum(char not in NUMERALS for char in text) == 0 or written


@given(st.text(max_size=60))
def test_traditional_text_keeps_its_length_and_is_no_longer_simplified(text: str) -> None:
    converted = traditional(text)
    assert len(converted) == len(text)
    assert not has_simplified(converted)


def test_what_is_traditional_already_stays() -> None:
    text = "皇后大道中嘅公里數，只係一隻台灣餅乾，系統冇問題"
    assert traditional(text) == text
    text = "唔該晒！呢個伙計冲咗杯茶"  # Cantonese writes them so
    assert traditional(text) == text


@pytest.mark.parametrize("tag", ["zh-HK", "yue-CN"])
def test_positions_lead_back_to_what_is_written(tag: str) -> None:
    written = "请问2位，一共$38.5，打2345 6789？"
    said = spoken_form(written, tag, "full")
    places = [said.written_chars(chars) for chars in range(len(said.text) + 1)]
    assert places == sorted(places)
    assert places[0] == 0
    assert places[-1] == len(written)
