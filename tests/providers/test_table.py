"""Names become providers; what is missing is named."""

from __future__ import annotations

import subprocess
import sys

import pytest

from providers.cartesia_wire import VOICE_EXAMPLE
from providers.chat_endpoint import azure_endpoint, openrouter_endpoint
from providers.errors import ProviderRefused, ProviderRejected
from providers.google_settings import GoogleSpeechConfig, GoogleTtsConfig
from providers.settings import (
    AzureSpeechConfig,
    AzureTtsConfig,
    ChatEndpoint,
    DeepgramConfig,
    ElevenLabsConfig,
    OpenAIConfig,
    OpenAITtsConfig,
    ProviderSettings,
    ScriptedConfig,
)
from providers.socket_settings import CartesiaConfig, OpenAITranscriptionConfig, ScribeConfig
from providers.table import (
    CAPABILITIES,
    RECOGNISERS,
    SPEAKERS,
    THINKERS,
    build_recogniser,
    build_speaker,
    build_thinker,
    refusal_of,
)

KEYED = ProviderSettings(
    azure=AzureSpeechConfig(key="k", region="westeurope"),
    azure_tts=AzureTtsConfig(key="k", region="westeurope"),
    openai_tts=OpenAITtsConfig(api_key="k"),
    deepgram=DeepgramConfig(api_key="k"),
    openai=OpenAIConfig(ChatEndpoint(api_key="k")),
    azure_openai=OpenAIConfig(
        azure_endpoint("k", "https://example.openai.azure.com", deployment="d")
    ),
    openrouter=OpenAIConfig(openrouter_endpoint("k", model="m")),
    elevenlabs=ElevenLabsConfig(api_key="k"),
    cartesia=CartesiaConfig(api_key="k"),
    openai_stt=OpenAITranscriptionConfig(api_key="k"),
    scribe=ScribeConfig(api_key="k"),
    google=GoogleSpeechConfig(project="p"),
    google_tts=GoogleTtsConfig(project="p"),
    scripted=ScriptedConfig(heard=((1.0, "yes"),)),
)


CHATS = {"openai", "azure_openai", "openrouter"}


@pytest.mark.e2e
def test_every_chat_service_is_called_what_it_says() -> None:
    for name in CHATS:
        assert build_thinker(name, KEYED).name == name


def test_every_name_builds_what_it_says() -> None:
    for name in RECOGNISERS:
        assert build_recogniser(name, KEYED).name == name
    for name in THINKERS.keys() - CHATS:  # their package takes a second to import: see e2e
        assert build_thinker(name, KEYED).name == name
    for name in SPEAKERS.keys() - {"openai"}:  # likewise
        assert build_speaker(name, KEYED).name == name


def test_every_name_says_what_it_can_do() -> None:
    named = {("recogniser", name) for name in RECOGNISERS}
    named |= {("thinker", name) for name in THINKERS}
    named |= {("speaker", name) for name in SPEAKERS}
    assert set(CAPABILITIES) == named


@pytest.mark.parametrize(
    ("kind", "name", "language", "voice", "field", "said"),
    [
        ("speaker", "azur", "en-US", "x", "speaker", f"there are: {', '.join(sorted(SPEAKERS))}"),
        ("recogniser", "azur", "en-US", "", "recogniser", "there are: azure, deepgram, google"),
        ("recogniser", "google", "tlh", "", "language", "google does not serve tlh"),
        ("speaker", "google", "en-US", "alto", "voice", "named like en-US-Chirp3-HD-Aoede"),
        ("speaker", "google", "zh-HK", "cmn-CN-Wavenet-A", "voice", "for cmn-CN, not for zh-HK"),
        ("recogniser", "deepgram", "zh-HK", "", "language", "deepgram does not serve zh-HK"),
        ("speaker", "espeak", "ja-JP", "f1", "language", "the speaker espeak does not serve ja-JP"),
        ("speaker", "espeak", "en-US", "alto", "voice", "the speaker espeak has no voice 'alto'"),
        ("speaker", "elevenlabs", "zh-HK", "any", "language", "does not serve zh-HK"),
        ("speaker", "cartesia", "zh-HK", "x", "language", "does not serve zh-HK"),
        ("speaker", "cartesia", "en-US", "alto", "voice", "named like f786b574-"),
        ("recogniser", "openai_transcription", "zh-HK", "", "language", "does not serve zh-HK"),
        ("recogniser", "scribe", "tlh", "", "language", "does not serve tlh"),
        ("speaker", "azure", "en-US", "alto", "voice", "named like en-US-AvaMultilingualNeural"),
        ("speaker", "azure", "zh-HK", "zh-CN-XiaoxiaoNeural", "voice", "for zh-CN, not for zh-HK"),
        ("speaker", "azure", "de-DE", "en-US-JennyNeural", "voice", "for en-US, not for de-DE"),
    ],
)
def test_what_an_agent_cannot_have_names_the_field_to_change(
    kind: str, name: str, language: str, voice: str, field: str, said: str
) -> None:
    refusal = refusal_of(kind, name, language, voice)
    assert refusal is not None
    assert refusal.field == field
    assert said in refusal.reason


def test_what_is_not_known_to_be_impossible_is_allowed() -> None:
    assert refusal_of("speaker", "espeak", "zh-HK", "f1") is None
    assert refusal_of("speaker", "elevenlabs", "en-US", "any id") is None
    assert refusal_of("speaker", "azure", "zh-HK", "yue-CN-XiaoMinNeural") is None
    assert refusal_of("speaker", "azure", "en-GB", "en-US-JennyNeural") is None
    assert refusal_of("speaker", "azure", "fr-FR", "en-US-AvaMultilingualNeural") is None
    assert refusal_of("speaker", "azure", "fr-FR", "en-US-Ava:DragonHDLatestNeural") is None
    assert refusal_of("speaker", "google", "zh-HK", "yue-HK-Standard-A") is None
    assert refusal_of("speaker", "google", "zh-CN", "cmn-CN-Chirp3-HD-Kore") is None
    assert refusal_of("recogniser", "google", "zh-HK") is None
    assert refusal_of("thinker", "openai", "tlh") is None
    assert refusal_of("recogniser", "deepgram", "pt-BR") is None
    assert refusal_of("recogniser", "scribe", "zh-HK") is None
    assert refusal_of("recogniser", "openai_transcription", "zh-CN") is None
    assert refusal_of("speaker", "cartesia", "ms-MY", VOICE_EXAMPLE) is None


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ProviderRejected, match=f"there are: {', '.join(sorted(SPEAKERS))}"):
        build_speaker("azur", KEYED)


@pytest.mark.parametrize(
    ("settings", "variable"),
    [
        (ProviderSettings(), "AZURE_SPEECH_KEY"),
        (ProviderSettings(azure=AzureSpeechConfig(key="k")), "AZURE_SPEECH_REGION"),
    ],
)
def test_azure_names_what_is_missing(settings: ProviderSettings, variable: str) -> None:
    with pytest.raises(ProviderRefused) as caught:
        build_recogniser("azure", settings)
    assert caught.value.setting == variable


@pytest.mark.parametrize(
    ("config", "setting"),
    [
        (GoogleSpeechConfig(), "GOOGLE_CLOUD_PROJECT"),
        (GoogleSpeechConfig("p", endpoint="127.0.0.1:1"), "GOOGLE_SPEECH_ENDPOINT"),
        (GoogleSpeechConfig("p", location="../eu"), "GOOGLE_SPEECH_LOCATION"),
    ],
)
def test_google_names_what_is_missing(config: GoogleSpeechConfig, setting: str) -> None:
    with pytest.raises((ProviderRefused, ProviderRejected)) as caught:
        build_recogniser("google", ProviderSettings(google=config))
    assert caught.value.setting == setting


def test_deepgram_names_what_is_missing() -> None:
    with pytest.raises(ProviderRefused) as caught:
        build_recogniser("deepgram", ProviderSettings())
    assert caught.value.setting == "DEEPGRAM_API_KEY"


def test_openai_names_what_is_missing() -> None:
    with pytest.raises(ProviderRefused) as caught:
        build_thinker("openai", ProviderSettings())
    assert caught.value.setting == "OPENAI_API_KEY"


@pytest.mark.parametrize(
    ("name", "setting"),
    [("azure_openai", "AZURE_OPENAI_API_KEY"), ("openrouter", "OPENROUTER_API_KEY")],
)
def test_a_service_by_name_says_what_is_missing(name: str, setting: str) -> None:
    with pytest.raises(ProviderRefused) as caught:
        build_thinker(name, ProviderSettings())
    assert caught.value.setting == setting


def test_the_classic_azure_url_has_a_key_of_its_own() -> None:
    config = OpenAIConfig(azure_endpoint("", "https://example.openai.azure.com", deployment="d"))
    with pytest.raises(ProviderRefused) as caught:
        build_thinker("openai", ProviderSettings(openai=config))
    assert caught.value.setting == "AZURE_OPENAI_API_KEY"


def test_azures_voice_names_what_is_missing() -> None:
    with pytest.raises(ProviderRefused) as caught:
        build_speaker("azure", ProviderSettings())
    assert caught.value.setting == "AZURE_SPEECH_KEY"


def test_openais_voice_names_what_is_missing() -> None:
    with pytest.raises(ProviderRefused) as caught:
        build_speaker("openai", ProviderSettings())
    assert caught.value.setting == "OPENAI_TTS_API_KEY"


def test_elevenlabs_names_what_is_missing() -> None:
    with pytest.raises(ProviderRefused) as caught:
        build_speaker("elevenlabs", ProviderSettings())
    assert caught.value.setting == "ELEVENLABS_API_KEY"


def test_addresses_of_the_wrong_kind_are_named() -> None:
    wrong = ProviderSettings(
        azure=AzureSpeechConfig(host="http://127.0.0.1:1"),
        deepgram=DeepgramConfig(api_key="k", base_url="127.0.0.1:1"),
        openai=OpenAIConfig(ChatEndpoint(base_url="127.0.0.1:1")),
        elevenlabs=ElevenLabsConfig(api_key="k", base_url="127.0.0.1:1"),
        azure_tts=AzureTtsConfig(host="http://127.0.0.1:1"),
        openai_tts=OpenAITtsConfig(base_url="127.0.0.1:1"),
    )
    for build, name, variable in (
        (build_recogniser, "azure", "AZURE_SPEECH_HOST"),
        (build_recogniser, "deepgram", "DEEPGRAM_BASE_URL"),
        (build_thinker, "openai", "OPENAI_BASE_URL"),
        (build_speaker, "elevenlabs", "ELEVENLABS_BASE_URL"),
        (build_speaker, "azure", "AZURE_TTS_HOST"),
        (build_speaker, "openai", "OPENAI_TTS_BASE_URL"),
    ):
        with pytest.raises(ProviderRejected) as caught:
            build(name, wrong)
        assert caught.value.setting == variable


def test_keys_are_never_printed() -> None:
    secret = ProviderSettings(
        azure=AzureSpeechConfig(key="topsecret"),
        deepgram=DeepgramConfig(api_key="topsecret"),
        openai=OpenAIConfig(ChatEndpoint(api_key="topsecret")),
        elevenlabs=ElevenLabsConfig(api_key="topsecret"),
        azure_tts=AzureTtsConfig(key="topsecret"),
        openai_tts=OpenAITtsConfig(api_key="topsecret"),
    )
    assert "topsecret" not in repr(secret)


def test_the_table_imports_no_vendor() -> None:
    script = (
        "import sys, providers.table; print({'openai', 'azure', 'websockets', 'grpc'}"
        " & {*sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
