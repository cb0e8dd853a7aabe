"""Calls of a chaos run, made by hand."""

from __future__ import annotations

from typing import Any

from cluster.chaos.faults import BY_NAME
from cluster.chaos.lines import PlacedCall
from cluster.chaos.result import EndedCall, PhaseResult
from cluster.chaos.turns import ChaosTurn, RecordedCall
from dialogue.agent import Phrases
from records.rows import CallRow, TurnRow
from simulation.caller_call import CallResult
from simulation.caller_events import TurnMeasured
from simulation.carrier_parts import LegReport
from tests.cluster.demo_samples import PLACED_US, recording

PLACED_AT = PLACED_US / 1e6
CALL = CallRow("default", "chaos", "1", "0199", "CA1", status="ended", planned_end=True)


def recorded(
    turns: tuple[TurnMeasured, ...],
    rows: tuple[TurnRow, ...],
    *agent: tuple[float, float],
    duration_s: float = 12.0,
) -> RecordedCall:
    """A call in which the agent was heard in these stretches."""
    leg = LegReport("CA1", status="completed", ended_by="caller", streams=1, duration_s=duration_s)
    result = CallResult(0, leg, turns, 0.1, recording=recording(*agent), recording_start_s=0.0)
    return RecordedCall(PlacedCall(PLACED_AT, result), CALL, rows)


def turn(**changes: Any) -> ChaosTurn:
    """Answered after 0.6 s, nothing lost."""
    values: dict[str, Any] = {
        "call": 0,
        "clip": "card001",
        "spoke_at": 99.0,
        "ended_at": 100.0,
        "outcome": "answered",
        "sound_s": 0.6,
        "reply_s": 0.6,
        "dead_air_s": 0.6,
        "hole_s": 0.0,
        "words_lost": 0,
        "words_extra": 0,
        "reply_lost": 0,
        "reply_extra": 0,
        "is_failed": False,
    }
    return ChaosTurn(**{**values, **changes})


def result(fault: str, *turns: ChaosTurn, role: str = "think", **changes: Any) -> PhaseResult:
    """A run in which something was broken from 90 to 200."""
    values: dict[str, Any] = {
        "from_at": 90.0,
        "until_at": 200.0,
        "turns": list(turns),
        "lateness_p99_ms": 1.0,
        "failover_p95_s": 0.1,
    }
    return PhaseResult(role, BY_NAME[fault], **{**values, **changes})


def ended(**changes: Any) -> EndedCall:
    """By the agent, politely."""
    values: dict[str, Any] = {
        "ended_by": "agent",
        "status": "ended",
        "reason": "provider_trouble",
        "is_planned": True,
        "last_words": Phrases().trouble,
    }
    return EndedCall(**{**values, **changes})
