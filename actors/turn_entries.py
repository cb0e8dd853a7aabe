"""From a settled turn of the machine to the entry that is logged, sent and recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actors.wire import TurnEntry
from dialogue.tool_use import use_of
from voice import timeline
from voice.events import TurnSettled


def entry_of(
    settled: TurnSettled,
    *,
    stages: Mapping[str, float],
    asked_at: float,
    usage: Mapping[str, float],
    at_us: int,
    action: Mapping[str, Any],
    cache: Mapping[str, Any],
) -> TurnEntry:
    """The entry of one turn; loop times become seconds after the caller's speech ended.

    Args:
        settled: What the machine says.
        stages: Stages of the mind, seconds after it received the question.
        asked_at: Loop time at which the question was sent.
        usage: Provider units.
        at_us: UTC microseconds.
        action: What the reply asked for; empty for nothing.
        cache: What the response cache said; empty when it was not asked.
    """
    times = dict(settled.timeline)
    for stage, after_s in stages.items():
        times.setdefault(stage, asked_at + after_s)
    origin = times.get(timeline.SPEECH_ENDED)
    if origin is None:
        origin = times.get(timeline.COMMITTED, min(times.values(), default=0.0))
    return TurnEntry(
        turn_id=settled.turn_id,
        kind=settled.kind,
        caller_text=settled.caller_text,
        agent_text=settled.agent_text,
        heard_text=settled.heard_text,
        outcome=settled.outcome,
        reason=settled.reason,
        at_us=at_us,
        timeline={stage: round(at - origin, 6) for stage, at in times.items()},
        usage=dict(usage),
        tools=(use_of(action, is_done=settled.performs),) if action.get("tool") else (),
        guess=settled.guess,
        cache=dict(cache),
    )


def zero_of(settled: TurnSettled, entry: TurnEntry) -> float | None:
    """Loop time of the zero of the entry's timeline; None if the machine gave no times."""
    for stage, at in settled.timeline.items():
        return at - entry.timeline[stage]
    return None
