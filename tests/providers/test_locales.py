"""What Azure calls a language."""

from __future__ import annotations

import pytest

from dialogue.languages import languages
from providers.capabilities import Capabilities
from providers.google_languages import heard_language
from providers.locales import azure_locale
from providers.table import refusal_of


@pytest.mark.parametrize(
    ("tag", "locale"),
    [
        ("yue", "zh-HK"),
        ("yue-HK", "zh-HK"),
        ("yue-Hant-HK", "zh-HK"),
        ("zh_HK", "zh-HK"),
        ("zh-HK", "zh-HK"),
        ("zh-MO", "zh-HK"),
        ("yue-CN", "yue-CN"),
        ("yue-Hans-CN", "yue-CN"),
        ("zh", "zh-CN"),
        ("zh-Hant", "zh-TW"),
        ("ms", "ms-MY"),
        ("es", "es-ES"),
        ("no", "nb-NO"),
        ("en-AU", "en-AU"),
        ("xx", "xx"),
    ],
)
def test_azure(tag: str, locale: str) -> None:
    assert azure_locale(tag) == locale


def test_azure_hears_fewer_regions_than_it_speaks() -> None:
    assert azure_locale("ur", is_heard=True) == "ur-IN"
    assert azure_locale("bn-BD", is_heard=True) == "bn-IN"
    assert azure_locale("ur") == "ur-PK"


@pytest.mark.parametrize("tag", ["yue", "zh-HK", "zh-MO", "yue-CN", "zh-Hant-HK", "yue-Hant-HK"])
def test_nobody_speaks_mandarin_to_a_cantonese_caller(tag: str) -> None:
    for kind, name in (
        ("speaker", "elevenlabs"),
        ("speaker", "cartesia"),
        ("recogniser", "openai_transcription"),
        ("recogniser", "deepgram"),
    ):
        assert refusal_of(kind, name, tag) is not None, (kind, name)
    for kind, name in (("recogniser", "azure"), ("recogniser", "scribe"), ("speaker", "espeak")):
        assert refusal_of(kind, name, tag) is None, (kind, name)
    assert refusal_of("speaker", "azure", tag, "zh-HK-WanLungNeural") is None
    assert heard_language(tag) in {"yue-Hant-HK", tag}


def test_azure_has_a_voice_of_its_own_for_every_row() -> None:
    for row in languages().values():
        assert refusal_of("speaker", "azure", row.locale, row.voices[0]) is None


def test_a_region_that_is_not_served_does_not_close_the_language() -> None:
    known = Capabilities(languages=("zh",), not_languages=("zh-HK",))
    assert known.serves("zh-CN")
    assert known.serves("zh-TW")
    assert not known.serves("zh-MO"), "it is Cantonese too"
