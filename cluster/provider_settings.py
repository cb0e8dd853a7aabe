"""From the deployment's settings to what each provider has to be told; and what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cluster.chat_service import (
    chat_endpoint,
    missing_for_chat,
    missing_for_stand_in,
    stand_in_endpoint,
)
from cluster.settings import Settings
from cluster.socket_provider_settings import (
    cartesia,
    missing_for_sockets,
    openai_stt,
    scribe,
)
from cluster.tool_complaints import tool_complaints
from dialogue.agent import Agent
from providers.errors import ProviderError
from providers.espeak_process import INSTALL_HINT, is_installed
from providers.google_channel import is_installed as has_google
from providers.google_errors import INSTALL_HINT as GOOGLE_HINT
from providers.google_settings import GoogleSpeechConfig, GoogleTtsConfig
from providers.openai_tts_wire import OPENAI_ADDRESS
from providers.pocketsphinx_process import INSTALL_HINT as POCKETSPHINX_HINT
from providers.pocketsphinx_process import is_installed as has_pocketsphinx
from providers.realtime.config import check_config
from providers.settings import (
    AzureSpeechConfig,
    AzureTtsConfig,
    ChatService,
    DeepgramConfig,
    ElevenLabsConfig,
    EspeakConfig,
    OpenAIConfig,
    OpenAITtsConfig,
    ProviderSettings,
    RealtimeConfig,
)


def provider_settings(settings: Settings) -> ProviderSettings:
    """The records of the provider table."""
    return ProviderSettings(
        azure=AzureSpeechConfig(
            key=settings.azure_speech_key.get_secret_value(),
            region=settings.azure_speech_region,
            host=settings.azure_speech_host,
            max_streams=settings.azure_streams_per_process,
            segmentation_silence_s=settings.azure_segmentation_ms / 1_000,
            identifies_languages=settings.azure_identifies_languages,
        ),
        deepgram=DeepgramConfig(
            api_key=settings.deepgram_api_key.get_secret_value(),
            base_url=settings.deepgram_base_url,
            model=settings.deepgram_model,
            max_streams=settings.deepgram_streams_per_process,
            eot_threshold=settings.deepgram_eot_threshold,
            eager_eot_threshold=settings.deepgram_eager_eot_threshold,
            eot_timeout_s=settings.deepgram_eot_timeout_ms / 1_000,
        ),
        openai=OpenAIConfig(endpoint=chat_endpoint(settings)),
        azure_openai=_stand_in(settings, "azure"),
        openrouter=_stand_in(settings, "openrouter"),
        elevenlabs=ElevenLabsConfig(
            api_key=settings.elevenlabs_api_key.get_secret_value(),
            base_url=settings.elevenlabs_base_url,
            model=settings.elevenlabs_model,
            max_sockets=settings.elevenlabs_sockets,
        ),
        azure_tts=AzureTtsConfig(
            key=settings.azure_speech_key.get_secret_value(),
            region=settings.azure_speech_region,
            host=settings.azure_tts_host,
            max_synthesisers=settings.azure_synthesisers_per_process,
            text_streaming=settings.azure_tts_text_streaming,
        ),
        google=GoogleSpeechConfig(
            project=settings.google_cloud_project,
            credentials=settings.google_application_credentials,
            endpoint=settings.google_speech_endpoint,
            location=settings.google_speech_location,
            model=settings.google_speech_model,
            max_streams=settings.google_streams_per_process,
        ),
        google_tts=GoogleTtsConfig(
            project=settings.google_cloud_project,
            credentials=settings.google_application_credentials,
            endpoint=settings.google_tts_endpoint,
            location=settings.google_tts_location,
        ),
        openai_tts=_openai_tts(settings),
        openai_realtime=_openai_realtime(settings),
        openai_stt=openai_stt(settings),
        scribe=scribe(settings),
        cartesia=cartesia(settings),
        espeak=EspeakConfig(words_per_minute=settings.espeak_words_per_minute),
    )


def _openai_tts(settings: Settings) -> OpenAITtsConfig:
    """A speech server of its own has its own key: OpenAI's is not shown to anybody else."""
    key = settings.openai_tts_api_key.get_secret_value()
    if not settings.openai_tts_base_url:
        key = key or settings.openai_api_key.get_secret_value()
    return OpenAITtsConfig(
        api_key=key,
        base_url=settings.openai_tts_base_url or settings.openai_base_url or OPENAI_ADDRESS,
        model=settings.openai_tts_model,
        sample_rate_hz=settings.openai_tts_sample_rate,
    )


def _openai_realtime(settings: Settings) -> RealtimeConfig:
    """A service of its own has its own key: OpenAI's is not shown to anybody else."""
    key = settings.openai_realtime_api_key.get_secret_value()
    if not settings.openai_realtime_base_url:
        key = key or settings.openai_api_key.get_secret_value()
    return RealtimeConfig(
        api_key=key,
        base_url=settings.openai_realtime_base_url or settings.openai_base_url or OPENAI_ADDRESS,
        model=settings.openai_realtime_model,
        transcription_model=settings.openai_realtime_transcription_model,
    )


def _missing_for_google(settings: Settings, endpoint: str, variable: str) -> str:
    """The clients first: without them no setting helps. An emulator asks for no credentials."""
    if not has_google():
        return GOOGLE_HINT
    path = settings.google_application_credentials
    if path and not endpoint.startswith("http://") and not Path(path).is_file():
        return "GOOGLE_APPLICATION_CREDENTIALS names no file on this machine"
    has_access = settings.google_cloud_project or settings.google_application_credentials
    if has_access or endpoint.startswith("http://"):
        return ""
    return f"set GOOGLE_CLOUD_PROJECT and GOOGLE_APPLICATION_CREDENTIALS (or {variable})"


def _missing_for_realtime(settings: Settings) -> str:
    try:
        check_config(_openai_realtime(settings))
    except ProviderError as error:
        return f"set {error.setting}"
    return ""


def _stand_in(settings: Settings, service: ChatService) -> OpenAIConfig | None:
    try:
        endpoint = stand_in_endpoint(settings, service)
    except ProviderError:  # which is said to whoever names the service, see ``missing_keys``
        return None
    return None if endpoint is None else OpenAIConfig(endpoint=endpoint)


def missing_keys(settings: Settings, agents: Iterable[Agent]) -> list[str]:
    """What the agents need and the environment does not hold; one sentence each."""
    agents = list(agents)
    missing = {
        of: sentence for of, sentence in _missing_by_use(settings, agents).items() if sentence
    }
    used = {
        of: agent.agent_id
        for agent in agents
        for of in (
            *(("recogniser", name) for name in agent.recognisers),
            *(("thinker", name) for name in agent.thinkers),
            *(("speaker", name) for name in agent.speakers),
            *(("mode", name) for name in agent.modes if name == "realtime"),
        )
        if of in missing
    }
    sentences = {
        f"agent {agent_id} uses {of[1]}: {missing[of]}": None
        for of, agent_id in sorted(used.items(), key=lambda use: (use[0][1], use[0][0]))
    }
    return [*sentences, *tool_complaints(settings, agents)]


def _missing_by_use(settings: Settings, agents: list[Agent]) -> dict[tuple[str, str], str]:
    """What is to be done before a provider can be used, by kind and name; empty for nothing."""
    has_azure = settings.azure_speech_key.get_secret_value() and settings.azure_speech_region
    azure = "set AZURE_SPEECH_KEY and AZURE_SPEECH_REGION"
    chat = missing_for_chat(settings, (a for a in agents if "openai" in a.thinkers))
    openai_voice = _openai_tts(settings)
    azure_chat = missing_for_stand_in(settings, "azure")
    openrouter = missing_for_stand_in(settings, "openrouter")
    return {
        ("recogniser", "azure"): ""
        if has_azure or settings.azure_speech_host
        else f"{azure} (or AZURE_SPEECH_HOST)",
        ("recogniser", "deepgram"): ""
        if settings.deepgram_api_key.get_secret_value()
        else "set DEEPGRAM_API_KEY",
        ("recogniser", "pocketsphinx"): "" if has_pocketsphinx() else POCKETSPHINX_HINT,
        ("recogniser", "google"): _missing_for_google(
            settings, settings.google_speech_endpoint, "GOOGLE_SPEECH_ENDPOINT of an emulator"
        ),
        ("speaker", "google"): _missing_for_google(
            settings, settings.google_tts_endpoint, "GOOGLE_TTS_ENDPOINT of an emulator"
        ),
        **missing_for_sockets(settings),
        ("thinker", "openai"): f"set {chat}" if chat else "",
        ("thinker", "azure_openai"): f"set {azure_chat}" if azure_chat else "",
        ("thinker", "openrouter"): f"set {openrouter}" if openrouter else "",
        ("speaker", "azure"): ""
        if has_azure or settings.azure_tts_host
        else f"{azure} (or AZURE_TTS_HOST)",
        ("speaker", "elevenlabs"): ""
        if settings.elevenlabs_api_key.get_secret_value()
        else "set ELEVENLABS_API_KEY",
        ("speaker", "openai"): ""
        if openai_voice.api_key or openai_voice.base_url != OPENAI_ADDRESS
        else "set OPENAI_TTS_API_KEY or OPENAI_API_KEY (or OPENAI_TTS_BASE_URL of a server that "
        "needs none)",
        ("mode", "realtime"): _missing_for_realtime(settings),
        ("speaker", "espeak"): "" if is_installed() else INSTALL_HINT,
    }
