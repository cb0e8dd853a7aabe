"""Addresses, errors and words of Azure's text-to-speech."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.azure_tts_wire import (
    VOICE_EXAMPLE,
    VOICE_PATTERN,
    WordTracker,
    check_config,
    error_of_synthesis,
    socket_url,
)
from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.settings import AzureTtsConfig
from simulation.azure_synthesis import VOICES
from voice.ports import TextMark


@pytest.mark.parametrize(
    ("config", "url"),
    [
        (
            AzureTtsConfig(region="westeurope"),
            "wss://westeurope.tts.speech.microsoft.com/cognitiveservices/websocket/v2",
        ),
        (
            AzureTtsConfig(region="ChinaEast2"),
            "wss://chinaeast2.tts.speech.azure.cn/cognitiveservices/websocket/v2",
        ),
        (
            AzureTtsConfig(region="usgovvirginia"),
            "wss://usgovvirginia.tts.speech.azure.us/cognitiveservices/websocket/v2",
        ),
        (
            AzureTtsConfig(region="eastus", text_streaming=False),
            "wss://eastus.tts.speech.microsoft.com/cognitiveservices/websocket/v1",
        ),
        (
            AzureTtsConfig(host="ws://127.0.0.1:5000/", region="eastus", text_streaming=False),
            "ws://127.0.0.1:5000/cognitiveservices/websocket/v1",
        ),
    ],
)
def test_addresses(config: AzureTtsConfig, url: str) -> None:
    assert socket_url(config) == url


@pytest.mark.parametrize(
    ("config", "kind", "setting"),
    [
        (AzureTtsConfig(), ProviderRefused, "AZURE_SPEECH_KEY"),
        (AzureTtsConfig(key="k"), ProviderRefused, "AZURE_SPEECH_REGION"),
        (AzureTtsConfig(host="http://a"), ProviderRejected, "AZURE_TTS_HOST"),
    ],
)
def test_what_is_missing_is_named(
    config: AzureTtsConfig, kind: type[ProviderError], setting: str
) -> None:
    with pytest.raises(kind) as caught:
        check_config(config)
    assert caught.value.setting == setting


_CLOSED = (
    "Connection was closed by the remote host. Error code: {}. Error details: {} USP state: 3."
)


@pytest.mark.parametrize(
    ("code", "details", "kind", "setting"),
    [
        ("AuthenticationFailure", "upgrade failed (401)", ProviderRefused, "AZURE_SPEECH_KEY"),
        ("AuthenticationFailure", "upgrade failed (403)", ProviderRefused, "AZURE_SPEECH_KEY"),
        ("BadRequest", _CLOSED.format(1007, "Unsupported voice x."), ProviderRejected, "voice"),
        ("BadRequest", _CLOSED.format(1007, "Throttled due to load"), ProviderBusy, ""),
        ("BadRequest", _CLOSED.format(1007, "SSML parsing error"), ProviderRejected, ""),
        ("BadRequest", "WebSocket upgrade failed: (400)", ProviderRejected, "AZURE_TTS_HOST"),
        ("TooManyRequests", _CLOSED.format(4429, "throttled"), ProviderBusy, ""),
        ("TooManyRequests", "upgrade failed (429)", ProviderBusy, ""),
        ("ServiceError", "upgrade failed (404)", ProviderRejected, "AZURE_TTS_HOST"),
        ("ServiceError", "upgrade failed (500)", ProviderUnavailable, ""),
        ("ServiceUnavailable", "(503)", ProviderUnavailable, ""),
        ("ServiceTimeout", "Timeout while synthesizing.", ProviderTimeout, ""),
        ("ConnectionFailure", "code=111", ProviderUnavailable, "AZURE_TTS_HOST"),
        ("RuntimeError", "0x13 SPXERR", ProviderUnavailable, ""),
        ("", "", ProviderUnavailable, ""),
    ],
)
def test_cancellations(code: str, details: str, kind: type[ProviderError], setting: str) -> None:
    error = error_of_synthesis(code, details, "AZURE_TTS_HOST")
    assert type(error) is kind
    assert error.setting == setting
    assert "Unsupported" not in str(error), "prose of the service may quote what is said"


@pytest.mark.parametrize("name", [VOICE_EXAMPLE, *(name for name, _ in VOICES)])
def test_names_of_voices_fit_the_pattern(name: str) -> None:
    assert re.fullmatch(VOICE_PATTERN, name)


@pytest.mark.parametrize(
    ("name", "locale"),
    [
        ("zh-CN-liaoning-XiaobeiNeural", "zh-CN-liaoning"),
        ("sr-Latn-RS-NicholasNeural", "sr-Latn-RS"),
        ("en-US-Ava:DragonHDLatestNeural", "en-US"),
        ("en-US-AlloyTurboMultilingualNeural", "en-US"),
    ],
)
def test_a_name_begins_with_its_locale(name: str, locale: str) -> None:
    match = re.fullmatch(VOICE_PATTERN, name)
    assert match is not None
    assert match["locale"] == locale


@pytest.mark.parametrize("name", ["", "Rachel", "alto", "21m00Tcm4TlvDq8ikWAM", "en-US", "en-US-"])
def test_other_names_do_not(name: str) -> None:
    assert not re.fullmatch(VOICE_PATTERN, name)


# --- words ---------------------------------------------------------------------------------------


def marks(tracker: WordTracker, *words: tuple[str, float]) -> list[TextMark]:
    return [mark for word, end_s in words for mark in tracker.take(word, end_s)]


def test_a_mark_stands_at_the_end_of_each_word() -> None:
    tracker = WordTracker("To be, or not")
    assert marks(tracker, ("To", 0.1), ("be", 0.2), (",", 0.2), ("or", 0.4), ("not", 0.6)) == [
        TextMark(2, 0.1),
        TextMark(5, 0.2),
        TextMark(6, 0.2),
        TextMark(9, 0.4),
        TextMark(13, 0.6),
    ]
    assert tracker.finish(0.7) == ()


def test_the_end_of_the_text_is_marked_if_no_word_did() -> None:
    tracker = WordTracker("Well (yes)…")
    assert marks(tracker, ("Well", 0.3)) == [TextMark(4, 0.3)]
    assert tracker.finish(0.9) == (TextMark(11, 0.9),)
    assert tracker.finish(0.9) == ()


def test_the_same_word_again_is_the_next_one() -> None:
    assert [mark.chars for mark in marks(WordTracker("no no no"), *[("no", 0.1)] * 3)] == [2, 5, 8]


def test_a_word_that_the_text_does_not_have_is_passed_over() -> None:
    tracker = WordTracker("It is $5.")
    assert [m.chars for m in marks(tracker, ("It", 0.1), ("five", 0.2), ("", 0.2))] == [2]
    far = WordTracker("a" + " " * 60 + "b")
    assert marks(far, ("b", 0.1)) == []


@given(
    st.text("ab ,.", max_size=30),
    st.lists(st.tuples(st.text("ab,.", max_size=3), st.floats(0, 9)), max_size=20),
)
def test_whatever_words_come_marks_go_forward_within_the_text(
    text: str, words: list[tuple[str, float]]
) -> None:
    tracker = WordTracker(text)
    made = [*marks(tracker, *words), *tracker.finish(9.0)]
    assert [m.chars for m in made] == sorted({m.chars for m in made})
    assert [m.at_s for m in made] == sorted(m.at_s for m in made)
    assert all(0 < m.chars <= len(text) for m in made)
