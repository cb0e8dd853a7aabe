"""From the names of an agent's language models to the candidates of a chain."""

from __future__ import annotations

from dialogue.ports import Thinker
from providers.accounts import account_of
from providers.failover.think_chain import ThinkCandidate
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
    account = account_of("thinker", name, settings)
    return ThinkCandidate(
        name,
        thinker,
        region=account.region,
        model=model_of(config),
        credential=account.credential,
    )
