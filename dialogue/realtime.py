"""How an agent speaks and listens when one model does both (``mode: realtime``).

The same prompt and the same tools as in the other modes: only how a call is ended differs, since a
model that speaks would say a mark aloud.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from dialogue.tools import Tool

if TYPE_CHECKING:
    from dialogue.agent import Agent

TurnDetection = Literal["server_vad", "semantic_vad"]
Eagerness = Literal["auto", "low", "medium", "high"]
NoiseReduction = Literal["off", "near_field", "far_field"]

END_CALL: Final = "end_call"
"""The tool by which an agent without a tool of that type ends its calls."""

_END_CALL = Tool(
    "end_call",
    END_CALL,
    "End the call. Say goodbye first, in the same reply; use it when the conversation is over.",
)


@dataclass(frozen=True, slots=True)
class RealtimeTurns:
    """When the service takes the caller's turn to be over.

    Attributes:
        detection: By silence (``server_vad``) or by what was said (``semantic_vad``).
        threshold: How loud a sound counts as speech, 0 to 1; of ``server_vad``, like the next two.
        prefix_padding_s: Audio before the first sound that belongs to it.
        silence_s: Silence that ends the turn.
        eagerness: How soon ``semantic_vad`` answers at the latest: 8, 4 or 2 s.
    """

    detection: TurnDetection = "server_vad"
    threshold: float = 0.5
    prefix_padding_s: float = 0.3
    silence_s: float = 0.5
    eagerness: Eagerness = "auto"


TURN_PRESETS: Final = {
    "default": RealtimeTurns(),
    "fast": RealtimeTurns(silence_s=0.2),
    "patient": RealtimeTurns(silence_s=0.9),
    "semantic": RealtimeTurns("semantic_vad"),
}


@dataclass(frozen=True, slots=True)
class RealtimeOptions:
    """An agent's wishes; what is empty is the deployment's.

    Attributes:
        model: Such as ``gpt-realtime-2.1``.
        voice: One of the service's own; not the voice of the agent's speaker.
        speed: 0.25 to 1.5; 1 is as the voice is.
        effort: How much the model thinks before it speaks; empty: its own default.
        noise_reduction: ``near_field`` for a telephone at the ear, ``far_field`` for a room.
    """

    model: str = ""
    voice: str = "marin"
    speed: float = 1.0
    effort: str = ""
    noise_reduction: NoiseReduction = "off"
    turns: RealtimeTurns = RealtimeTurns()


def with_end_call(agent: Agent) -> Agent:
    """The agent as a model that speaks is told of it: with a tool that ends the call."""
    if any(tool.type == "end_call" or tool.name == END_CALL for tool in agent.tools):
        return agent
    return replace(agent, tools=(*agent.tools, _END_CALL))
