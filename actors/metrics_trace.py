"""From a settled turn to its trace: one span for the turn, one child for each stage it has seen.

A stage is an instant; its span begins at the instant that it waited for, so that the spans show
where the time went. Attributes are identifiers: no words, no telephone numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from actors.wire import TurnEntry
from telemetry.traces import Span, Trace
from voice import timeline as t

# What each stage waits for; its span begins with the last of these that came before it.
_WAITS_FOR: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        t.SPEECH_ENDED: (),
        t.EAGER: (t.SPEECH_ENDED,),
        t.FINAL_TRANSCRIPT: (t.SPEECH_ENDED,),
        t.COMMITTED: (t.SPEECH_ENDED,),
        t.THINK_REQUESTED: (t.EAGER, t.COMMITTED),
        t.FIRST_TOKEN: (t.THINK_REQUESTED,),
        t.FIRST_SEGMENT: (t.FIRST_TOKEN,),
        t.SPEAK_REQUESTED: (t.FIRST_SEGMENT, t.COMMITTED),
        t.SPEAK_FIRST_BYTE: (t.SPEAK_REQUESTED,),
        t.FILLER_OUT: (t.COMMITTED,),
        t.RETREATED: (t.SPEECH_ENDED,),
        t.FIRST_FRAME_OUT: (t.COMMITTED, t.SPEAK_FIRST_BYTE),
        t.FIRST_FRAME_SENT: (t.FIRST_FRAME_OUT,),
        t.FIRST_FRAME_AUDIBLE: (t.FIRST_FRAME_OUT,),
    }
)

_CACHE: Final = ("outcome", "reason", "tier", "entry_id")


def trace_of(entry: TurnEntry, ids: Mapping[str, str], *, after_s: float) -> Trace:
    """The trace of one turn.

    Args:
        entry: The turn, with a timeline; ``at_us`` is when it was settled.
        ids: Whose turn it is: ``call_id``, ``tenant_id``, ``agent_id``.
        after_s: Seconds from the zero of the timeline until ``at_us``.
    """
    times = {stage: at for stage, at in entry.timeline.items() if stage in _WAITS_FOR}
    zero_us = entry.at_us - round(after_s * 1e6)

    def at_us(after_s: float) -> int:
        return zero_us + round(after_s * 1e6)

    begin_s = min(times.values(), default=after_s)
    children = []
    for stage, end_s in times.items():
        waited = (times[name] for name in _WAITS_FOR[stage] if name in times)
        start_s = max((at for at in waited if at <= end_s), default=begin_s)
        if stage == t.SPEECH_ENDED:
            start_s = end_s
        children.append(Span(stage, at_us(start_s), at_us(end_s)))
    return Trace(
        Span(f"turn {entry.kind}", at_us(begin_s), entry.at_us),
        tuple(children),
        {
            **ids,
            "turn_id": entry.turn_id,
            "kind": entry.kind,
            "outcome": entry.outcome,
            **{f"cache_{name}": entry.cache[name] for name in _CACHE if name in entry.cache},
        },
    )
