"""From an agent and the deployment's settings to the address and the settings of a session."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from dialogue.agent import Agent
from dialogue.realtime import RealtimeTurns, with_end_call
from providers.errors import ProviderRefused, ProviderRejected
from providers.models import (
    DEFAULT_REALTIME_MODEL,
    DEFAULT_TRANSCRIPTION_MODEL,
    realtime_model,
)
from providers.realtime.refusals import BLAME, PROVIDER
from providers.realtime.voices import voice_of
from providers.settings import REALTIME_BASE_URL, RealtimeConfig

__all__ = [
    "RealtimeConfig",
    "check_config",
    "language_update",
    "model_of",
    "session_update",
    "socket_url",
]

OPENAI_ADDRESS = "https://api.openai.com/v1"
_SCHEMES = {"https": "wss", "http": "ws", "wss": "wss", "ws": "ws"}


def check_config(config: RealtimeConfig) -> None:
    """See that the service can be asked.

    Raises:
        ProviderRefused: The key is missing.
        ProviderRejected: The address is none.
    """
    if not config.api_key and config.base_url.rstrip("/") == OPENAI_ADDRESS:
        raise ProviderRefused("the key is missing", PROVIDER, BLAME.key)
    socket_url(config, "")


def model_of(config: RealtimeConfig, agent: Agent) -> str:
    """The model that answers for this agent."""
    return agent.realtime.model or config.model or DEFAULT_REALTIME_MODEL


def transcriber_of(config: RealtimeConfig) -> str:
    """The model that writes down what callers say."""
    return config.transcription_model or DEFAULT_TRANSCRIPTION_MODEL


def socket_url(config: RealtimeConfig, model: str) -> str:
    """The address of a session. Raises ``ProviderRejected`` when there can be none."""
    try:
        parts = urlsplit(config.base_url.strip())
        scheme = _SCHEMES.get(parts.scheme, "") if parts.hostname and parts.port != 0 else ""
    except ValueError:
        scheme = ""
    if not scheme:
        raise ProviderRejected("the address is no http(s) URL", PROVIDER, REALTIME_BASE_URL)
    rest = config.base_url.strip().partition("://")[2].rstrip("/")
    return f"{scheme}://{rest}/realtime?model={quote(model, safe='')}"


def session_update(config: RealtimeConfig, agent: Agent, instructions: str) -> dict[str, Any]:
    """The settings of a call's session.

    Args:
        config: Of the deployment.
        agent: Whose call it is.
        instructions: The system prompt.
    """
    options = agent.realtime
    model = realtime_model(model_of(config, agent))
    reduction = options.noise_reduction
    session: dict[str, Any] = {
        "type": "realtime",
        "instructions": instructions,
        "output_modalities": ["audio"],
        "audio": {
            "input": {
                "format": {"type": "audio/pcmu"},
                "noise_reduction": None if reduction == "off" else {"type": reduction},
                "transcription": _transcription(config, agent),
                "turn_detection": turn_detection(options.turns),
            },
            "output": {
                "format": {"type": "audio/pcmu"},
                "voice": voice_of(options.voice),
                "speed": options.speed,
            },
        },
        "tools": [
            {
                "type": "function",
                "name": tool.name,
                "description": tool.description,
                "parameters": dict(tool.parameters),
            }
            for tool in with_end_call(agent).toolbox.definitions()
        ],
        "tool_choice": "auto",
    }
    if model.takes_parallel_tool_calls:
        session["parallel_tool_calls"] = False
    if options.effort and options.effort in model.efforts:
        session["reasoning"] = {"effort": options.effort}
    if agent.max_reply_tokens is not None:
        # Audio costs about a token for each 50 ms beside the words themselves.
        session["max_output_tokens"] = min(4_096, agent.max_reply_tokens * 8)
    return session


def language_update(config: RealtimeConfig, agent: Agent, instructions: str) -> dict[str, Any]:
    """What of the settings changes when the call goes on in the language of ``agent``."""
    heard = {"input": {"transcription": _transcription(config, agent)}}
    return {"type": "realtime", "instructions": instructions, "audio": heard}


def turn_detection(turns: RealtimeTurns) -> dict[str, Any]:
    """When the service answers, and that the caller's voice interrupts it."""
    acts = {"create_response": True, "interrupt_response": True}
    if turns.detection == "semantic_vad":
        return {"type": "semantic_vad", "eagerness": turns.eagerness, **acts}
    return {
        "type": "server_vad",
        "threshold": turns.threshold,
        "prefix_padding_ms": round(turns.prefix_padding_s * 1_000),
        "silence_duration_ms": round(turns.silence_s * 1_000),
        **acts,
    }


def _transcription(config: RealtimeConfig, agent: Agent) -> dict[str, Any]:
    """Words for the record; what the model itself understands does not depend on them."""
    # The services name a language by its primary part alone; Cantonese has no other name there.
    primary = agent.language.split("-")[0].lower()
    language = "zh" if primary in {"yue", "cmn"} else primary
    told: dict[str, Any] = {"model": transcriber_of(config), "language": language}
    if agent.hints:
        told["prompt"] = ", ".join(agent.hints)
    return told
