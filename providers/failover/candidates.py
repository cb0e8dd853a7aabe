"""From the names of an agent's language models to the candidates of a chain."""

from __future__ import annotations

from urllib.parse import urlsplit

from dialogue.ports import Thinker
from providers.failover.think_chain import ThinkCandidate
from providers.health.unit import credential_label
from providers.openai_body import model_of
from providers.settings import ProviderSettings


def think_candidate(name: str, thinker: Thinker, settings: ProviderSettings) -> ThinkCandidate:
    """What is known of a language model before it is asked.

    Args:
        name: As the provider table knows it.
        thinker: The service, of that name.
        settings: What it was made of.
    """
    config = {
        "openai": settings.openai,
        "azure_openai": settings.azure_openai,
        "openrouter": settings.openrouter,
    }.get(name)
    if config is None:
        return ThinkCandidate(name, thinker)
    endpoint = config.endpoint
    return ThinkCandidate(
        name,
        thinker,
        region=urlsplit(endpoint.base_url).netloc.rpartition("@")[2],
        model=model_of(config),
        credential=credential_label(endpoint.api_key),
    )
