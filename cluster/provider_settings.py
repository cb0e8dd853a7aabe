"""From the deployment's settings to what each provider has to be told; and what is missing."""

from __future__ import annotations

from collections.abc import Iterable

from cluster.chat_service import chat_endpoint, missing_for_chat
from cluster.settings import Settings
from dialogue.agent import Agent
from providers.espeak_process import INSTALL_HINT, is_installed
from providers.settings import (
    AzureSpeechConfig,
    DeepgramConfig,
    ElevenLabsConfig,
    EspeakConfig,
    OpenAIConfig,
    ProviderSettings,
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
        elevenlabs=ElevenLabsConfig(
            api_key=settings.elevenlabs_api_key.get_secret_value(),
            base_url=settings.elevenlabs_base_url,
        ),
        espeak=EspeakConfig(words_per_minute=settings.espeak_words_per_minute),
    )


def missing_keys(settings: Settings, agents: Iterable[Agent]) -> list[str]:
    """What the agents need and the environment does not hold; one sentence each."""
    agents = list(agents)
    used = {
        provider: agent.agent_id
        for agent in agents
        for provider in (agent.recogniser, agent.thinker, agent.speaker)
    }
    has_azure = settings.azure_speech_host or (
        settings.azure_speech_key.get_secret_value() and settings.azure_speech_region
    )
    chat = missing_for_chat(settings, (a for a in agents if a.thinker == "openai"))
    missing = {
        "azure": ""
        if has_azure
        else "set AZURE_SPEECH_KEY and AZURE_SPEECH_REGION (or AZURE_SPEECH_HOST)",
        "deepgram": "" if settings.deepgram_api_key.get_secret_value() else "set DEEPGRAM_API_KEY",
        "openai": f"set {chat}" if chat else "",
        "elevenlabs": ""
        if settings.elevenlabs_api_key.get_secret_value()
        else "set ELEVENLABS_API_KEY",
        "espeak": "" if is_installed() else INSTALL_HINT,
    }
    return [
        f"agent {agent_id} uses {provider}: {missing[provider]}"
        for provider, agent_id in sorted(used.items())
        if missing.get(provider)
    ]
