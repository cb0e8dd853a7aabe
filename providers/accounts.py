"""Where and as whom each provider is asked: what two deployments of one vendor differ in.

One line for each provider that has a key or more than one address; without a line all that is asked
of a provider counts together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from providers.health.unit import NO_ACCOUNT, Account, credential_label
from providers.settings import OpenAIConfig, ProviderSettings

# (kind, name) to the attribute of ProviderSettings.
_CONFIGS: Final[Mapping[tuple[str, str], str]] = {
    ("recogniser", "azure"): "azure",
    ("recogniser", "deepgram"): "deepgram",
    ("recogniser", "google"): "google",
    ("recogniser", "openai_transcription"): "openai_stt",
    ("recogniser", "scribe"): "scribe",
    ("thinker", "openai"): "openai",
    ("thinker", "azure_openai"): "azure_openai",
    ("thinker", "openrouter"): "openrouter",
    ("speaker", "azure"): "azure_tts",
    ("speaker", "cartesia"): "cartesia",
    ("speaker", "elevenlabs"): "elevenlabs",
    ("speaker", "google"): "google_tts",
    ("speaker", "openai"): "openai_tts",
    ("realtime", "openai_realtime"): "openai_realtime",
}
# Google counts by project, whichever account of it asks.
_SECRETS: Final = ("api_key", "key", "project")
# The first that is set counts, as it does for the clients.
_PLACES: Final = ("host", "endpoint", "base_url", "region", "location")


def account_of(kind: str, name: str, known: ProviderSettings) -> Account:
    """Where and as whom this provider is asked; ``NO_ACCOUNT`` for one on this machine.

    Args:
        kind: ``recogniser``, ``thinker``, ``speaker`` or ``realtime``.
        name: As the provider table knows it.
        known: What providers are made of.
    """
    config = getattr(known, _CONFIGS.get((kind, name), ""), None)
    if config is None:
        return NO_ACCOUNT
    if isinstance(config, OpenAIConfig):
        config = config.endpoint
    secret = next((found for each in _SECRETS if (found := getattr(config, each, ""))), "")
    place = next((found for each in _PLACES if (found := getattr(config, each, ""))), "")
    return account_at(place, secret)


def account_at(place: str, secret: str) -> Account:
    """The account of this region or address and this key; nobody learns the key from it."""
    host = urlsplit(place).netloc.rpartition("@")[2] if "//" in place else place
    return Account(host, credential_label(secret))
