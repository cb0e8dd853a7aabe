"""What a call asks of its mind, and how its stream ended: plain data of the ingress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TurnQuestion:
    """What a turn asks of the mind."""

    turn_id: int
    guess: int
    kind: str
    text: str
    speculative: bool


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """How the stream of a call ended."""

    planned: bool
    reason: str
    usage: dict[str, float]
    hand_over: dict[str, Any]
