"""Does a prepared reply still answer what was said?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.same_words import asks_the_same

SAME = [
    ("en-US", "book a table", "Book a table."),
    ("en-US", "book a table", "book a table, please"),
    ("en-US", "book a table", "book a table um please"),
    ("en-US", "book a table um", "book a table"),
    ("en-US", "no", "no thank you"),
    ("en-GB", "it's fine", "It’s fine"),
    ("de-DE", "einen Tisch", "einen Tisch bitte"),
    ("zh-HK", "我想訂檯", "我想訂檯，唔該。"),
    ("zh-HK", "我想 訂檯", "我想訂檯"),
    ("zh-CN", "我想订位", "我想订位，谢谢"),
]
OTHER = [
    ("en-US", "book a table", "cook a table"),
    ("en-US", "book a table", "book a table for two"),
    ("en-US", "book a table", "no book a table"),
    ("en-US", "yes", "yes stop"),
    ("en-US", "i like paris", "i paris"),
    ("en-US", "", "please"),
    ("en-US", "book a table", ""),
    ("zh-HK", "我想訂檯", "我想訂檯兩位"),
    ("zh-HK", "係", "唔係"),
]


@pytest.mark.parametrize(("language", "prepared", "said"), SAME)
def test_spelling_hesitation_and_politeness_change_nothing(
    language: str, prepared: str, said: str
) -> None:
    assert asks_the_same(prepared, said, language)
    assert asks_the_same(said, prepared, language)


@pytest.mark.parametrize(("language", "prepared", "said"), OTHER)
def test_other_words_are_another_question(language: str, prepared: str, said: str) -> None:
    assert not asks_the_same(prepared, said, language)


def test_politeness_has_an_end() -> None:
    assert not asks_the_same("yes", "yes" + " please" * 20, "en-US")


@given(st.text(max_size=30), st.text(max_size=30), st.sampled_from(["en", "zh-HK", "xx", ""]))
def test_any_text_is_compared_and_the_order_does_not_matter(
    one: str, two: str, language: str
) -> None:
    assert asks_the_same(one, two, language) is asks_the_same(two, one, language)
