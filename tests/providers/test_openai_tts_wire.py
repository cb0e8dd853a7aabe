"""What is asked of a speech endpoint of OpenAI's protocol, and what its answers mean."""

from __future__ import annotations

import pytest

from providers.errors import (
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
)
from providers.models import OPENAI_SPEECH_MODELS
from providers.openai_tts_wire import (
    blame_of,
    check_beginning,
    check_config,
    model_of,
    rate_of,
    request_body,
)
from providers.settings import OpenAITtsConfig
from voice.ports import SpeakRequest


def request(text: str = "Hi.", voice: str = "alloy") -> SpeakRequest:
    return SpeakRequest("call", text, voice, "en-US")


@pytest.mark.parametrize(
    ("config", "kind", "setting"),
    [
        (OpenAITtsConfig(), ProviderRefused, "OPENAI_TTS_API_KEY"),
        (
            OpenAITtsConfig(base_url="https://api.openai.com/v1/"),
            ProviderRefused,
            "OPENAI_TTS_API_KEY",
        ),
        (OpenAITtsConfig(base_url="kokoro:8880/v1"), ProviderRejected, "OPENAI_TTS_BASE_URL"),
    ],
)
def test_what_is_missing_is_named(
    config: OpenAITtsConfig, kind: type[ProviderError], setting: str
) -> None:
    with pytest.raises(kind) as caught:
        check_config(config)
    assert caught.value.setting == setting


def test_a_server_of_ones_own_needs_no_key() -> None:
    check_config(OpenAITtsConfig(base_url="http://kokoro:8880/v1"))


def test_a_segment_is_asked_for_as_raw_samples_of_the_model() -> None:
    assert request_body(OpenAITtsConfig(model="kokoro"), request()) == {
        "model": "kokoro",
        "input": "Hi.",
        "voice": "alloy",
        "response_format": "pcm",
    }
    assert model_of(OpenAITtsConfig()) in OPENAI_SPEECH_MODELS
    assert request_body(OpenAITtsConfig(), request("a\ud800"))["input"] == "a?"


@pytest.mark.parametrize(
    ("wrong", "setting"), [(request(voice=""), "voice"), (request("a" * 4_097), "")]
)
def test_what_cannot_be_asked_for_is_named(wrong: SpeakRequest, setting: str) -> None:
    with pytest.raises(ProviderRejected) as caught:
        request_body(OpenAITtsConfig(), wrong)
    assert caught.value.setting == setting


@pytest.mark.parametrize(
    ("status", "code", "param", "setting"),
    [
        (400, "invalid_value", "voice", "voice"),
        (400, "", "", "voice"),
        (422, "", "", "voice"),
        (404, "voice_not_found", "voice", "voice"),
        (404, "model_not_found", "", "OPENAI_TTS_MODEL"),
        (404, "", "", "OPENAI_TTS_MODEL"),
        (400, "invalid_value", "model", "OPENAI_TTS_MODEL"),
    ],
)
def test_a_refusal_is_about_the_voice_or_the_model(
    status: int, code: str, param: str, setting: str
) -> None:
    assert blame_of(status, code, param).request == setting


@pytest.mark.parametrize(
    ("content", "rate_hz"),
    [
        ("audio/pcm", 24_000),
        ("audio/pcm;rate=16000", 16_000),
        ("audio/L16; rate=22050; channels=1", 22_050),
        ("application/octet-stream", 24_000),
        ("", 24_000),
    ],
)
def test_the_rate_is_that_of_the_answer_or_the_configured_one(content: str, rate_hz: int) -> None:
    assert rate_of({"content-type": content}, 24_000) == rate_hz


@pytest.mark.parametrize(
    "content", ["application/json", "text/html; charset=utf-8", "audio/mpeg", "audio/wav"]
)
def test_an_answer_that_says_it_is_something_else_is_refused(content: str) -> None:
    with pytest.raises(ProviderProtocolError) as caught:
        rate_of({"content-type": content}, 24_000)
    assert caught.value.setting == "OPENAI_TTS_BASE_URL"


@pytest.mark.parametrize("rate", ["44101", "99999", "7", "123456789"])
def test_a_rate_that_no_voice_has_is_refused_and_no_filter_is_made_of_it(rate: str) -> None:
    with pytest.raises(ProviderProtocolError, match=rate):
        rate_of({"content-type": f"audio/pcm;rate={rate}"}, 24_000)


@pytest.mark.parametrize("begin", [b"RIFF", b"ID3\x04", b"OggS", b"fLaC"])
def test_an_answer_that_begins_as_a_file_is_refused(begin: bytes) -> None:
    with pytest.raises(ProviderProtocolError, match="raw PCM"):
        check_beginning(begin)


def test_samples_are_not_taken_for_a_file() -> None:
    check_beginning(b"\x00\x00\x00\x00")
    check_beginning(b"")
