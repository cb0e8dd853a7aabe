"""What somebody hears for whom there is no place."""

from __future__ import annotations

import pytest

from cluster.voice_routes import BUSY, say_busy
from dialogue.agent import Agent
from dialogue.languages import languages


def of(language: str) -> Agent:
    return Agent("t", "a", "v", language, "prompt", "", "voice")


def test_a_caller_is_refused_in_the_language_of_the_agent() -> None:
    said = say_busy(of("zh-HK"))
    assert languages()["yue"].busy in said
    assert 'language="zh-HK"' in said
    assert "<Hangup/>" in said


@pytest.mark.parametrize("language", ["ms-MY", "tlh"])
def test_what_the_carrier_does_not_speak_is_refused_in_english(language: str) -> None:
    assert BUSY in say_busy(of(language))
    assert 'language="en-US"' in say_busy(of(language))


def test_english_is_the_sentence_of_the_table() -> None:
    assert languages()["en"].busy == BUSY
