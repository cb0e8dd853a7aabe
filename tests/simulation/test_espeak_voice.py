from __future__ import annotations

import pytest

from simulation.espeak_voice import EspeakVoice, load_voice
from simulation.levels import mean_level
from simulation.voice_sound import HummingVoice

TEXT = "Hello there, how are you?"


def test_the_hum_has_a_length_a_level_and_a_time_for_each_character() -> None:
    speech = HummingVoice().speak(TEXT, "en", "Rachel")
    assert 1.0 < speech.duration_s < 3.0
    assert mean_level(speech.ulaw) > 500
    assert list(speech.char_starts_s) == sorted(speech.char_starts_s)
    assert len(speech.char_starts_s) == len(TEXT)


def test_nothing_to_hum_is_silence() -> None:
    assert HummingVoice().speak("", "en", "x").char_starts_s == ()


@pytest.fixture(name="espeak", scope="module")
def _espeak() -> EspeakVoice:
    pytest.importorskip("espeakng_loader")
    voice = load_voice()
    assert isinstance(voice, EspeakVoice)
    return voice


def test_espeak_speaks_at_its_pace_and_level(espeak: EspeakVoice) -> None:
    speech = espeak.speak(TEXT, "en", "Rachel")
    assert 0.9 < speech.duration_s < 2.5
    assert mean_level(speech.ulaw) > 500
    assert list(speech.char_starts_s) == sorted(speech.char_starts_s)
    assert speech.char_starts_s[TEXT.index("how")] > 0.4


def test_languages_and_voices_sound_different(espeak: EspeakVoice) -> None:
    text = "你哋星期日開到幾點呀?"
    sounds = {
        espeak.speak(text, language, voice).ulaw
        for language, voice in [("yue", "a"), ("zh", "a"), ("yue", "b")]
    }
    assert len(sounds) == 3


def test_the_same_text_is_made_once(espeak: EspeakVoice) -> None:
    assert espeak.speak(TEXT, "en", "a") is espeak.speak(TEXT, "en", "a")
