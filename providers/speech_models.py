"""What the settings say that decides how a speaker sounds.

A clip outlives the settings that it was made with, so they belong to its name: after a change of
the model everything is spoken anew, and after a change back what was made before is found again.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from providers.models import (
    DEFAULT_CARTESIA_MODEL,
    DEFAULT_OPENAI_SPEECH_MODEL,
    DEFAULT_SPEECH_MODEL,
)
from providers.settings import ProviderSettings


def speech_models(known: ProviderSettings) -> Mapping[str, str]:
    """What each speaker's clips are made with, by its name: never a key, nor what an address holds.

    The server belongs to it: another one may have another voice of the same name, as those of
    OpenAI's protocol, containers and emulators have.
    """
    rate = f"{known.openai_tts.sample_rate_hz} Hz"
    return {
        "azure": _server(known.azure_tts.host),
        "cartesia": _made_with("cartesia", known, known.cartesia.base_url),
        "elevenlabs": _made_with("elevenlabs", known, known.elevenlabs.base_url),
        "espeak": f"{known.espeak.words_per_minute} words",
        "google": _server(known.google_tts.endpoint),
        "openai": f"{_made_with('openai', known, known.openai_tts.base_url)} {rate}",
    }


def speech_model(name: str, known: ProviderSettings) -> str:
    """The model that a speaker speaks with; its own name where there is no choice."""
    if name == "elevenlabs":
        return known.elevenlabs.model or DEFAULT_SPEECH_MODEL
    if name == "cartesia":
        return known.cartesia.model or DEFAULT_CARTESIA_MODEL
    if name == "openai":
        return known.openai_tts.model or DEFAULT_OPENAI_SPEECH_MODEL
    return name


def _made_with(name: str, known: ProviderSettings, address: str) -> str:
    return f"{speech_model(name, known)} {_server(address)}"


def _server(address: str) -> str:
    """Host, port and path: a password that is changed changes no voice."""
    parts = urlsplit(address)
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")
