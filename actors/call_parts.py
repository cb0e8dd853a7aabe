"""What a call's driver is given by its process, and what it says at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from actors.frame_clock import FrameClock
from actors.metrics_calls import AgentMeter
from actors.speech_source import SpeechSource
from providers.failover.ears import Ears
from voice.ports import TurnModel
from voice.waste import SpeculationBudgets


@dataclass(frozen=True, slots=True)
class CallParts:
    """What all calls of an agent share in a process.

    Attributes:
        ears: Who hears the callers.
        count: Counts what happens, by name (``actors.metrics_counts``).
        meter: Takes what calls and turns have measured.
        turn_model: Tells by ear whether a caller has finished; None when there is none, or it does
            not know the agent's language.
        budgets: Of guesses; one for all agents of the process.
    """

    ears: Ears
    speech: SpeechSource
    clock: FrameClock
    wall_clock_us: Callable[[], int]
    count: Callable[[str, float], None]
    meter: AgentMeter
    turn_model: TurnModel | None = None
    budgets: SpeculationBudgets = field(default_factory=SpeculationBudgets)


@dataclass(frozen=True, slots=True)
class CallEnd:
    """How a call ended on this stream.

    Attributes:
        planned: False when the stream was lost and the carrier should be sent back to us.
        close_code: WebSocket close code; 1000 is the normal one.
        hand_over: What the carrier does with the call now (``dialogue.tool_use``); empty when it is
            over, or lost.
    """

    planned: bool
    reason: str
    close_code: int = 1000
    hand_over: Mapping[str, Any] = field(default_factory=dict)
