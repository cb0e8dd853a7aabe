"""Judging full stops."""

from __future__ import annotations

import pytest

from dialogue.abbreviations import StopReader


@pytest.mark.parametrize(
    ("language", "before", "verdict"),
    [
        ("en-US", "I see", "cut"),
        ("en-US", "Ask Dr", "keep"),
        ("en-US", "in the U.S", "starter"),
        ("en-US", "at N.A.S.A", "starter"),
        ("en-US", "at 5 p.m", "capital"),
        ("en-US", "Well..", "capital"),
        ("en-US", "No", "starter"),
        ("en-US", "It is 5", "capital"),
        ("en-US", "1", "keep"),
        ("en-US", "1. Red 2", "keep"),
        ("en-US", "Mr. J", "starter"),
        ("en-US", "on Elm St", "starter"),
        ("en-US", "Hmm", "cut"),
        ("en-US", "ask Bgr", "starter"),
        ("en-US", "on TV", "cut"),
        ("en-US", "So do I", "cut"),
        ("en-US", "", "cut"),
        ("en-US", '"', "cut"),
        ("de-DE", "am 3", "starter"),
        ("de-DE", "Hauptstr", "starter"),
        ("cs-CZ", "dne 3", "capital"),
        ("fr-FR", "à 16 h", "capital"),
        ("fr-FR", "chez l'av", "keep"),
        ("fi-FI", "sis. alv:n", "cut"),
        ("vi-VN", "được ạ", "cut"),
        ("pt-BR", "isso é", "cut"),
        ("he-IL", 'כולל מע"מ', "cut"),
        ("hi-IN", "डॉ", "keep"),
        ("hi-IN", "ठीक है", "cut"),
        ("th-TH", "3 พ.ค", "keep"),
        ("ru-RU", "с г-н", "keep"),
        ("ru-RU", "300 р", "capital"),
        ("de-DE", "z. B", "keep"),
        ("es-ES", "la Sra", "keep"),
        ("zh-HK", "你好Dr", "keep"),
        ("", "Dr", "keep"),
    ],
)
def test_verdicts(language: str, before: str, verdict: str) -> None:
    assert StopReader(language).judge(before) == verdict


@pytest.mark.parametrize(
    ("language", "word", "opens"),
    [
        ("en-US", "Would", True),
        ("en-US", "I’ll", True),
        ("en-US", "Embassy", False),
        ("de-DE", "Möchten", True),
        ("de-DE", "Stock", False),
        ("pl-PL", "Czy", False),
    ],
)
def test_words_that_open_sentences(language: str, word: str, opens: bool) -> None:
    assert StopReader(language).opens_sentence(word) is opens


def test_days_and_zones_go_on_after_a_time() -> None:
    reader = StopReader("en-US")
    assert reader.continues("Pacific")
    assert not reader.continues("Would")
    assert not StopReader("de-DE").has_continuations


def test_an_english_word_that_is_no_abbreviation_ends_its_sentence_for_certain() -> None:
    assert StopReader("en-US").is_certain("I can")
    assert not StopReader("pl-PL").is_certain("do godz")
    assert StopReader("pl-PL").is_certain("to wszystko")
