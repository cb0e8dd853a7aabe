"""What one run with a fault showed, as it was measured."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from cluster.chaos.faults import Fault
from cluster.chaos.health_log import Known
from cluster.chaos.product import Requests
from cluster.chaos.turns import ChaosTurn
from simulation.load_report import LATENESS_LIMIT_S


@dataclass(frozen=True, slots=True)
class EndedCall:
    """How one call ended.

    Attributes:
        ended_by: ``caller``, ``agent`` or ``error``.
        status: As recorded; empty when it was not.
        reason: Likewise.
        is_planned: Somebody chose to end it.
        last_words: What the caller heard last.
        ended_at: Seconds of UTC.
    """

    ended_by: str
    status: str
    reason: str
    is_planned: bool
    last_words: str
    ended_at: float = 0.0


@dataclass(slots=True)
class PhaseResult:
    """What one run showed.

    Attributes:
        role: What failed; empty for a healthy run.
        fault: How; None for a healthy run.
        from_at: When it began, seconds of UTC.
        until_at: When it ended.
        turns: All of them, those before and after too.
        calls: How they ended.
        known: Providers that were left meanwhile.
        extra_percent: Requests beyond one for each question; None where there was none.
        failover_p95_s: From a request to the first output of somebody else than the first, of a
            recogniser from its failure until another one listens, P95, as the product counts it
            since it was started; None where nobody else was needed.
        kills: Streams killed.
        made_up_for: Requests to somebody else because one had failed or broken off.
        requests_before: To providers, as it began.
        requests_after: The same, once it was over.
        lateness_p99_ms: Of the callers' own frames.
    """

    role: str = ""
    fault: Fault | None = None
    from_at: float = 0.0
    until_at: float = float("inf")
    turns: list[ChaosTurn] = field(default_factory=list)
    calls: list[EndedCall] = field(default_factory=list)
    known: list[Known] = field(default_factory=list)
    extra_percent: float | None = None
    failover_p95_s: float | None = None
    kills: int = 0
    made_up_for: int = 0
    requests_before: Requests = field(default_factory=Counter)
    requests_after: Requests = field(default_factory=Counter)
    lateness_p99_ms: float = 0.0
    load_average: float = 0.0

    @property
    def struck(self) -> list[ChaosTurn]:
        """Turns whose caller finished while it lasted, and of which the end was seen."""
        return [
            turn
            for turn in self.turns
            if self.from_at <= turn.ended_at < self.until_at and turn.outcome != "call_ended"
        ]

    @property
    def is_punctual(self) -> bool:
        """The callers were on time, so that the figures are the product's."""
        return self.lateness_p99_ms < LATENESS_LIMIT_S * 1_000

    @property
    def why_not_valid(self) -> str:
        """What speaks against the figures; empty for nothing."""
        limit_ms = LATENESS_LIMIT_S * 1_000
        if not self.is_punctual:
            return (
                f"the callers' own frames were {self.lateness_p99_ms:.1f} ms late at P99 "
                f"(limit {limit_ms:.0f} ms), load {self.load_average:.1f}"
            )
        return "" if self.struck or self.fault is None else "no caller finished while it lasted"

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "role": self.role,
            "fault": self.fault.name if self.fault else "",
            "from_at": self.from_at,
            "until_at": None if self.fault is None else self.until_at,
            "punctual": self.is_punctual,
            "lateness_p99_ms": self.lateness_p99_ms,
            "load_average": self.load_average,
            "extra_percent": self.extra_percent,
            "failover_p95_s": self.failover_p95_s,
            "kills": self.kills,
            "made_up_for": self.made_up_for,
            "why_not_valid": self.why_not_valid,
            "left": [
                {
                    "unit": known.unit,
                    "processes": known.processes,
                    "shared": known.is_shared,
                    "seen_after_s": round(known.seen_at - self.from_at, 3),
                    "took_ms": round(1_000 * known.took_s, 1),
                }
                for known in self.known
            ],
            "calls_ended": Counter(
                f"by {call.ended_by}: {call.status} {call.reason}" for call in self.calls
            ),
            "last_words": Counter(
                call.last_words for call in self.calls if call.ended_by == "agent"
            ),
            "turns": [turn.as_dict() for turn in self.turns],
        }
