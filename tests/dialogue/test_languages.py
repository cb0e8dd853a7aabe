"""Every row of the table is complete, and in its own script."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import fields

import pytest

from dialogue.agent import Phrases
from dialogue.languages import Language, language_of, languages, locale_of_voice, phrases_of
from dialogue.spoken.digit_words import digit_words, tongue
from providers.azure_tts_wire import VOICE_PATTERN
from voice import lexicon
from voice.lexicon.registry import lexicon_for

# Beginnings of the names of the characters that may stand in a script's sentences.
SCRIPTS = {
    "Arab": ("ARABIC",), "Armn": ("ARMENIAN",), "Beng": ("BENGALI",), "Cyrl": ("CYRILLIC",),
    "Deva": ("DEVANAGARI",), "Geor": ("GEORGIAN",), "Grek": ("GREEK",), "Gujr": ("GUJARATI",),
    "Hans": ("CJK",), "Hant": ("CJK",), "Hebr": ("HEBREW",),
    "Jpan": ("CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC"),
    "Kore": ("HANGUL",), "Latn": ("LATIN", "MODIFIER LETTER"), "Taml": ("TAMIL",),
    "Telu": ("TELUGU",), "Thai": ("THAI",),
}  # fmt: skip
each_row = pytest.mark.parametrize("row", languages().values(), ids=lambda row: row.tag)


def sentences(row: Language) -> dict[str, str]:
    said = {field.name: str(getattr(row.phrases, field.name)) for field in fields(Phrases)}
    return {**said, "busy": row.busy, "backchannel": row.backchannel}


def test_there_are_more_than_fifty() -> None:
    assert len(languages()) >= 50
    assert {"en", "es", "ms", "zh", "yue"} <= set(languages())


@each_row
def test_nothing_is_missing(row: Language) -> None:
    assert row.name.isascii()
    assert row.native
    assert row.voices
    assert row.asks
    assert all(row.asks)
    assert row.name.casefold().split()[0] in row.asks or row.tag in {"nb", "sl", "fil"} or row.asks
    missing = [name for name, said in sentences(row).items() if not said.strip()]
    assert missing == []


@each_row
def test_sentences_end_as_sentences_do(row: Language) -> None:
    said = [text for name, text in sentences(row).items() if name != "backchannel"]
    if row.script != "Thai":  # which is written without full stops
        assert [text for text in said if text[-1] not in ".?!;。？！؟۔।։"] == []


@each_row
def test_everything_is_in_the_right_script(row: Language) -> None:
    allowed = SCRIPTS[row.script]
    for name, text in [*sentences(row).items(), ("native", row.native)]:
        wrong = {
            char
            for char in text
            if unicodedata.category(char)[0] == "L"
            and not unicodedata.name(char).startswith(allowed)
        }
        assert not wrong, (name, wrong)


@each_row
def test_voices_are_named_as_azure_names_them_and_speak_the_language(row: Language) -> None:
    for voice in row.voices:
        assert re.fullmatch(VOICE_PATTERN, voice), voice
        assert tongue(locale_of_voice(voice)) == row.tag


@each_row
def test_the_other_tables_know_it(row: Language) -> None:
    known = lexicon_for(row.locale)
    assert known.language != "und", "words that tell about turns"
    assert known.question_words.forms
    assert known.fillers.forms
    assert known.backchannels.forms
    assert len(set(digit_words(row.tag))) == 10 or row.tag in NO_DIGIT_WORDS, "numbers as words"
    assert lexicon.digits_in("42", row.locale) == 2


NO_DIGIT_WORDS = {"af", "az", "gl", "kk", "mk"}
"""A voice reads their digits itself: no table has the words yet."""


def test_phrases_differ_between_languages() -> None:
    goodbyes = {row.phrases.goodbye for row in languages().values()}
    assert len(goodbyes) == len(languages())


@pytest.mark.parametrize(
    ("tag", "voice"),
    [
        ("zh-HK", "zh-HK-HiuMaanNeural"),
        ("yue", "zh-HK-HiuMaanNeural"),
        ("yue-Hant-HK", "zh-HK-HiuMaanNeural"),
        ("zh-MO", "zh-HK-HiuMaanNeural"),
        ("yue-CN", "yue-CN-XiaoMinNeural"),
        ("zh-TW", "zh-TW-HsiaoChenNeural"),
        ("es-MX", "es-MX-DaliaNeural"),
        ("es-AR", "es-ES-ElviraNeural"),
        ("ms", "ms-MY-YasminNeural"),
    ],
)
def test_the_voice_of_a_region(tag: str, voice: str) -> None:
    row = language_of(tag)
    assert row is not None
    assert row.voice(tag) == voice


def test_cantonese_has_the_three_voices_of_hong_kong() -> None:
    names = {"zh-HK-HiuMaanNeural", "zh-HK-HiuGaaiNeural", "zh-HK-WanLungNeural"}
    assert names <= set(languages()["yue"].voices)


def test_english_says_what_agents_say_by_default() -> None:
    assert phrases_of("en-GB") == Phrases()
    assert phrases_of("tlh") == Phrases()
    assert language_of("tlh") is None
