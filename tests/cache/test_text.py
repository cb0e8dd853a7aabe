from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cache.text import exact_form


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What time is it?", "  what TIME is it "),
        ("Don't!", "don’t"),
        ("Ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("幾點 關門？", "幾點關門"),
        ("你好，我想預約。", "你好 我想預約"),
        ("Straße", "STRASSE"),
        ("caf\u00e9", "cafe\u0301"),
        ("yes - please", "yes, please"),
    ],
)
def test_asks_the_same(one: str, other: str) -> None:
    assert exact_form(one) == exact_form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3.5", "35"),
        ("-5", "5"),
        ("10:30", "1030"),
        ("5%", "5"),
        ("$5", "€5"),
        ("resume", "résumé"),
        ("한국 사람", "한국사람"),
        ("か", "が"),
        ("no", "now"),
        ("ไม่", "ไม"),
    ],
)
def test_asks_something_else(one: str, other: str) -> None:
    assert exact_form(one) != exact_form(other)


def test_only_punctuation_is_nothing() -> None:
    assert exact_form("?! … 。") == ""


@settings(max_examples=25)
@given(st.text(st.sampled_from("aBß中한か゛%-.5 '’,\u200bé\u0301İ") | st.characters(), max_size=12))
def test_normal_text_stays_as_it_is(text: str) -> None:
    once = exact_form(text)
    assert exact_form(once) == once
    assert once == once.strip()


@given(st.text(st.characters(max_codepoint=127), max_size=30) | st.text("a1 .,:/-'%", max_size=12))
def test_plain_letters_are_treated_as_all_others(text: str) -> None:
    """A character that is dropped sends the text the long way."""
    assert exact_form(text) == exact_form(f"{text}\u200b")
