"""What Cartesia, Scribe and OpenAI's transcription are told, their keys, and what is missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from cluster.settings import Settings
from providers import cartesia_wire, openai_transcription_wire, scribe_wire
from providers.errors import ProviderError
from providers.openai_transcription_wire import OPENAI_ADDRESS
from providers.socket_settings import (
    CARTESIA_KEY,
    OPENAI_STT_KEY,
    SCRIBE_KEY,
    CartesiaConfig,
    OpenAITranscriptionConfig,
    ScribeConfig,
)


def openai_stt(settings: Settings) -> OpenAITranscriptionConfig:
    """A service of its own has its own key: OpenAI's is not shown to anybody else."""
    key = settings.openai_stt_api_key.get_secret_value()
    if not settings.openai_stt_base_url:
        key = key or settings.openai_api_key.get_secret_value()
    return OpenAITranscriptionConfig(
        api_key=key,
        base_url=settings.openai_stt_base_url or settings.openai_base_url or OPENAI_ADDRESS,
        model=settings.openai_stt_model,
        max_streams=settings.openai_stt_streams_per_process,
        turns=settings.openai_stt_turns,
        pause_s=settings.openai_stt_pause_ms / 1_000,
    )


def scribe(settings: Settings) -> ScribeConfig:
    """A service of its own has its own key: that of the voice is not shown to anybody else."""
    key = settings.scribe_api_key.get_secret_value()
    if not settings.scribe_base_url:
        key = key or settings.elevenlabs_api_key.get_secret_value()
    return ScribeConfig(
        api_key=key,
        base_url=settings.scribe_base_url or settings.elevenlabs_base_url,
        model=settings.scribe_model,
        max_streams=settings.scribe_streams_per_process,
        commit=settings.scribe_commit,
        pause_s=settings.scribe_pause_ms / 1_000,
    )


def cartesia(settings: Settings) -> CartesiaConfig:
    """The voice's record."""
    return CartesiaConfig(
        api_key=settings.cartesia_api_key.get_secret_value(),
        base_url=settings.cartesia_base_url,
        model=settings.cartesia_model,
        max_sockets=settings.cartesia_sockets,
    )


def missing_for_sockets(settings: Settings) -> dict[tuple[str, str], str]:
    """What is to be done before each can be used, by kind and name; empty for nothing."""
    return {
        ("recogniser", "openai_transcription"): _missing_for_openai(settings),
        ("recogniser", "scribe"): _missing_for_scribe(settings),
        ("speaker", "cartesia"): _missing_for_cartesia(settings),
    }


def socket_keys(settings: Settings, used: Collection[str]) -> Mapping[str, str]:
    """The keys of those that are used: variable to value, empty ones too."""
    keys = {
        "openai_transcription": (OPENAI_STT_KEY, settings.openai_stt_api_key),
        "scribe": (SCRIBE_KEY, settings.scribe_api_key),
        "cartesia": (CARTESIA_KEY, settings.cartesia_api_key),
    }
    return {
        variable: key.get_secret_value() for name, (variable, key) in keys.items() if name in used
    }


def key_trials(settings: Settings) -> list[tuple[str, str, str, dict[str, str]]]:
    """Requests that cost nothing and show that a key of these services is good.

    Returns:
        Provider, variable, address and headers of each whose own key is set.
    """
    trials = []
    if key := settings.openai_stt_api_key.get_secret_value():
        url = f"{openai_stt(settings).base_url.rstrip('/')}/models"
        bearer = {"Authorization": f"Bearer {key}"}
        trials.append(("openai_transcription", OPENAI_STT_KEY, url, bearer))
    if key := settings.scribe_api_key.get_secret_value():
        url = f"{scribe(settings).base_url.rstrip('/')}/v1/user/subscription"
        trials.append(("scribe", SCRIBE_KEY, url, {"xi-api-key": key}))
    if key := settings.cartesia_api_key.get_secret_value():
        url = f"{settings.cartesia_base_url.rstrip('/')}/voices"
        headers = {"X-API-Key": key, "Cartesia-Version": cartesia_wire.VERSION}
        trials.append(("cartesia", CARTESIA_KEY, url, headers))
    return trials


def _missing_for_openai(settings: Settings) -> str:
    try:
        openai_transcription_wire.check_config(openai_stt(settings))
    except ProviderError as error:
        return _sentence(error)
    return ""


def _missing_for_scribe(settings: Settings) -> str:
    try:
        scribe_wire.check_config(scribe(settings))
    except ProviderError as error:
        return _sentence(error)
    return ""


def _missing_for_cartesia(settings: Settings) -> str:
    try:
        cartesia_wire.check_config(cartesia(settings))
    except ProviderError as error:
        return _sentence(error)
    return ""


def _sentence(error: ProviderError) -> str:
    said = f"set {error.setting}"
    return said if "no key" in error.message else f"{said}: {error.message}"
