"""Which language model service the settings choose, when people have keys of several.

The first that is set, in this order: OpenAI (``OPENAI_API_KEY`` or ``OPENAI_BASE_URL``), Azure
OpenAI (``AZURE_OPENAI_API_KEY`` with ``AZURE_OPENAI_ENDPOINT``), OpenRouter
(``OPENROUTER_API_KEY``). ``CALLCLUSTER_CHAT_SERVICE`` names another one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cluster.settings import Settings
from dialogue.agent import Agent
from providers.chat_endpoint import azure_endpoint, openai_endpoint, openrouter_endpoint
from providers.errors import ProviderError
from providers.settings import ChatEndpoint, ChatService

_NOTHING_SET = (
    "OPENAI_API_KEY (or OPENAI_BASE_URL of a service that needs none, or AZURE_OPENAI_API_KEY with "
    "AZURE_OPENAI_ENDPOINT, or OPENROUTER_API_KEY)"
)


@dataclass(frozen=True, slots=True)
class ChatChoice:
    """What was chosen, and why.

    Attributes:
        service: Chosen; ``openai`` when nothing is set at all.
        variables: The settings that decided; empty when nothing is set.
        others: Services that are set as well and are not used.
        missing: What has to be set before the service can be used; empty when nothing is.
    """

    service: ChatService
    variables: tuple[str, ...]
    others: tuple[ChatService, ...] = ()
    missing: str = ""


def choose_chat_service(settings: Settings) -> ChatChoice:
    """See the top of this file. One that is set in part is taken only when none is whole."""
    found = _variables(settings)
    whole = [name for name in found if not _missing(name, found)]
    begun = [name for name in found if any(found[name].values())]
    service: ChatService = next(iter(whole + begun), "openai")
    if settings.chat_service is not None:
        service = settings.chat_service
    return ChatChoice(
        service,
        tuple(name for name, value in found[service].items() if value),
        tuple(name for name in begun if name != service),
        _missing(service, found),
    )


def chat_endpoint(settings: Settings) -> ChatEndpoint:
    """Where the chosen service is.

    Raises:
        ProviderRejected: Its address cannot be used, or names no deployment; names the setting.
    """
    return _endpoint(settings, choose_chat_service(settings).service)


def stand_in_endpoint(settings: Settings, service: ChatService) -> ChatEndpoint | None:
    """Where a service is that an agent names itself; None while its settings are not whole.

    ``OPENAI_MODEL`` is a name at the service that was chosen, and says nothing to any other one.

    Raises:
        ProviderRejected: As ``chat_endpoint``.
    """
    if _missing(service, _variables(settings)):
        return None
    if choose_chat_service(settings).service == service:
        return _endpoint(settings, service)
    return _endpoint(settings.model_copy(update={"openai_model": ""}), service)


def missing_for_stand_in(settings: Settings, service: ChatService) -> str:
    """What has to be set before an agent can name this service; empty when nothing is."""
    if missing := _missing(service, _variables(settings)):
        return missing
    try:
        endpoint = stand_in_endpoint(settings, service)
    except ProviderError as error:
        return f"{error.setting} ({error.message})"
    if endpoint is None or endpoint.model:
        return ""
    return "OPENROUTER_MODEL, such as openai/gpt-5.4-mini"


def _endpoint(settings: Settings, service: ChatService) -> ChatEndpoint:
    match service:
        case "azure":
            return azure_endpoint(
                settings.azure_openai_api_key.get_secret_value(),
                settings.azure_openai_endpoint,
                deployment=settings.azure_openai_deployment,
                api_version=settings.azure_openai_api_version,
                model=settings.openai_model,
            )
        case "openrouter":
            return openrouter_endpoint(
                settings.openrouter_api_key.get_secret_value(),
                settings.openrouter_base_url,
                settings.openrouter_model or settings.openai_model,
            )
        case _:
            return openai_endpoint(
                settings.openai_api_key.get_secret_value(),
                settings.openai_base_url,
                settings.openai_model,
            )


def missing_for_chat(settings: Settings, agents: Iterable[Agent]) -> str:
    """What has to be set before these agents can think; empty when nothing is."""
    choice = choose_chat_service(settings)
    if choice.missing:
        return choice.missing
    try:
        endpoint = chat_endpoint(settings)
    except ProviderError as error:
        return f"{error.setting} ({error.message})"
    if endpoint.model or choice.service == "openai":
        return ""
    if all(agent.model for agent in agents):
        return ""
    if choice.service == "openrouter":
        return "OPENROUTER_MODEL, such as openai/gpt-5.4-mini (or the model of the agent)"
    return "AZURE_OPENAI_DEPLOYMENT (or the model of the agent)"


_Variables = dict[ChatService, dict[str, str]]


def _variables(settings: Settings) -> _Variables:
    """The settings that decide, with their values, in the order in which services are taken."""
    return {
        "openai": {
            "OPENAI_API_KEY": settings.openai_api_key.get_secret_value(),
            "OPENAI_BASE_URL": settings.openai_base_url,
        },
        "azure": {
            "AZURE_OPENAI_API_KEY": settings.azure_openai_api_key.get_secret_value(),
            "AZURE_OPENAI_ENDPOINT": settings.azure_openai_endpoint,
        },
        "openrouter": {"OPENROUTER_API_KEY": settings.openrouter_api_key.get_secret_value()},
    }


def _missing(service: ChatService, found: _Variables) -> str:
    values = found[service]
    if service == "openai":
        return "" if any(values.values()) else _NOTHING_SET
    return " and ".join(name for name, value in values.items() if not value)
