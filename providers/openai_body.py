"""What a chat completion request says, and which setting is to blame; without the SDK."""

from __future__ import annotations

from typing import Any

from dialogue.ports import Message, ThinkRequest, ToolDefinition
from providers.chat_endpoint import OPENAI_ADDRESS
from providers.endpoint_checks import check_address, check_key
from providers.errors import ProviderRefused, ProviderRejected
from providers.http_status import Blame
from providers.models import DEFAULT_CHAT_MODEL, chat_model
from providers.settings import OpenAIConfig


def blame_of(config: OpenAIConfig) -> Blame:
    """The settings to name: each service has its own."""
    endpoint = config.endpoint
    return Blame(
        provider="openai",
        key=endpoint.key_setting,
        request=endpoint.model_setting,
        address=endpoint.address_setting,
    )


def check_config(config: OpenAIConfig) -> None:
    """See that there is an address and, where one is needed, a key.

    Raises:
        ProviderRefused: There is no key, and the address is one that needs a key; or it is none.
        ProviderRejected: The address is no http or https URL.
    """
    blame, endpoint = blame_of(config), config.endpoint
    if not endpoint.base_url.startswith(("http://", "https://")):
        raise ProviderRejected("the address is no http(s) URL", blame.provider, blame.address)
    check_address(endpoint.base_url, blame.provider, blame.address)
    check_key(endpoint.api_key, blame.provider, blame.key)
    is_own_server = endpoint.kind == "openai" and endpoint.base_url != OPENAI_ADDRESS
    if not endpoint.api_key and not is_own_server:
        raise ProviderRefused("there is no key", blame.provider, blame.key)


def model_of(config: OpenAIConfig, request: ThinkRequest | None = None) -> str:
    """The request's model, else the configured one, else the default."""
    return (request.model if request else "") or config.endpoint.model or DEFAULT_CHAT_MODEL


def request_body(config: OpenAIConfig, request: ThinkRequest) -> dict[str, Any]:
    """The body of a streamed completion; optional fields only where the model takes them."""
    name = model_of(config, request)
    model = chat_model(name)
    body: dict[str, Any] = {
        "model": name,
        "messages": [_message(message) for message in request.messages],
        "stream": True,
        **model.optional_fields(
            reasoning_effort=config.reasoning_effort,
            service_tier=config.service_tier,
            verbosity=config.verbosity,
            with_tools=bool(request.tools),
        ),
    }
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
        if request.tool_choice != "auto":
            body["tool_choice"] = request.tool_choice
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.max_tokens is not None:
        body[model.completion_tokens_field] = request.max_tokens
    return body


def _message(message: Message) -> dict[str, Any]:
    text = _whole(message.text)
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.tool_call_id, "content": text}
    if not message.tool_calls:
        return {"role": message.role, "content": text}
    return {
        "role": message.role,
        "content": text or None,
        "tool_calls": [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _whole(call.arguments_json)},
            }
            for call in message.tool_calls
        ],
    }


def _whole(text: str) -> str:
    """``text`` with ``?`` for half a character, which no request can hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _tool(tool: ToolDefinition) -> dict[str, Any]:
    parameters = dict(tool.parameters) or {"type": "object", "properties": {}}
    function = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return {"type": "function", "function": function}
