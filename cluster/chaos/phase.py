"""One run of callers: healthy all the way, or with something broken in the middle of it."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from cluster.chaos.emulators import Emulators
from cluster.chaos.faults import ROLES, Fault, Role, strikes
from cluster.chaos.health_log import Known, known_units, read_logs
from cluster.chaos.kills import Kills
from cluster.chaos.lines import Lines
from cluster.chaos.plan import ChaosPlan
from cluster.chaos.product import (
    extra_percent,
    failover_wait_s,
    metrics_text,
    recorded,
    requests_in,
    until_well,
)
from cluster.chaos.stage import Stage
from cluster.chaos.turns import ChaosTurn, RecordedCall, turns_of
from simulation.load_figures import lateness_distribution
from simulation.load_report import LATENESS_LIMIT_S

METRICS_AGE_S = 2.5
DOWN_S = 40.0
WELL_WITHIN_S = 60.0
# New calls come back to a provider by tenths; after this long all of them do.
RAMP_S = 10.0
_KILL_WITHIN_S = 12.0  # for one; far more than it takes

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class EndedCall:
    """How one call ended.

    Attributes:
        ended_by: ``caller``, ``agent`` or ``error``.
        status: As recorded; empty when it was not.
        reason: Likewise.
        is_planned: Somebody chose to end it.
        last_words: What the caller heard last.
    """

    ended_by: str
    status: str
    reason: str
    is_planned: bool
    last_words: str


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
        failover_p95_s: From a request to the first output of somebody else than the first, P95, as
            the product counts it; None where nobody else was needed.
        kills: Streams killed.
        is_well: Everything was used again in time.
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
    is_well: bool = True
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
            "well_again": self.is_well,
            "left": [
                {"unit": k.unit, "processes": k.processes, "took_ms": round(1_000 * k.took_s, 1)}
                for k in self.known
            ],
            "calls_ended": Counter(
                f"by {call.ended_by}: {call.status} {call.reason}" for call in self.calls
            ),
            "last_words": Counter(
                call.last_words for call in self.calls if call.ended_by == "agent"
            ),
            "turns": [turn.as_dict() for turn in self.turns],
        }


async def run_healthy(stage: Stage, plan: ChaosPlan, tell: Tell) -> PhaseResult:
    """Callers while all is well."""
    result = PhaseResult(load_average=os.getloadavg()[0])
    async with Lines(stage, plan) as lines:
        await _wait(plan.ramp_s + plan.healthy_s, "healthy", tell)
        await _gather(stage, lines, result, tell)
    return result


async def run_fault(
    stage: Stage, plan: ChaosPlan, role: str, fault: Fault, tell: Tell
) -> PhaseResult:
    """Callers, and something that breaks in the middle of their calls and is mended again."""
    result = PhaseResult(role, fault, load_average=os.getloadavg()[0])
    async with Emulators(stage.control_urls) as emulators, Lines(stage, plan) as lines:
        await _wait(plan.ramp_s + plan.before_s, "still well", tell)
        before = requests_in(await metrics_text(stage.url))
        result.from_at = time.time()
        if fault.kind == "killed":
            await _kill(emulators, lines, plan, _role(role), result, tell)
        else:
            await emulators.strike(strikes(fault, role))
            # When all are down a call ends with its third reply that fails.
            least_s = DOWN_S if fault.kind == "down" else 0.0
            await _wait(max(plan.fault_s, least_s), "broken", tell)
        await emulators.mend()
        result.until_at = time.time()
        await _wait(max(plan.after_s, METRICS_AGE_S), "mended", tell)
        metrics = await metrics_text(stage.url)
        result.failover_p95_s = failover_wait_s(metrics, role)
        await _gather(stage, lines, result, tell)
    # A recogniser is asked once a call, and those who were listening already count as well.
    streams = len({turn.call for turn in result.struck}) if role == "recognise" else 0
    result.extra_percent = extra_percent(before, requests_in(metrics), role, streams)
    logs = await asyncio.to_thread(read_logs, stage.logs)
    result.known = known_units(logs, result.from_at, result.until_at)
    tell("until all is used again")
    result.is_well = await until_well(stage.url, WELL_WITHIN_S)
    await _wait(RAMP_S, "until all calls are back", tell)
    return result


async def _kill(
    emulators: Emulators,
    lines: Lines,
    plan: ChaosPlan,
    role: Role,
    result: PhaseResult,
    tell: Tell,
) -> None:
    kills = Kills(emulators, lines, Random(plan.seed))
    try:
        async with asyncio.timeout(_KILL_WITHIN_S * plan.kills):
            await kills.run(role, plan.kills, lambda count: tell(f"killed {count}"))
    except TimeoutError:
        tell("no more was killed in time")
    result.kills = kills.count
    await asyncio.sleep(METRICS_AGE_S)  # the last one is still being made up for


async def _gather(stage: Stage, lines: Lines, result: PhaseResult, tell: Tell) -> None:
    """Let the callers finish, and read what was recorded of them."""
    tell("callers hang up")
    await lines.stop()
    result.lateness_p99_ms = lateness_distribution(lines.lateness).p99_ms or 0.0
    calls = await recorded(stage.store_url, lines.over)
    result.calls = [_ended(call) for call in calls]
    result.turns = await asyncio.to_thread(turns_of, calls)


def _ended(call: RecordedCall) -> EndedCall:
    row = call.row
    heard = [turn.heard_text for turn in call.rows if turn.heard_text]
    return EndedCall(
        ended_by=str(call.placed.result.leg.ended_by),
        status=row.status if row else "",
        reason=row.end_reason if row else "",
        is_planned=bool(row and row.planned_end),
        last_words=heard[-1] if heard else "",
    )


async def _wait(seconds: float, what: str, tell: Tell) -> None:
    left = seconds
    while left > 0:
        tell(f"{what}, {left:.0f} s")
        await asyncio.sleep(min(1.0, left))
        left -= 1.0


def _role(name: str) -> Role:
    return next(role for role in ROLES if role == name)
