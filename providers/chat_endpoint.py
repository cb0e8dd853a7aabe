"""From what people have in their environment to the address of chat completions.

Azure's portal hands out a whole URL (``.../deployments/NAME/chat/completions?api-version=...``),
its SDKs take the bare address of the resource, and its newer route ends in ``/openai/v1``: all
three are read here, and the rest of the house knows one ``ChatEndpoint``.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from providers.errors import ProviderRejected
from providers.settings import (
    AZURE_OPENAI_DEPLOYMENT,
    AZURE_OPENAI_ENDPOINT,
    OPENAI_BASE_URL,
    OPENROUTER_BASE_URL,
    ChatEndpoint,
)

OPENAI_ADDRESS: Final = "https://api.openai.com/v1"
OPENROUTER_ADDRESS: Final = "https://openrouter.ai/api/v1"
AZURE_API_VERSION: Final = "2025-04-01-preview"

_COMPLETIONS = "/chat/completions"
_DEPLOYMENTS = "/openai/deployments/"
_NEW_ROUTE = "/openai/v1"


def openai_endpoint(api_key: str, base_url: str = "", model: str = "") -> ChatEndpoint:
    """OpenAI, or any server of the same protocol.

    Args:
        api_key: May be empty for a server that asks for none.
        base_url: Up to and with ``/v1``; empty for OpenAI itself.
        model: Empty for the default.

    Raises:
        ProviderRejected: ``base_url`` is no http(s) URL.
    """
    address, query = _split(base_url or OPENAI_ADDRESS, "openai", OPENAI_BASE_URL)
    return ChatEndpoint("openai", address, api_key, query, model=model)


def openrouter_endpoint(api_key: str, base_url: str = "", model: str = "") -> ChatEndpoint:
    """OpenRouter; its models have names of their own, such as ``openai/gpt-5.4-mini``.

    Args:
        api_key: Of OpenRouter.
        base_url: Empty for ``https://openrouter.ai/api/v1``.
        model: Must be given here or by every agent.

    Raises:
        ProviderRejected: ``base_url`` is no http(s) URL.
    """
    address, query = _split(base_url or OPENROUTER_ADDRESS, "openrouter", OPENROUTER_BASE_URL)
    return ChatEndpoint("openrouter", address, api_key, query, model=model)


def azure_endpoint(
    api_key: str, address: str, *, deployment: str = "", api_version: str = "", model: str = ""
) -> ChatEndpoint:
    """A deployment of Azure OpenAI.

    Args:
        api_key: Sent as ``api-key``.
        address: The whole URL of the deployment, the address of the resource, or one that ends in
            ``/openai/v1``; in front of a gateway, with its path.
        deployment: Where ``address`` names none. One that it names comes first.
        api_version: Where ``address`` names none; ignored on the ``/openai/v1`` route, which needs
            none.
        model: The model behind the deployment, which says what optional fields it takes; empty for
            the deployment's own name. On the ``/openai/v1`` route: the deployment, if not given.

    Raises:
        ProviderRejected: No http(s) URL, or no deployment anywhere; names the setting.
    """
    base, query = _split(address, "azure", AZURE_OPENAI_ENDPOINT)
    if base.endswith(_NEW_ROUTE):
        return ChatEndpoint("azure", base, api_key, query, model=deployment or model)
    prefix, mark, rest = f"{base}/".partition(_DEPLOYMENTS)
    named = unquote(rest.partition("/")[0])
    if mark and not named:
        raise ProviderRejected(
            "the URL names no deployment after /deployments/", "azure", AZURE_OPENAI_ENDPOINT
        )
    name = named or deployment or model
    if not name:
        raise ProviderRejected(
            "which deployment? Set it, or write the deployment's whole URL into "
            f"{AZURE_OPENAI_ENDPOINT}",
            "azure",
            AZURE_OPENAI_DEPLOYMENT,
        )
    if not any(key == "api-version" for key, _ in query):
        query = (*query, ("api-version", api_version or AZURE_API_VERSION))
    resource = prefix.rstrip("/").removesuffix("/openai")
    return ChatEndpoint(
        "azure",
        f"{resource}{_DEPLOYMENTS}{quote(name, safe='')}",
        api_key,
        query,
        model=model or name,
    )


def _split(url: str, provider: str, setting: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """An address without ``/chat/completions`` and slashes at its end, and its query."""
    try:
        parts = urlsplit(url.strip())
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ProviderRejected("the address is no http(s) URL", provider, setting) from None
    if not is_usable:
        raise ProviderRejected("the address is no http(s) URL", provider, setting)
    path = parts.path.rstrip("/").removesuffix(_COMPLETIONS).rstrip("/")
    return (
        urlunsplit((parts.scheme, parts.netloc, path, "", "")),
        tuple(parse_qsl(parts.query, keep_blank_values=True)),
    )
