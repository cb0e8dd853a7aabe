"""How long to wait for a first useful output, and when to ask a second provider.

Rules
1. Useful is a real token, a frame that is not silence, words that are not empty; bytes that keep a
   connection alive are not.
2. Every unit has its own quantiles; those of another provider say nothing about it. Until there are
   enough, the operation's priors stand.
3. Silence past 1.15 x P99 is a bad sign. The deadline is 1.5 x P99 within the operation's limits,
   and half as long again for the last that can be asked.
4. The second is asked at P99 while all is well, and at P95 once something was wrong.
5. Nothing is told or hedged before ``FLOOR_RATIO`` of the shortest deadline: of a provider that
   answers in 5 ms, the tail is the noise of our own loop.
6. A probe is good when it was as quick as nearly all requests are: one that answers slowly is alive
   and not well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from providers.health.unit import Operation

SILENCE_RATIO: Final = 1.15
DEADLINE_RATIO: Final = 1.5
LAST_RATIO: Final = 1.5
FLOOR_RATIO: Final = 0.25
PROBE_RATIO: Final = 2.5


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Latency of a unit while it is well, seconds."""

    p50_s: float
    p95_s: float
    p99_s: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What an operation allows.

    Attributes:
        prior: Assumed until the unit was measured.
        shortest_s: No deadline is shorter.
        longest_s: No deadline is longer, before ``LAST_RATIO``.
        hedged: Whether a second one may be asked while the first still works.
    """

    prior: Quantiles
    shortest_s: float
    longest_s: float
    hedged: bool


LIMITS: Final[dict[Operation, Limits]] = {
    "stt.open": Limits(Quantiles(0.12, 0.22, 0.27), 0.25, 0.6, hedged=False),
    "stt.first_partial": Limits(Quantiles(0.25, 0.5, 0.7), 0.5, 1.5, hedged=False),
    "stt.final_lag": Limits(Quantiles(0.2, 0.4, 0.47), 0.4, 1.0, hedged=False),
    "llm.ttft": Limits(Quantiles(0.3, 0.5, 0.6), 0.6, 1.5, hedged=True),
    "llm.inter_token": Limits(Quantiles(0.02, 0.1, 0.3), 0.4, 1.0, hedged=False),
    "tts.ttfa": Limits(Quantiles(0.2, 0.32, 0.4), 0.4, 0.9, hedged=True),
    "tts.realtime_factor": Limits(Quantiles(0.2, 0.4, 0.6), 0.25, 1.0, hedged=False),
    "converse.open": Limits(Quantiles(0.3, 0.7, 1.0), 1.0, 3.0, hedged=False),
}


@dataclass(frozen=True, slots=True)
class Timing:
    """When to do what, seconds after the request went out.

    Attributes:
        hedge_after_s: Ask a second one; None for never.
        silent_after_s: Tell that it is silent.
        deadline_s: Go on without it.
    """

    hedge_after_s: float | None
    silent_after_s: float
    deadline_s: float


def timing(
    operation: Operation, measured: Quantiles | None, *, suspect: bool, last: bool = False
) -> Timing:
    """The timing of one attempt.

    Args:
        operation: What is asked.
        measured: Of this very unit; None while unknown.
        suspect: Something was wrong lately.
        last: There is nobody else to ask.
    """
    limits = LIMITS[operation]
    known = measured or limits.prior
    deadline_s = min(max(DEADLINE_RATIO * known.p99_s, limits.shortest_s), limits.longest_s)
    floor_s = FLOOR_RATIO * limits.shortest_s
    silent_s = min(max(SILENCE_RATIO * known.p99_s, floor_s), deadline_s)
    hedge_s = min(max(known.p95_s if suspect else known.p99_s, floor_s), silent_s)
    return Timing(
        hedge_s if limits.hedged and not last else None,
        silent_s,
        deadline_s * LAST_RATIO if last else deadline_s,
    )


def probe_limit_s(operation: Operation, measured: Quantiles | None) -> float:
    """The longest a probe may take and still be a good one; see rule 6."""
    known = measured or LIMITS[operation].prior
    floor_s = FLOOR_RATIO * LIMITS[operation].shortest_s
    quick_s = max(known.p99_s, PROBE_RATIO * known.p50_s, floor_s)
    return min(quick_s, timing(operation, measured, suspect=False).deadline_s)
