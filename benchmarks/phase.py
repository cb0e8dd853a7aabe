"""One phase: callers in a process of their own, measured while all of them are up."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks import machine
from benchmarks.cores import pinned
from benchmarks.plan import PhasePlan
from benchmarks.process_cost import (
    GROUPS,
    CpuUse,
    cpu_between,
    memory_mb,
    take_snapshot,
    usual_memory_mb,
)
from benchmarks.stage import Stage
from benchmarks.turns import TurnFigures, figures, read_turns
from cluster.demo_children import clean_environment

SETTLE_S = 2.5  # after the last call is up: greetings are over, the directory has counted
IDLE_SETTLE_S = 5.0  # after the start: agents of Ray come up late
UP_WITHIN_S = 25.0
SETUP_CALL_S = 3.0
LATE_END_S = 30.0
_LOOK_EVERY_S = 0.5
# What a process takes for a moment (a judgement of the end-of-turn model: 8 MB once) is no memory
# of a call, and a single look sees it or not.
MEMORY_LOOKS = 5
_MEMORY_EVERY_S = 0.3
_MEMORY_S = 3.0  # all looks together
FRAMES_PER_S = 50


@dataclass(slots=True)
class PhaseResult:
    """What a phase showed.

    Attributes:
        why_invalid: Empty when the run counts.
        cpu: While all calls were up; None when they never were.
        memory: PSS in MB by group after the window, with all calls up: median of a few looks.
        load: The callers' own report; empty without callers.
        turns: From the product's records; None without turns.
        pace_ms: How fast the machine was around it (``machine.pace_ms``), mean of before and after.
        loop_lag_s: ``Stage.loop_lag_s`` at its end.
    """

    plan: PhasePlan
    why_invalid: str = ""
    cpu: CpuUse | None = None
    memory: dict[str, float] = field(default_factory=dict)
    load: dict[str, Any] = field(default_factory=dict)
    turns: TurnFigures | None = None
    load_average: float = 0.0
    pace_ms: float = 0.0
    loop_lag_s: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        """True when the figures may be believed, and are those of as many calls as planned."""
        return not self.why_invalid

    @property
    def admitted(self) -> int | None:
        """How many calls the product took; None when nobody called or nobody reported."""
        admitted: int | None = self.load.get("counts", {}).get("calls_admitted")
        return admitted

    @property
    def callers_late_ms(self) -> float | None:
        """The callers' own frames at P99; None when nobody called or nobody reported."""
        spreads: dict[str, dict[str, float | None]] = self.load.get("distributions", {})
        return spreads.get("caller_lateness", {}).get("p99_ms")

    @property
    def all_admitted(self) -> bool:
        """False when some call was refused or failed: what follows is not of that many calls."""
        return self.plan.kind == "idle" or bool(self.load.get("all_admitted"))

    def cpu_ms_per_s(self, group: str) -> float:
        """CPU of one group, milliseconds in each second."""
        return self.cpu.by_group[group] * 1_000 / self.cpu.wall_s if self.cpu else 0.0

    @property
    def server_ms_per_s(self) -> float:
        """CPU of the product, milliseconds in each second."""
        return self.cpu.server_s * 1_000 / self.cpu.wall_s if self.cpu else 0.0

    def us_per_frame(self, group: str) -> float:
        """CPU of one group for each frame that the callers sent, microseconds."""
        return self.cpu_ms_per_s(group) * 1_000 / (FRAMES_PER_S * self.plan.calls)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        plain: dict[str, Any] = {
            "kind": self.plan.kind,
            "calls": self.plan.calls,
            "window_s": self.plan.window_s,
            "valid": self.valid,
            "why_invalid": self.why_invalid,
            "load_average": self.load_average,
            "pace_ms": self.pace_ms,
            "loop_lag_s": self.loop_lag_s,
            "memory_mb": {name: round(mb, 2) for name, mb in self.memory.items()},
            "callers": self.load,
        }
        if self.cpu is not None:
            plain["cpu_ms_per_s"] = {
                **{name: round(self.cpu_ms_per_s(name), 2) for name in GROUPS},
                "server": round(self.server_ms_per_s, 2),
                "ingress_event_loop": round(self.cpu.ingress_loop_s * 1_000 / self.cpu.wall_s, 2),
                "ray_by_process": {
                    title: round(used_s * 1_000 / self.cpu.wall_s, 2)
                    for title, used_s in sorted(self.cpu.by_title.items())
                },
            }
        if self.turns is not None:
            plain["turns"] = self.turns.as_dict()
        return plain


async def run_phase(stage: Stage, plan: PhasePlan) -> PhaseResult:
    """Run one phase; what goes wrong with it is in the result, not raised."""
    result = PhaseResult(plan, load_average=os.getloadavg()[0], pace_ms=machine.pace_ms())
    if plan.kind == "idle":
        await asyncio.sleep(IDLE_SETTLE_S)
        await _measure(result)
        return result
    since_us = time.time_ns() // 1_000
    report = stage.folder / "load.json"
    report.unlink(missing_ok=True)
    with pinned(stage.other_cores):
        callers = await asyncio.create_subprocess_exec(
            sys.executable,
            *_callers_command(stage.url, plan, report),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
            env=clean_environment(os.environ, {}),
            cwd=stage.folder,
        )
    try:
        if plan.kind == "setup":
            await asyncio.wait_for(callers.wait(), plan.window_s * 2 + LATE_END_S)
        elif await _all_up(stage, plan.calls, callers):
            await asyncio.sleep(SETTLE_S)
            await _measure(result)
            await _look_at_the_end(stage, result)
            await asyncio.wait_for(callers.wait(), _margin_s(plan) + LATE_END_S)
        else:
            result.why_invalid = f"{plan.calls} calls were not up within {UP_WITHIN_S:.0f} s"
            # Their report says what became of the others: refused, failed, ended early.
            await asyncio.wait_for(callers.wait(), _call_s(plan) + LATE_END_S)
    except TimeoutError:
        result.why_invalid = "the callers did not come to an end"
    finally:
        await _end(callers)
    _judge(result, report, await _last_words(callers))
    await _until_quiet(stage)
    result.pace_ms = (result.pace_ms + machine.pace_ms()) / 2
    if plan.kind == "talk" and stage.store.exists():
        result.turns = figures(read_turns(stage.store, since_us))
    return result


def _callers_command(url: str, plan: PhasePlan, report: Path) -> tuple[str, ...]:
    if plan.kind == "listen":
        head: tuple[str, ...] = ("-m", "benchmarks.listeners", f"--calls={plan.calls}")
        duration_s = _call_s(plan)
    else:
        calls = plan.calls
        duration_s = _call_s(plan)
        turns = 0
        if plan.kind == "setup":
            calls = max(plan.calls, round(plan.calls * plan.window_s / SETUP_CALL_S))
            duration_s, turns = SETUP_CALL_S, 1
        head = ("-c", "from cluster.cli import main; main()", "load", f"--calls={calls}")
        head += (f"--concurrency={plan.calls}", f"--turns={turns}", "--auth-token=")
    return (
        *head,
        f"--url={url}",
        f"--duration={duration_s}",
        f"--ramp={_ramp_s(plan)}",
        f"--json={report}",
    )


def _ramp_s(plan: PhasePlan) -> float:
    return max(0.5, 0.12 * plan.calls)


def _margin_s(plan: PhasePlan) -> float:
    """From the first call to the start of the window, and a little at its end."""
    return _ramp_s(plan) + 3.5 + SETTLE_S + _MEMORY_S


def _call_s(plan: PhasePlan) -> float:
    return plan.window_s + _margin_s(plan)


async def _all_up(stage: Stage, calls: int, callers: Process) -> bool:
    deadline = time.monotonic() + UP_WITHIN_S
    async with httpx.AsyncClient(trust_env=False, timeout=2.0) as http:
        while time.monotonic() < deadline and callers.returncode is None:
            if await stage.active_calls(http) >= calls:
                return True
            await asyncio.sleep(_LOOK_EVERY_S)
    return False


async def _measure(result: PhaseResult) -> None:
    before = take_snapshot()
    await asyncio.sleep(result.plan.window_s)
    result.cpu = cpu_between(before, take_snapshot())
    looks = []
    for _ in range(MEMORY_LOOKS):
        looks.append(memory_mb())
        await asyncio.sleep(_MEMORY_EVERY_S)
    result.memory = usual_memory_mb(looks)
    result.load_average = os.getloadavg()[0]


async def _look_at_the_end(stage: Stage, result: PhaseResult) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=2.0) as http:
        active = await stage.active_calls(http)
        result.loop_lag_s = await stage.loop_lag_s(http)
    if active < result.plan.calls:
        result.why_invalid = f"only {active} calls were still up at the end of the window"


async def _end(callers: Process) -> None:
    if callers.returncode is None:
        try:
            await asyncio.wait_for(callers.wait(), 5.0)
        except TimeoutError:
            callers.kill()
            await callers.wait()


async def _last_words(callers: Process) -> str:
    said = (await callers.stderr.read()).decode(errors="replace") if callers.stderr else ""
    return (said.strip().splitlines() or ["(they said nothing)"])[-1]


def _judge(result: PhaseResult, report: Path, last_words: str) -> None:
    """Read the callers' report; a run that they do not vouch for does not count."""
    reasons = [result.why_invalid] if result.why_invalid else []
    try:
        result.load = json.loads(report.read_text("utf-8"))
    except (OSError, ValueError):
        reasons = reasons or [f"the callers wrote no report: {last_words}"]
    else:
        reasons += result.load["reasons"]
    result.why_invalid = "; ".join(reasons)


async def _until_quiet(stage: Stage) -> None:
    """Wait until the calls of this phase are gone and recorded."""
    deadline = time.monotonic() + 10.0
    async with httpx.AsyncClient(trust_env=False, timeout=2.0) as http:
        while time.monotonic() < deadline and await stage.active_calls(http) > 0:
            await asyncio.sleep(_LOOK_EVERY_S)
    await asyncio.sleep(1.0)  # the records are written in batches
