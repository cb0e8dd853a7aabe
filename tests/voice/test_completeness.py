"""How finished words sound: a table of cases in each language, and what holds for any text."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.completeness import completeness, model_of
from voice.completeness_features import PLACES, places_of, tail_of
from voice.endpoint_config import EndpointConfig
from voice.evidence import Evidence, weigh
from voice.lexicon import Asked

LANGUAGES = ("ca", "de", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "sv", "tr", "yue", "zh")

# Language, words that are no sentence yet, the same words finished.
BEGINNINGS: tuple[tuple[str, str, str], ...] = (
    ("en-US", "i would like to book a table for", "i would like to book a table for two"),
    ("en-GB", "could you tell me what the", "could you tell me what the time is"),
    ("en-US", "what time does the last", "what time does the last train leave"),
    ("de-DE", "ich möchte gerne einen", "ich möchte gerne einen termin machen"),
    ("de-DE", "können sie mir bitte sagen wann der", "können sie mir bitte sagen wann er kommt"),
    ("es-ES", "quiero reservar una", "quiero reservar una mesa"),
    ("es-MX", "no sé dónde está mi", "no sé dónde está mi maleta"),
    ("it-IT", "vorrei prenotare un", "vorrei prenotare un tavolo"),
    ("it-IT", "non so dove ho messo la mia", "non so dove ho messo la mia borsa"),
    ("fr-FR", "je voudrais parler avec le", "je voudrais parler avec le directeur"),
    ("pt-BR", "eu gostaria de falar com o", "eu gostaria de falar com o gerente"),
    ("nl-NL", "ik wil graag een", "ik wil graag een afspraak maken"),
    ("zh-CN", "我想预订一个", "我想预订一个房间"),
    ("zh-CN", "请问你们的", "请问你们几点开门"),
    ("zh-HK", "我想訂一張", "我想訂一張檯呀"),
    ("yue", "唔該你幫我", "唔該你幫我睇下呀"),
)


@pytest.mark.parametrize(("language", "beginning", "whole"), BEGINNINGS)
def test_a_beginning_sounds_less_finished_than_the_whole(
    language: str, beginning: str, whole: str
) -> None:
    unfinished, finished = completeness(beginning, language), completeness(whole, language)
    assert unfinished is not None
    assert finished is not None
    assert unfinished < 0.5
    assert finished > unfinished + 0.15


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_a_table(language: str) -> None:
    assert completeness("a b", language) is not None


@pytest.mark.parametrize("language", ["ko-KR", "tlh", "", "x", "../en", "en/../de", "é"])
def test_a_language_without_a_table_has_no_answer(language: str) -> None:
    assert completeness("a table for two", language) is None


@pytest.mark.parametrize("text", ["", "   ", "...", "—", "?!"])
def test_without_words_there_is_no_answer(text: str) -> None:
    assert completeness(text, "en-US") is None


@pytest.mark.parametrize(
    ("tag", "model"),
    [
        ("zh-HK", "yue"),
        ("zh-Hant-MO", "yue"),
        ("zh_HK", "yue"),
        ("yue-Hant-HK", "yue"),
        ("zh-TW", "zh"),
        ("ZH-cn", "zh"),
        ("en-HK", "en"),
    ],
)
def test_which_table_serves_a_tag(tag: str, model: str) -> None:
    assert model_of(tag) == model


@pytest.mark.parametrize("language", ["en-US", "de-DE", "zh-CN"])
def test_case_and_punctuation_do_not_count(language: str) -> None:
    assert completeness("go on, 5 of them", language) == completeness("Go on 5 of THEM.", language)


def test_which_digits_they_are_does_not_count() -> None:
    assert completeness("a table for 2", "en") == completeness("a table for 7", "en")


def test_only_the_tail_of_a_long_text_is_looked_at() -> None:
    tail = "and then we went to the other station and waited for the next train to the airport"
    first, second = ("so " * 400 + tail, "well " * 300 + tail)
    assert completeness(first, "en") == pytest.approx(completeness(second, "en"), abs=0.2)
    assert len(tail_of(first)) < 60


@given(text=st.text(max_size=300), language=st.sampled_from((*LANGUAGES, "zh-HK", "ko", "de-AT")))
def test_any_text_has_a_chance_or_none(text: str, language: str) -> None:
    found = completeness(text, language)
    assert found is None or 0.0 < found < 1.0


@given(language=st.text(max_size=12))
def test_any_tag_is_answered(language: str) -> None:
    found = completeness("so far", language)
    assert found is None or 0.0 < found < 1.0


@given(
    words=st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=40),
    is_unspaced=st.booleans(),
)
def test_places_are_within_the_table(words: list[str], is_unspaced: bool) -> None:
    places = places_of(words, is_unspaced=is_unspaced)
    assert places
    assert all(0 <= place < PLACES for place in places)


@pytest.mark.parametrize(
    ("language", "fragment"),
    [
        ("en-US", "tomorrow at five"),
        ("en-US", "five people please"),
        ("en-US", "at the station"),
        ("es-ES", "mañana a las cinco"),
        ("yue", "听日下晝"),
    ],
)
def test_an_answer_need_not_be_a_sentence(language: str, fragment: str) -> None:
    found = completeness(fragment, language)
    assert found is not None
    assert found > 0.5


def test_a_sentence_rises_at_its_end() -> None:
    """Word by word: no beginning of a plain request sounds as finished as all of it."""
    words = ["could", "you", "please", "send", "me", "the", "bill", "again"]
    found = [completeness(" ".join(words[:n]), "en") or 0.0 for n in range(1, len(words) + 1)]
    assert max(found[:4]) < max(found[-2:])
    assert any(later > earlier for earlier, later in pairwise(found))


class TestInTheEvidence:
    config = replace(EndpointConfig(), words_weight=0.4, words_neutral=0.8)

    def silence_s(self, text: str, asked: Asked | None = None, *, is_stale: bool = False) -> float:
        evidence = Evidence(text, "en-US", asked or Asked("open"), is_stale=is_stale)
        return weigh(evidence, self.config).commit_s

    def test_an_utterance_that_sounds_finished_is_answered_sooner(self) -> None:
        beginning, whole = "my name is", "my name is john"
        assert self.silence_s(whole) < self.config.commit_silence_s < self.silence_s(beginning)
        beginning, whole = "could you tell me what time", "could you tell me what time it is"
        assert 1.5 * self.silence_s(whole) < self.silence_s(beginning)

    def test_words_that_are_behind_what_was_said_say_nothing(self) -> None:
        text = "could you tell me what time it is"
        assert self.silence_s(text, is_stale=True) == self.config.commit_silence_s

    def test_a_short_answer_to_a_short_question_is_no_beginning(self) -> None:
        asked = Asked("choice")
        assert self.silence_s("tomorrow", asked) == self.config.commit_silence_s

    def test_the_figure_stands_in_the_reason(self) -> None:
        found = weigh(Evidence("could you tell me what time it is", "en-US"), self.config)
        assert "words 0." in found.why

    def test_a_language_without_a_table_is_judged_by_its_last_words(self) -> None:
        evidence = Evidence("kahvia kiitos tänne", "fi-FI")
        assert weigh(evidence, self.config).commit_s == self.config.commit_silence_s
