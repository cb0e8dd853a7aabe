"""ElevenLabs' messages: addresses, errors, alignment."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers import elevenlabs_wire as wire
from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
    ProviderUnavailable,
)
from providers.settings import ElevenLabsConfig
from voice.ports import TextMark


def test_the_address_of_a_voice() -> None:
    url = urlparse(wire.socket_url(ElevenLabsConfig(api_key="k"), "a/b", "en"))
    assert (url.scheme, url.netloc) == ("wss", "api.elevenlabs.io")
    assert url.path == "/v1/text-to-speech/a%2Fb/multi-stream-input"
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert query["model_id"] == "eleven_flash_v2_5"
    assert query["output_format"] == "ulaw_8000"
    assert query["auto_mode"] == "true"
    assert query["language_code"] == "en"


def test_a_model_that_finds_the_language_itself_is_not_told() -> None:
    config = ElevenLabsConfig(
        api_key="k", model="eleven_multilingual_v2", base_url="http://localhost:9/"
    )
    url = urlparse(wire.socket_url(config, "v", "de"))
    assert url.scheme == "ws"
    assert url.netloc == "localhost:9"
    assert "language_code" not in parse_qs(url.query)


def test_text_ends_with_a_space_and_is_flushed() -> None:
    assert json.loads(wire.speak_text("s1", "Hi.")) == {
        "text": "Hi. ",
        "context_id": "s1",
        "flush": True,
    }
    assert json.loads(wire.speak_text("s1", "Hi. "))["text"] == "Hi. "


def test_voice_settings_are_in_the_first_message_only_when_there_are_any() -> None:
    assert json.loads(wire.begin_context("s1", {})) == {"text": " ", "context_id": "s1"}
    assert json.loads(wire.begin_context("s1", {"speed": 1.1}))["voice_settings"] == {"speed": 1.1}


@pytest.mark.parametrize(
    ("code", "kind", "setting"),
    [
        ("max_active_conversations", ProviderBusy, ""),
        ("concurrent_limit_exceeded", ProviderBusy, ""),
        ("rate_limit_exceeded", ProviderBusy, ""),
        ("invalid_api_key", ProviderRefused, "ELEVENLABS_API_KEY"),
        ("quota_exceeded", ProviderRefused, "ELEVENLABS_API_KEY"),
        ("voice_id_does_not_exist", ProviderRejected, "voice"),
        ("model_not_found", ProviderRejected, "ELEVENLABS_MODEL"),
        ("unsupported_language", ProviderRejected, "language"),
        ("input_timeout_exceeded", ProviderUnavailable, ""),
        ("Some prose of theirs", ProviderUnavailable, ""),
        (7, ProviderUnavailable, ""),
    ],
)
def test_errors_on_the_socket(code: object, kind: type[ProviderError], setting: str) -> None:
    error = wire.error_of_message(code)
    assert type(error) is kind
    assert error.setting == setting
    assert "prose" not in str(error)


@pytest.mark.parametrize(
    ("status", "body", "kind", "setting"),
    [
        (401, b"", ProviderRefused, "ELEVENLABS_API_KEY"),
        (403, b'{"detail": {"code": "forbidden"}}', ProviderRefused, "ELEVENLABS_API_KEY"),
        (403, b"[]", ProviderProtocolError, "ELEVENLABS_BASE_URL"),
        (426, b"<html>", ProviderProtocolError, "ELEVENLABS_BASE_URL"),
        (404, b'{"detail": {"code": "voice_not_found"}}', ProviderRejected, "voice"),
        (404, b'{"detail": {"code": "model_not_found"}}', ProviderRejected, "ELEVENLABS_MODEL"),
        (429, b'{"detail": {"status": "system_busy"}}', ProviderBusy, ""),
        (503, b"\xff", ProviderUnavailable, ""),
    ],
)
def test_errors_at_the_handshake(
    status: int, body: bytes, kind: type[ProviderError], setting: str
) -> None:
    error = wire.error_of_handshake(status, {"retry-after": "3"}, body)
    assert type(error) is kind
    assert error.setting == setting


@given(st.binary(max_size=60))
@settings(max_examples=50)
def test_no_message_crashes_the_reader(raw: bytes) -> None:
    try:
        message = wire.parse(raw)
        wire.decode_audio(message.get("audio"))
    except ProviderProtocolError:
        return
    assert isinstance(message, dict)


@pytest.mark.parametrize("encoded", [None, 7, "not base64!", "abc"])
def test_audio_that_is_none(encoded: object) -> None:
    with pytest.raises(ProviderProtocolError):
        wire.decode_audio(encoded)


def alignment(chars: str, each_ms: int = 100) -> dict[str, Any]:
    return {
        "chars": list(chars),
        "charStartTimesMs": [each_ms * i for i in range(len(chars))],
        "charDurationsMs": [each_ms] * len(chars),
    }


def test_marks_stand_at_the_ends_of_words() -> None:
    tracker = wire.TextTracker("Hi you.")
    assert tracker.take(alignment("Hi you. "), 0) == (TextMark(3, 0.3), TextMark(7, 0.7))


def test_times_of_later_messages_are_added_up() -> None:
    tracker = wire.TextTracker("Hi you.")
    tracker.take(alignment("Hi "), 0)
    # 0.3 s of text, but 0.5 s of audio have gone before: the audio is what is played.
    assert tracker.take(alignment("you."), 4_000)[-1] == TextMark(7, 0.9)


def test_text_may_run_ahead_of_the_audio() -> None:
    tracker = wire.TextTracker("Hi you.")
    tracker.take(alignment("Hi "), 0)
    assert tracker.take(alignment("you."), 800)[-1].at_s == pytest.approx(0.7)


def test_what_the_service_skips_or_adds_does_not_lose_the_place() -> None:
    tracker = wire.TextTracker("Well -- *yes*, sure.")
    marks = tracker.take(alignment(" Well yes, sure."), 0)
    assert marks[-1].chars == len("Well -- *yes*, sure.")


def test_chinese_has_a_mark_at_every_character() -> None:
    marks = wire.TextTracker("你好嗎").take(alignment("你好嗎"), 0)
    assert [mark.chars for mark in marks] == [1, 2, 3]


@given(
    st.text(max_size=12),
    st.none()
    | st.dictionaries(
        st.sampled_from(["chars", "charStartTimesMs", "charDurationsMs"]),
        st.none() | st.lists(st.text(max_size=2) | st.integers(-9, 9) | st.none(), max_size=5),
    ),
)
@settings(max_examples=50)
def test_no_alignment_crashes_it(text: str, value: object) -> None:
    tracker = wire.TextTracker(text)
    for mark in tracker.take(value, 0):
        assert 0 < mark.chars <= len(text)


@pytest.mark.parametrize("time", [float("nan"), float("inf"), -1e9, 1e300, 10**400])
def test_times_that_cannot_be_give_no_marks_and_spoil_no_later_ones(time: float) -> None:
    tracker = wire.TextTracker("Hi you.")
    odd = {"chars": ["H"], "charStartTimesMs": [time], "charDurationsMs": [100]}
    assert tracker.take(odd, 0) == ()
    later = tracker.take(alignment("Hi you."), 0)
    assert later
    assert all(0.0 < mark.at_s < 60.0 for mark in later)


def test_a_start_that_no_float_holds_gives_no_marks() -> None:
    tracker = wire.TextTracker("ab")
    told = {"chars": ["a"], "charStartTimesMs": [10**400], "charDurationsMs": [1.5]}
    assert tracker.take(told, 0) == ()
