"""One act: callers on one product, all well at first, then with one thing after another broken."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from random import Random

from cluster.chaos.emulators import Emulators
from cluster.chaos.faults import EVERYTHING, ROLES, Fault, Role, roles_of, strikes
from cluster.chaos.health_log import KINDS, known_units, read_logs
from cluster.chaos.kills import Kills
from cluster.chaos.lines import Lines
from cluster.chaos.plan import A_KILL_S, ChaosPlan
from cluster.chaos.product import (
    extra_percent,
    failover_wait_s,
    left_in,
    made_up_for,
    metrics_text,
    names_left,
    recorded,
    requests_in,
    until_well,
)
from cluster.chaos.result import EndedCall, PhaseResult
from cluster.chaos.stage import Stage
from cluster.chaos.turns import ChaosTurn, RecordedCall, turns_of
from simulation.load_figures import lateness_distribution

METRICS_AGE_S = 2.5
WELL_WITHIN_S = 60.0
SAYING_GOODBYE_S = 15.0  # a call that ends for a fault may end after it
# New calls come back to a provider by tenths; after this long all of them do.
RAMP_S = 10.0
LONG_AGO_S = 2 * RAMP_S  # probes find it well within some five seconds, then the ramp
_KILL_WITHIN = 2.5  # times as long as it takes
START_KILLING_S = 30.0  # beyond that, for few kills

Tell = Callable[[str], None]


async def run_act(
    stage: Stage, plan: ChaosPlan, faults: Sequence[Fault], tell: Tell
) -> list[PhaseResult]:
    """Callers who go on calling while one thing after another breaks and is mended again.

    Returns:
        The healthy beginning, then each fault of each kind of work.
    """
    results: list[PhaseResult] = []
    async with Emulators(stage.control_urls) as emulators, Lines(stage, plan) as lines:
        await _wait(plan.ramp_s, "calls begin", tell)
        results.append(await _healthy(lines, plan, tell))
        mended_at: dict[str, float] = {}
        for fault in faults:
            for role in roles_of(fault, plan.roles):
                await _until_well(stage, role, mended_at, tell)
                result = await _broken(stage, plan, emulators, lines, (role, fault), tell)
                results.append(result)
                mended_at[role] = time.time()
        tell("callers hang up")
        await lines.stop()
        calls = await recorded(stage.store_url, lines.over)
    turns = await asyncio.to_thread(turns_of, calls)
    logs = await asyncio.to_thread(read_logs, stage.logs)
    for result in results:
        _complete(result, calls, turns, logs)
    return results


async def _healthy(lines: Lines, plan: ChaosPlan, tell: Tell) -> PhaseResult:
    result = PhaseResult(load_average=os.getloadavg()[0])
    lines.lateness()  # what was late while the calls began does not count
    result.from_at = time.time()
    await _wait(plan.healthy_s, "all is well", tell)
    result.until_at = time.time()
    result.lateness_p99_ms = lateness_distribution(lines.lateness()).p99_ms or 0.0
    return result


async def _until_well(stage: Stage, role: str, mended_at: dict[str, float], tell: Tell) -> None:
    """Wait until what was broken of this kind of work before is used again by every call."""
    struck = [known for known in mended_at if known == role or EVERYTHING in (known, role)]
    if not struck:
        return
    tell(f"{role}: until what was broken before is used again")
    looked_for = "" if EVERYTHING in (*struck, role) else role
    is_well = not left_in(await metrics_text(stage.url), looked_for)
    is_long_ago = time.time() - max(mended_at[known] for known in struck) > LONG_AGO_S
    if not (is_well and is_long_ago):  # meanwhile something else was broken, and took its time
        await until_well(stage.url, WELL_WITHIN_S, looked_for)
        await _wait(RAMP_S, f"{role}: until all calls are back", tell)
    for known in struck:
        del mended_at[known]


async def _broken(
    stage: Stage,
    plan: ChaosPlan,
    emulators: Emulators,
    lines: Lines,
    what: tuple[str, Fault],
    tell: Tell,
) -> PhaseResult:
    role, fault = what
    title = f"{role}: {fault.title}"
    result = PhaseResult(role, fault, load_average=os.getloadavg()[0])
    result.requests_before = requests_in(await metrics_text(stage.url))
    lines.lateness()
    result.from_at = time.time()
    if fault.kind == "killed":
        await _kill(stage, plan, emulators, lines, result, tell)
    else:
        await emulators.strike(strikes(fault, role))
        await _wait(plan.lasts_s(fault, role), title, tell)
    await emulators.mend()
    result.until_at = time.time()
    result.lateness_p99_ms = lateness_distribution(lines.lateness()).p99_ms or 0.0
    await _wait(METRICS_AGE_S, f"{title}, mended", tell)
    metrics = await metrics_text(stage.url)
    result.failover_p95_s = failover_wait_s(metrics, role)
    result.requests_after = requests_in(metrics)
    result.made_up_for = made_up_for(result.requests_before, result.requests_after, role)
    return result


def _complete(
    result: PhaseResult,
    calls: Sequence[RecordedCall],
    turns: Sequence[ChaosTurn],
    logs: Sequence[tuple[str, str]],
) -> None:
    """Add what only the records tell, once all calls are over."""
    result.turns = [turn for turn in turns if result.from_at <= turn.ended_at < result.until_at]
    ended = [_ended(call) for call in calls]
    until_at = result.until_at + SAYING_GOODBYE_S
    result.calls = [call for call in ended if result.from_at <= call.ended_at < until_at]
    known = known_units(logs, result.from_at, result.until_at)
    # Somebody of another kind who is left meanwhile is another story.
    kind = KINDS.get(result.role, "")
    result.known = [each for each in known if not kind or each.kind in ("", kind)]
    if result.fault is None:
        return
    # A recogniser is asked once a call, and those who were listening already count as well.
    streams = len({turn.call for turn in result.struck}) if result.role == "recognise" else 0
    result.extra_percent = extra_percent(
        result.requests_before, result.requests_after, result.role, streams
    )


async def _kill(
    stage: Stage,
    plan: ChaosPlan,
    emulators: Emulators,
    lines: Lines,
    result: PhaseResult,
    tell: Tell,
) -> None:
    role = _role(result.role)

    async def left() -> set[str]:
        return names_left(await metrics_text(stage.url), role)

    def told(count: int) -> None:
        left_s = max(0, plan.kills - count) * A_KILL_S[role]
        tell(f"{role}: killed {count} of {plan.kills}, {left_s:.0f} s")

    kills = Kills(emulators, lines, Random(plan.seed), left)
    try:
        async with asyncio.timeout(_KILL_WITHIN * A_KILL_S[role] * plan.kills + START_KILLING_S):
            told(0)
            await kills.run(role, plan.kills, told)
    except TimeoutError:
        tell(f"{role}: only {kills.count} of {plan.kills} were killed in time")
    result.kills = kills.count
    await asyncio.sleep(METRICS_AGE_S)  # the last one is still being made up for


def _ended(call: RecordedCall) -> EndedCall:
    row = call.row
    heard = [turn.heard_text for turn in call.rows if turn.heard_text]
    return EndedCall(
        ended_by=str(call.placed.result.leg.ended_by),
        status=row.status if row else "",
        reason=row.end_reason if row else "",
        is_planned=bool(row and row.planned_end),
        last_words=heard[-1] if heard else "",
        ended_at=call.placed.placed_at + call.placed.result.leg.duration_s,
    )


async def _wait(seconds: float, what: str, tell: Tell) -> None:
    left = seconds
    while left > 0:
        tell(f"{what}, {left:.0f} s")
        await asyncio.sleep(min(1.0, left))
        left -= 1.0


def _role(name: str) -> Role:
    return next(role for role in ROLES if role == name)
