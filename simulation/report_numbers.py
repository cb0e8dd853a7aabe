"""What the report says in numbers: spans of a turn, quantiles, counts.

The names of the stages are those the product writes into its turn timelines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulation.report_data import DemoCall, DemoTurn

Phase = Literal["hear", "think", "speak", "held", "carry"]

# Label, phase, the stages it may begin at (the first that is known counts), the stage it ends at.
_SPANS: tuple[tuple[str, Phase, tuple[str, ...], str], ...] = (
    ("Eager endpoint", "hear", ("speech_ended",), "eager"),
    ("Final transcript", "hear", ("speech_ended",), "final_transcript"),
    ("Turn committed", "hear", ("speech_ended",), "committed"),
    ("LLM first token", "think", ("think_requested", "committed"), "first_token"),
    ("First segment", "think", ("first_token", "think_requested"), "first_segment"),
    ("TTS first byte", "speak", ("speak_requested", "first_segment"), "speak_first_byte"),
    ("First frame out", "speak", ("speak_first_byte", "committed"), "first_frame_out"),
    ("First sound heard", "carry", ("first_frame_out",), "first_frame_audible"),
)


@dataclass(frozen=True, slots=True)
class Span:
    """One bar of a waterfall, seconds after the caller's speech ended."""

    label: str
    phase: Phase
    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        """How long this step took; not negative."""
        return self.end_s - self.start_s


def spans_of(stages: Mapping[str, float]) -> tuple[Span, ...]:
    """The steps of a turn whose two ends are known, in the order in which they happen."""
    known = {"speech_ended": 0.0, **stages}
    early = known.get("speak_first_byte", 0.0) < known.get("committed", 0.0)
    spans = []
    for label, phase, begins, end in _SPANS:
        start = next((known[name] for name in begins if name in known), None)
        if early and end == "first_frame_out":
            # Audio was there before the turn was taken: this is no work but a wait.
            label, phase = "Held for the turn", "held"
        if start is not None and end in known:
            # A step that ends before it begins was ready and waited for nothing.
            spans.append(Span(label, phase, min(start, known[end]), known[end]))
    return tuple(spans)


@dataclass(frozen=True, slots=True)
class Numbers:
    """The summary of one call, or of a run.

    Attributes:
        turns: Turns in which the caller spoke or pressed a key.
        p50_s: Median response latency at the caller's ear; None when nothing was measured.
    """

    turns: int
    measured: int
    p50_s: float | None
    p95_s: float | None
    barge_ins: int
    underruns: int
    protocol_errors: int
    duration_s: float


def numbers_of(calls: Iterable[DemoCall]) -> Numbers:
    """Count and measure over all turns of these calls."""
    calls = tuple(calls)
    turns = [turn for call in calls for turn in call.turns]
    latencies = [turn.response_latency_s for turn in turns if turn.response_latency_s is not None]
    return Numbers(
        turns=sum(turn.kind != "greeting" for turn in turns),
        measured=len(latencies),
        p50_s=_quantile(latencies, 0.5),
        p95_s=_quantile(latencies, 0.95),
        barge_ins=sum(turn.interrupted for turn in turns),
        underruns=sum(call.underruns for call in calls),
        protocol_errors=sum(len(call.protocol_errors) for call in calls),
        duration_s=sum(call.duration_s for call in calls),
    )


def _quantile(values: list[float], share: float) -> float | None:
    return float(np.quantile(values, share)) if values else None


def unheard_text(turn: DemoTurn) -> str:
    """The rest of the reply that did not reach the ear; empty when all of it did."""
    if not turn.interrupted or not turn.agent_text.startswith(turn.heard_text.rstrip()):
        return ""
    return turn.agent_text[len(turn.heard_text.rstrip()) :].strip()


def in_ms(seconds: float | None) -> str:
    """``432 ms`` for a person; a dash when there is nothing to say."""
    return "–" if seconds is None else f"{seconds * 1_000:,.0f} ms"


def as_clock(seconds: float) -> str:
    """``1:07`` for a position in a recording."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"
