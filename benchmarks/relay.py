"""``python -m benchmarks.relay --calls 1000``: many relayed calls at once, socket to socket.

The product as users run it (``callcluster serve``: Ray Serve behind HAProxy) with an emulated
language model that answers at once; callers in a process of their own, which is served before all
others (``benchmarks.relay_callers``). Each call says something every ten seconds; on one product,
more and more calls are up, and each number of them is watched for a window.

A number counts when every call came up and stayed, every prompt was answered, and the callers'
own timers were at most 5 ms late at P99. Writes a table into ``docs/benchmarks.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import shlex
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import floor, machine
from benchmarks.plan import ZERO, StagePlan
from benchmarks.process_cost import (
    CALL_ACTORS,
    CALLERS,
    DIRECTORY,
    EMULATORS,
    HAPROXY,
    INGRESS,
    RAY,
    SERVER,
    CpuUse,
    cpu_between,
    memory_mb,
    take_snapshot,
)
from benchmarks.report import table, write_between_markers
from benchmarks.stage import Stage, StageFailed, running_stage
from benchmarks.stats import fit_line
from cluster.demo_children import ROOT, clean_environment
from cluster.errors import DemoFailed

BEGIN = "<!-- relay:begin (written by python -m benchmarks.relay; edit around it) -->"
END = "<!-- relay:end -->"
DOCUMENT = ROOT / "docs" / "benchmarks.md"
MOST_LATE_MS = 5.0
TARGET_P95_MS = 60.0
SETTLE_S = 4.0
ORDER_WITHIN_S = 180.0
_GROUPS = (HAPROXY, INGRESS, CALL_ACTORS, DIRECTORY, RAY, EMULATORS, CALLERS)


@dataclass(slots=True)
class Level:
    """One number of calls, watched.

    Attributes:
        callers: Their report of the window.
        cpu: Of all processes, in the window.
        memory: PSS by group at its end, MB.
        pace_ms: How fast the machine was (``machine.pace_ms``).
    """

    calls: int
    callers: dict[str, Any]
    cpu: CpuUse
    memory: dict[str, float]
    pace_ms: float

    @property
    def why_invalid(self) -> str:
        """Empty when it counts."""
        told = self.callers
        late_ms = told["late"]["p99_ms"]
        reasons = [
            (told["up"] < self.calls, f"{told['up']} of {self.calls} calls were up"),
            (told["unanswered"] > 0, f"{told['unanswered']} prompts were not answered in time"),
            (bool(told["lost"]), f"lost: {told['lost']}"),
            (late_ms is None or late_ms > MOST_LATE_MS, f"the callers were {late_ms} ms late"),
        ]
        return "; ".join(why for is_so, why in reasons if is_so)

    def cpu_ms_per_s(self, *groups: str) -> float:
        """CPU of these groups, milliseconds in each second."""
        return sum(self.cpu.by_group[group] for group in groups) * 1_000 / self.cpu.wall_s

    def memory_mb(self, *groups: str) -> float:
        """PSS of these groups."""
        return sum(self.memory[group] for group in groups)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "calls": self.calls,
            "why_invalid": self.why_invalid,
            "callers": self.callers,
            "cpu_ms_per_s": {name: round(self.cpu_ms_per_s(name), 1) for name in _GROUPS},
            "ingress_loop_ms_per_s": round(self.cpu.ingress_loop_s * 1_000 / self.cpu.wall_s, 1),
            "memory_mb": {name: round(mb, 1) for name, mb in self.memory.items()},
            "pace_ms": self.pace_ms,
        }


class Callers:
    """The process of the callers, as orders and answers."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def ask(self, do: str, **more: int) -> dict[str, Any]:
        """Give one order; returns their report. Raises ``StageFailed`` when they are gone."""
        if self._process.stdin is None or self._process.stdout is None:
            raise StageFailed("the callers were started without pipes")
        self._process.stdin.write(json.dumps({"do": do, **more}).encode() + b"\n")
        line = await asyncio.wait_for(self._process.stdout.readline(), ORDER_WITHIN_S)
        if not line:
            raise StageFailed("the callers have ended")
        answer: dict[str, Any] = json.loads(line)
        return answer


@asynccontextmanager
async def running_callers(stage: Stage, period_s: float) -> AsyncIterator[Callers]:
    """Callers without calls; at the end they hang up."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.relay_callers", f"--url={stage.url}"),
        f"--period={period_s}",
        stdin=PIPE,
        stdout=PIPE,
        env=clean_environment(os.environ, {}),
        cwd=stage.folder,
    )
    try:
        yield Callers(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 10.0)
        except TimeoutError:
            process.kill()
            await process.wait()


async def measure(
    plan: StagePlan, levels: Sequence[int], window_s: float, period_s: float
) -> tuple[list[Level], dict[str, Any]]:
    """Each number of calls on one product, fewest first; and how long the emulator itself takes.

    Raises:
        StageFailed: The product or the callers did not start.
    """
    found: list[Level] = []
    async with running_stage(plan) as stage:
        alone = await floor.measure(stage.openai_base_url, stage.elevenlabs_base_url)
        async with running_callers(stage, period_s) as callers:
            for calls in levels:
                _say(f"dialling up to {calls}: {(await callers.ask('dial', calls=calls))['lost']}")
                await asyncio.sleep(SETTLE_S)
                before = take_snapshot()
                await callers.ask("begin")
                await asyncio.sleep(window_s)
                told = await callers.ask("report")
                cpu = cpu_between(before, take_snapshot())
                found.append(Level(calls, told, cpu, memory_mb(), machine.pace_ms()))
                _say(json.dumps(found[-1].as_dict()))
    return found, {name: each.as_dict() for name, each in alone.items()}


def relay_plan(calls: int, *, actors: int, replicas: int, speculate: bool) -> StagePlan:
    """A product that has room for ``calls`` relayed calls."""
    room = {
        "CALLCLUSTER_DEFAULT_AGENT": "relay",
        # A seat more than needed each: leases are handed out in blocks.
        "CALLCLUSTER_CALLS_PER_REPLICA": str(math.ceil(calls / replicas * 1.2) + 20),
        "CALLCLUSTER_CALLS_PER_ACTOR": str(math.ceil(calls / actors * 1.2) + 20),
        "CALLCLUSTER_MAX_CALL_ACTORS": str(actors),
    }
    return StagePlan(
        "relay",
        ZERO,
        speculate,
        (),
        replicas=replicas,
        call_actors=actors,
        environment=room,
        agents="relay",
    )


def render(run: dict[str, Any], levels: Sequence[Level]) -> str:
    """As Markdown: every number of calls, and what a further call costs."""
    facts = run["machine"]
    begun = "prepared ahead" if run["speculate"] else "begun at the prompt"
    head = (
        f"{facts['date']}, {facts['cores']} cores ({facts['cpu']}), Python {facts['python']}, Ray "
        f"{facts['ray']}; one prompt every {run['period_s']:.0f} s in each call, windows of "
        f"{run['window_s']:.0f} s; {run['replicas']} ingress replica(s), {run['actors']} "
        f"CallActor(s), replies {begun}; the emulated model alone takes "
        f"{run['emulators_alone']['first_token']['p50_ms']} ms to its first token (median). Load "
        f"of the machine before: {run['before']['load_average'][0]}. `{run['command']}`"
    )
    rows = []
    for level in levels:
        answers, late = level.callers["answers"], level.callers["late"]
        rows.append(
            (
                level.calls,
                answers["n"],
                *(answers[name] for name in ("p50_ms", "p95_ms", "p99_ms", "max_ms")),
                late["p99_ms"],
                *(level.cpu_ms_per_s(group) for group in (HAPROXY, INGRESS, CALL_ACTORS)),
                level.cpu_ms_per_s(RAY, DIRECTORY),
                level.cpu_ms_per_s(EMULATORS, CALLERS),
                level.memory_mb(*SERVER),
                level.why_invalid or "yes",
            )
        )
    header = (
        *("calls", "answers", "P50 ms", "P95 ms", "P99 ms", "worst ms", "callers late P99 ms"),
        *("HAProxy CPU ms/s", "ingress", "CallActors", "Ray", "emulators and callers"),
        *("memory MB", "counts"),
    )
    return "\n\n".join([head, table(header, rows), *_slopes(levels)])


def _slopes(levels: Sequence[Level]) -> list[str]:
    valid = [level for level in levels if not level.why_invalid]
    cpu = fit_line([(level.calls, level.cpu_ms_per_s(*SERVER)) for level in valid])
    carriers = (HAPROXY, INGRESS, CALL_ACTORS)
    memory = fit_line([(level.calls, level.memory_mb(*carriers)) for level in valid])
    if cpu is None or memory is None:
        return []
    return [
        f"Each further call: **{cpu.slope:.2f} ms of CPU a second** (r² {cpu.r_squared:.2f}) and "
        f"**{memory.slope * 1_000:.0f} kB** of HAProxy, ingress and CallActors (r² "
        f"{memory.r_squared:.2f}, {memory.n} numbers of calls). Target: P95 of at most "
        f"{TARGET_P95_MS:.0f} ms at 1,000 calls."
    ]


def _say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write; the exit code is 1 when the largest number does not count."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.relay", description=__doc__)
    options.add_argument("--calls", type=int, default=1_000, help="at most; fewer come before")
    options.add_argument("--levels", default="", help="numbers of calls, such as 100,400,1000")
    options.add_argument("--window", type=float, default=20.0, help="seconds of each number")
    options.add_argument("--period", type=float, default=10.0, help="s between a call's prompts")
    options.add_argument("--actors", type=int, default=1, help="CallActors")
    options.add_argument("--replicas", type=int, default=1, help="of the ingress")
    options.add_argument("--speculate", action="store_true", help="prepare replies ahead")
    options.add_argument("--json", type=Path, default=ROOT / "var" / "relay.json")
    options.add_argument("--document", type=Path, default=DOCUMENT)
    options.add_argument("--no-document", action="store_true", help="print the table only")
    given = options.parse_args(sys.argv[1:] if arguments is None else arguments)
    parts = [round(given.calls * share) for share in (0.1, 0.4, 1.0)]
    levels = sorted({int(n) for n in given.levels.split(",") if n} or {max(1, n) for n in parts})
    plan = relay_plan(
        levels[-1], actors=given.actors, replicas=given.replicas, speculate=given.speculate
    )
    run: dict[str, Any] = {
        "command": shlex.join(["python", "-m", "benchmarks.relay", *(arguments or sys.argv[1:])]),
        "machine": machine.facts(),
        "before": machine.load(),
        "window_s": given.window,
        "period_s": given.period,
        "actors": given.actors,
        "replicas": given.replicas,
        "speculate": given.speculate,
    }
    try:
        found, run["emulators_alone"] = asyncio.run(
            measure(plan, levels, given.window, given.period)
        )
    except (StageFailed, DemoFailed) as error:
        _say(f"FAILED: {error}")
        return 1
    run["after"] = machine.load()
    run["levels"] = [level.as_dict() for level in found]
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(run, indent=2) + "\n", "utf-8")
    text = render(run, found)
    print(text)
    if not given.no_document:
        write_between_markers(given.document, text, begin_line=BEGIN, end_line=END)
    return 1 if found[-1].why_invalid else 0


if __name__ == "__main__":
    raise SystemExit(main())
