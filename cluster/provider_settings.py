"""From the deployment's settings to what each provider has to be told; and what is missing."""

from __future__ import annotations

from collections.abc import Iterable

from cluster.settings import Settings
from dialogue.agent import Agent
from providers.settings import (
    AzureSpeechConfig,
    ElevenLabsConfig,
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
        openai=OpenAIConfig(
            api_key=settings.openai_api_key.get_secret_value(),
            base_url=settings.openai_base_url,
            model=settings.openai_model,
        ),
        elevenlabs=ElevenLabsConfig(
            api_key=settings.elevenlabs_api_key.get_secret_value(),
            base_url=settings.elevenlabs_base_url,
        ),
    )


def missing_keys(settings: Settings, agents: Iterable[Agent]) -> list[str]:
    """What the agents need and the environment does not hold; one sentence each."""
    used = {
        provider: agent.agent_id
        for agent in agents
        for provider in (agent.recogniser, agent.thinker, agent.speaker)
    }
    wants = {
        "azure": (
            "AZURE_SPEECH_KEY and AZURE_SPEECH_REGION (or AZURE_SPEECH_HOST)",
            bool(
                settings.azure_speech_host
                or (settings.azure_speech_key.get_secret_value() and settings.azure_speech_region)
            ),
        ),
        "openai": (
            "OPENAI_API_KEY (or OPENAI_BASE_URL of a service that needs none)",
            bool(settings.openai_api_key.get_secret_value() or settings.openai_base_url),
        ),
        "elevenlabs": (
            "ELEVENLABS_API_KEY",
            bool(settings.elevenlabs_api_key.get_secret_value()),
        ),
    }
    return [
        f"agent {agent_id} uses {provider}: set {wants[provider][0]}"
        for provider, agent_id in sorted(used.items())
        if provider in wants and not wants[provider][1]
    ]
