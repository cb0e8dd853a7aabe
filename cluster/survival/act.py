"""One act: callers on one product, all well at first, then one part after another is struck."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from cluster.chaos.lines import Lines
from cluster.chaos.product import recorded
from cluster.chaos.turns import ChaosTurn, turns_of
from cluster.errors import ClusterError, DemoFailed
from cluster.survival.faults import MOMENTS, Fault, Part
from cluster.survival.figures import (
    LATEST_MS,
    CallStory,
    Judged,
    Noticed,
    Strike,
    noticed,
    story_of,
)
from cluster.survival.nodes import HEAD, Nodes
from cluster.survival.parts import let_go_on, strike
from cluster.survival.plan import SurvivalPlan
from cluster.survival.presence import calls_of, enough, until_called
from cluster.survival.stage import CALLS_PER_ACTOR, CALLS_PER_REPLICA, Stage
from simulation.load_figures import lateness_distribution

WHOLE_WITHIN_S = 60.0
MOMENT_WITHIN_S = 10.0
DRAINED_WITHIN_S = 60.0  # beyond the time for which it is watched in any case
AFTER_DRAIN_S = 3.0
_LOOK_EVERY_S = 0.25
_MOMENT_EVERY_S = 0.02
_SETTLE_S = 1.0  # what has just been found whole answers its first questions
# Parts of which there is one, beside those that the plan counts. The office comes with the first
# question, the cache only when it is on.
_ONE_EACH: tuple[Part, ...] = (
    "directory",
    "health",
    "metrics",
    "controller",
    "haproxy",
    "haproxy_manager",
)

Tell = Callable[[str], None]


@dataclass(slots=True)
class FaultRun:
    """What was done for one fault."""

    fault: Fault
    strikes: list[Strike] = field(default_factory=list)
    lateness_ms: float = 0.0


@dataclass(slots=True)
class Act:
    """What one act showed.

    Attributes:
        well: While all was well: from, until, seconds of UTC.
        trouble: What broke the run off, if anything did; the runs before it count.
    """

    runs: list[FaultRun]
    well: tuple[float, float]
    stories: list[CallStory] = field(default_factory=list)
    turns: list[ChaosTurn] = field(default_factory=list)
    trouble: ClusterError | None = None

    @property
    def usual(self) -> Noticed:
        """What callers noticed while all was well."""
        return self._noticed(*self.well)

    def _noticed(self, at: float, until: float) -> Noticed:
        strikes = [each.at for run in self.runs for each in run.strikes if each.at > at]
        before = min(strikes, default=math.inf)
        # Also what is lost or refused after the callers were watched, while parts come back.
        return noticed(self.stories, self.turns, at, until, before, told_until=before)

    def judged(self) -> list[Judged]:
        """Each fault, held against what was promised."""
        usual_s = self.usual.longest_silence_s
        found = []
        for run in self.runs:
            late = run.lateness_ms >= LATEST_MS
            found.append(
                Judged(
                    run.fault,
                    tuple((each, self._noticed(each.at, each.until)) for each in run.strikes),
                    usual_s,
                    run.lateness_ms,
                    "the callers' own clock was late" if late else "",
                )
            )
        return found


async def run_act(stage: Stage, plan: SurvivalPlan, faults: Sequence[Fault], tell: Tell) -> Act:
    """Callers who go on calling while one part after another is struck."""
    random = Random(plan.seed)
    runs: list[FaultRun] = []
    async with Lines(stage, plan.callers, stage.exchange) as lines:
        await _until_whole(stage, plan, tell)
        await _wait(plan.callers.ramp_s + 2.0, "calls begin", tell)
        lines.lateness()
        from_at = time.time()
        await _wait(plan.well_s, "all is well", tell)
        well = (from_at, time.time())
        trouble: ClusterError | None = None
        for fault in faults:
            run = FaultRun(fault)
            lines.lateness()
            try:
                for number in range(plan.repeat):
                    tell(f"{fault.title}, {number + 1} of {plan.repeat}")
                    await _strike(stage, plan, lines, run, MOMENTS[number % 3], random, tell)
            except ClusterError as error:
                trouble = error  # what was seen so far is told all the same
            run.lateness_ms = lateness_distribution(lines.lateness()).p99_ms or 0.0
            if run.strikes:
                runs.append(run)
            if trouble is not None:
                break
        tell("callers hang up")
        await lines.stop()
        calls = await recorded(stage.store_url, lines.over)
    act = Act(runs, well, trouble=trouble)
    act.stories = await asyncio.to_thread(lambda: [story_of(call) for call in calls])
    act.turns = await asyncio.to_thread(turns_of, calls)
    return act


async def _strike(
    stage: Stage,
    plan: SurvivalPlan,
    lines: Lines,
    run: FaultRun,
    moment: str,
    random: Random,
    tell: Tell,
) -> None:
    fault = run.fault
    nodes = stage.nodes if fault.part == "node" else None
    node = await until_called(stage.calls_by_node, enough(plan), tell) if nodes else HEAD
    calls = await _moment(lines, moment)
    pids, met = await _aim(stage, fault, random, node)
    at = time.time()
    found = Strike(moment, at, at, tuple(pids), calls, met=met)
    if nodes:
        found.node, found.call_actors = node, len(pids)
        pids = _strike_node(nodes, fault, node)
        found.pids = tuple(pids)
    elif fault.part == "release":
        await stage.deploy()
    elif fault.part == "replicas":
        await stage.scale(_scaled(plan, fault).replicas)
    elif fault.how == "cut":
        _cut(stage)
    elif fault.part == "database":
        if stage.database is not None:
            await asyncio.to_thread(stage.database.stop)
    else:
        strike(fault, pids)
    await _watch(nodes, fault, node)
    if fault.part == "database" and stage.database is not None:
        await asyncio.to_thread(stage.database.start)
    found.woken = len(let_go_on(pids))
    found.until = time.time()
    run.strikes.append(found)  # told also when nothing can be made whole again
    if nodes:
        await nodes.start_again(node)
    found.whole_s = await _until_whole(stage, _scaled(plan, fault), lambda _text: None, gone=pids)
    if math.isfinite(found.whole_s):
        found.whole_s = time.time() - at
    if fault.part == "replicas":
        await stage.scale(plan.replicas)
        await _until_whole(stage, plan, lambda _text: None)


def _scaled(plan: SurvivalPlan, fault: Fault) -> SurvivalPlan:
    """What there is to be while a fault lasts."""
    more = {"scale-out": 1, "scale-in": -1}.get(fault.how, 0)
    return replace(plan, replicas=plan.replicas + more)


async def _moment(lines: Lines, moment: str) -> dict[str, int]:
    """Wait until some call is at this moment; how many are at each of them then."""
    deadline = time.monotonic() + MOMENT_WITHIN_S
    while True:
        calls = lines.moments()
        if calls[moment] or time.monotonic() > deadline:
            return {name or "between": count for name, count in calls.items()}
        await asyncio.sleep(_MOMENT_EVERY_S)


async def _aim(
    stage: Stage, fault: Fault, random: Random, node: int
) -> tuple[list[int], int | None]:
    """Process ids of what is to be struck, and calls there where that is known.

    One of a kind, of ingress replicas the busiest, of a node its CallActors.
    """
    if fault.part == "node" and stage.nodes is not None:
        there = await asyncio.to_thread(stage.nodes.pids, node)
        actors = await asyncio.to_thread(stage.processes.of, "call_actor")
        calls = await stage.calls_by_node()
        return [each.pid for each in actors if each.pid in there], calls[node]
    if fault.how == "cut" or fault.part in ("database", "node", "release", "replicas"):
        return [], None
    if fault.part == "ingress":
        busiest = max(await stage.replicas(), key=calls_of, default=None)
        return ([int(str(busiest["pid"]))], calls_of(busiest)) if busiest else ([], 0)
    found = [each.pid for each in stage.processes.of(fault.part)]
    if fault.part in ("haproxy", "office", "cache"):
        return found, None
    return ([random.choice(found)] if found else []), None


def _strike_node(nodes: Nodes, fault: Fault, node: int) -> list[int]:
    """End a node; the ids of its processes."""
    ways = {"kill": nodes.kill, "lose": nodes.lose, "drain": nodes.drain}
    return ways[fault.how](node)


async def _watch(nodes: Nodes | None, fault: Fault, node: int) -> None:
    """Look on; a node that is drained ends by itself, and what comes after that belongs to it."""
    await asyncio.sleep(fault.watched_s)
    if fault.how != "drain" or nodes is None:
        return
    deadline = time.monotonic() + DRAINED_WITHIN_S
    while not nodes.has_ended(node):
        if time.monotonic() > deadline:
            raise DemoFailed(f"the node was not drained: see node-{node}.log")
        await asyncio.sleep(_LOOK_EVERY_S)
    await asyncio.sleep(AFTER_DRAIN_S)


def _cut(stage: Stage) -> None:
    """Reset every connection between the carrier and the product."""
    for call in stage.exchange.log:
        stream = getattr(call, "stream", None)
        if stream is not None:
            stream.drop()


async def _until_whole(
    stage: Stage, plan: SurvivalPlan, tell: Tell, gone: Sequence[int] = ()
) -> float:
    """Wait until every part is there and answers; how long that took, infinite for too long."""
    began = time.monotonic()
    tell("until all parts are there")
    while time.monotonic() - began < WHOLE_WITHIN_S:
        if await _is_whole(stage, plan):
            await asyncio.sleep(_SETTLE_S)
            return time.monotonic() - began
        await asyncio.sleep(_LOOK_EVERY_S)
    return math.inf


async def _is_whole(stage: Stage, plan: SurvivalPlan) -> bool:
    processes = await asyncio.to_thread(_counts, stage)
    if not all(processes.get(part) for part in _ONE_EACH):
        return False
    if processes.get("call_actor", 0) < plan.call_actors:
        return False
    reports = await stage.replicas()
    capacity = min(plan.call_actors * CALLS_PER_ACTOR, plan.replicas * CALLS_PER_REPLICA)
    return len(reports) == plan.replicas and all(
        report.get("ready") and report.get("cluster_capacity") == capacity for report in reports
    )


def _counts(stage: Stage) -> dict[str, int]:
    return {part: len(stage.processes.of(part)) for part in (*_ONE_EACH, "call_actor")}


async def _wait(seconds: float, what: str, tell: Tell) -> None:
    left = seconds
    while left > 0:
        tell(f"{what}, {left:.0f} s")
        await asyncio.sleep(min(1.0, left))
        left -= 1.0
