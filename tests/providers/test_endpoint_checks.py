"""Addresses and keys that can be none are refused when a client is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from providers.azure_stt import AzureRecogniser
from providers.azure_tts import AzureSpeaker
from providers.cartesia_tts import CartesiaSpeaker
from providers.chat_endpoint import azure_endpoint, openai_endpoint
from providers.deepgram_stt import DeepgramRecogniser
from providers.elevenlabs_tts import ElevenLabsSpeaker
from providers.errors import ProviderRefused, ProviderRejected
from providers.openai_body import check_config as check_chat
from providers.openai_transcription_stt import OpenAITranscriptionRecogniser
from providers.openai_tts import OpenAISpeaker
from providers.scribe_stt import ScribeRecogniser
from providers.settings import (
    AzureSpeechConfig,
    AzureTtsConfig,
    DeepgramConfig,
    ElevenLabsConfig,
    OpenAIConfig,
    OpenAITtsConfig,
)
from providers.socket_settings import CartesiaConfig, OpenAITranscriptionConfig, ScribeConfig

KEY = "topsecret"
Make = Callable[[str, str], Any]
MADE: dict[str, tuple[Make, str, str]] = {
    "azure_stt": (
        lambda key, host: AzureRecogniser(AzureSpeechConfig(key=key, host=host)),
        "AZURE_SPEECH_KEY",
        "AZURE_SPEECH_HOST",
    ),
    "azure_tts": (
        lambda key, host: AzureSpeaker(AzureTtsConfig(key=key, host=host)),
        "AZURE_SPEECH_KEY",
        "AZURE_TTS_HOST",
    ),
    "deepgram": (
        lambda key, url: DeepgramRecogniser(DeepgramConfig(key, url)),
        "DEEPGRAM_API_KEY",
        "DEEPGRAM_BASE_URL",
    ),
    "scribe": (
        lambda key, url: ScribeRecogniser(ScribeConfig(key, url)),
        "SCRIBE_API_KEY",
        "SCRIBE_BASE_URL",
    ),
    "openai_stt": (
        lambda key, url: OpenAITranscriptionRecogniser(OpenAITranscriptionConfig(key, url)),
        "OPENAI_STT_API_KEY",
        "OPENAI_STT_BASE_URL",
    ),
    "elevenlabs": (
        lambda key, url: ElevenLabsSpeaker(ElevenLabsConfig(api_key=key, base_url=url)),
        "ELEVENLABS_API_KEY",
        "ELEVENLABS_BASE_URL",
    ),
    "cartesia": (
        lambda key, url: CartesiaSpeaker(CartesiaConfig(key, url)),
        "CARTESIA_API_KEY",
        "CARTESIA_BASE_URL",
    ),
    "openai_tts": (
        lambda key, url: OpenAISpeaker(OpenAITtsConfig(api_key=key, base_url=url)),
        "OPENAI_TTS_API_KEY",
        "OPENAI_TTS_BASE_URL",
    ),
    "openai": (
        lambda key, url: check_chat(OpenAIConfig(openai_endpoint(key, url))),
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
    ),
    "azure_openai": (
        lambda key, url: check_chat(OpenAIConfig(azure_endpoint(key, url, deployment="d"))),
        "AZURE_OPENAI_API_KEY",
        "AZURE_OPENAI_ENDPOINT",
    ),
}


def _scheme(service: str) -> str:
    return "wss" if service in ("azure_stt", "azure_tts") else "https"


@pytest.mark.parametrize(
    "rest",
    ["api..example.com", "a" * 70 + ".example", "[::1", "host:99999", "host:abc", "\u202e.example"],
)
@pytest.mark.parametrize("service", MADE)
def test_a_host_that_can_be_none_is_named_and_not_tried(service: str, rest: str) -> None:
    make, _, setting = MADE[service]
    with pytest.raises(ProviderRejected) as caught:
        make(KEY, f"{_scheme(service)}://user:hush@{rest}")
    assert setting in caught.value.setting
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("key", [f"{KEY}\n", f"“{KEY}”", f"{KEY} ", f"\0{KEY}", f"{KEY}\r\nX: y"])
@pytest.mark.parametrize("service", MADE)
def test_a_key_that_can_be_none_is_named_and_not_sent(service: str, key: str) -> None:
    make, setting, _ = MADE[service]
    with pytest.raises(ProviderRefused) as caught:
        make(key, f"{_scheme(service)}://127.0.0.1:1")
    assert setting in caught.value.setting
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("region", ["West Europe", "westeurope\n", "a/b", "evil.example#"])
def test_a_region_that_can_be_none_is_named(region: str) -> None:
    for make in (
        lambda: AzureRecogniser(AzureSpeechConfig(key=KEY, region=region)),
        lambda: AzureSpeaker(AzureTtsConfig(key=KEY, region=region)),
    ):
        with pytest.raises(ProviderRejected) as caught:
            make()
        assert caught.value.setting == "AZURE_SPEECH_REGION"
