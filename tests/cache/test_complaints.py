"""Words against the answer before, and words that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.complaints import rejects, repeats

REJECTIONS = [
    ("en-US", "No, I said Saturday."),
    ("en-US", "no no that's not what I asked"),
    ("en-GB", "That is wrong."),
    ("en-US", "You didn't answer my question."),
    ("en-US", "I asked about the parking"),
    ("de-DE", "Nein, ich sagte Samstag."),
    ("de-DE", "Das habe ich nicht gefragt"),
    ("fr-FR", "Non, j'ai dit samedi."),
    ("es-ES", "No, dije el sábado"),
    ("zh-TW", "不是,我是問停車場"),
    ("zh-HK", "我唔係問呢樣嘢"),
]
NO_REJECTIONS = [
    ("en-US", "No."),
    ("en-US", "No, thank you."),
    ("en-US", "no, what time do you open"),
    ("en-US", "Is that right?"),
    ("en-US", "I think so."),
    ("en-US", ""),
    ("de-DE", "Nein danke."),
    ("zh-HK", "唔使啦"),
    ("fi-FI", "Ei, minä sanoin lauantai."),
]


@pytest.mark.parametrize(("language", "text"), REJECTIONS)
def test_an_answer_is_rejected(language: str, text: str) -> None:
    assert rejects(text, language)


@pytest.mark.parametrize(("language", "text"), NO_REJECTIONS)
def test_a_no_is_an_answer_like_any_other(language: str, text: str) -> None:
    assert not rejects(text, language)


@pytest.mark.parametrize(
    ("before", "again", "is_repeat"),
    [
        ("What time do you close?", "what time do you close", True),
        ("What time do you close?", "No, I asked what time do you close.", True),
        ("When does the shop close today?", "Sorry, when does your shop close today?", True),
        ("When does the shop close today?", "When does the shop open today?", False),
        ("Do you close on Saturday?", "Do you close on Sunday?", False),
        ("Can I pay the bill by card?", "Can I not pay the bill by card?", False),
        ("What time do you close?", "Thank you.", False),
        ("What time do you close?", "", False),
        ("", "", False),
    ],
)
def test_the_same_asked_again(before: str, again: str, is_repeat: bool) -> None:
    assert repeats(again, before, "en-US") is is_repeat


@given(st.text(max_size=80), st.text(max_size=80), st.sampled_from(["en", "de-DE", "zh", "x"]))
def test_nothing_that_is_said_breaks_it(text: str, before: str, language: str) -> None:
    assert rejects(text, language) in (True, False)
    assert repeats(text, before, language) in (True, False)
