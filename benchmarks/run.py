"""``make bench``: overhead, CPU and memory of the product on this machine.

Everything is measured on the real path, socket to socket: emulated providers in one process,
``callcluster serve`` (Ray Serve with HAProxy) in its own tree, callers in a third process. Writes
``var/bench.json`` and the table in ``docs/benchmarks.md``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from benchmarks import chat_path, floor, machine, micro
from benchmarks.phase import PhaseResult, run_phase
from benchmarks.plan import PARTS, StagePlan, full_plan, limited, quick_plan
from benchmarks.report import render, write_between_markers
from benchmarks.results import StageResult
from benchmarks.stage import StageFailed, running_stage
from cluster.demo_children import ROOT
from cluster.errors import DemoFailed

DOCUMENT = ROOT / "docs" / "benchmarks.md"


def parse_options(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    options.add_argument("--quick", action="store_true", help="about 3 minutes; tails are thin")
    options.add_argument(
        "--parts",
        default="",
        help=f"some of {','.join(PARTS)} (all of them; with --quick all but 'fit')",
    )
    options.add_argument("--scale", type=float, default=1.0, help="multiplies every window")
    options.add_argument("--most-calls", type=int, default=1_000, help="leave larger phases out")
    options.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="environment of the product, such as CALLCLUSTER_PLAYOUT_CHUNK_MS=20",
    )
    options.add_argument(
        "--agents", default="", metavar="NAME", help="one of benchmarks/agents: relay, realtime"
    )
    options.add_argument("--json", type=Path, default=ROOT / "var" / "bench.json")
    options.add_argument(
        "--document", type=Path, default=DOCUMENT, help="Markdown file with the markers"
    )
    options.add_argument("--no-document", action="store_true", help="print the table only")
    given = options.parse_args(arguments)
    given.parts = frozenset(filter(None, given.parts.split(","))) or frozenset(PARTS)
    if given.parts - set(PARTS):
        options.error(f"--parts: choose from {','.join(PARTS)}")
    if any("=" not in setting for setting in given.settings):
        options.error("--set: write NAME=VALUE")
    return given


async def run_stage(plan: StagePlan) -> StageResult:
    """Run the phases of one stage; a stage that does not start says why in its result."""
    result = StageResult(plan)
    _say(f"{plan.name}: starting (lags {plan.lags_in_words} ms)")
    try:
        async with running_stage(plan) as stage:
            result.start_s = stage.start_s
            result.floor = await floor.measure(stage.openai_base_url, stage.elevenlabs_base_url)
            for phase in plan.phases:
                measured = await run_phase(stage, phase)
                result.phases.append(measured)
                _say(f"{plan.name}: {_line(measured)}")
    except (StageFailed, DemoFailed, httpx.HTTPError, ValueError) as error:
        result.failure = str(error)
        _say(f"{plan.name}: FAILED: {error}")
    return result


def _line(phase: PhaseResult) -> str:
    text = f"{phase.plan.kind} x{phase.plan.calls}: server {phase.server_ms_per_s:.0f} ms CPU/s"
    if phase.turns is not None:
        found = phase.turns.commit_to_frame
        text += f", commit to frame P50 {found.p50_ms} P95 {found.p95_ms} ms (n {found.n})"
    return text if phase.valid else f"{text} NOT VALID: {phase.why_invalid}"


def _say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run, print, write; the exit code is 1 when some phase does not count."""
    given = parse_options(sys.argv[1:] if arguments is None else arguments)
    plan = limited(
        (quick_plan if given.quick else full_plan)(given.parts), given.most_calls, given.scale
    )
    extra = dict(setting.split("=", 1) for setting in given.settings)
    if given.agents:
        extra = {"CALLCLUSTER_DEFAULT_AGENT": given.agents, **extra}
    run: dict[str, Any] = {
        "command": shlex.join(["python", "-m", "benchmarks.run", *(arguments or sys.argv[1:])]),
        "machine": machine.facts(),
        "before": machine.load(),
        "micro_us_per_frame": micro.measure() if "micro" in given.parts else {},
        "chat_path": chat_path.measure() if "chat" in given.parts else [],
    }
    began_s = time.monotonic()
    stages = []
    for planned in plan:
        stage = replace(planned, environment={**planned.environment, **extra}, agents=given.agents)
        stages.append(asyncio.run(run_stage(stage)))
    run["after"] = machine.load()
    run["took_s"] = round(time.monotonic() - began_s)
    run["stages"] = [stage.as_dict() for stage in stages]
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(run, indent=2) + "\n", "utf-8")
    table = "\n\n".join(filter(None, (render(run, stages), chat_path.render(run["chat_path"]))))
    print(table)
    if not given.no_document:
        write_between_markers(given.document, table)
        _say(f"written: {given.document}, {given.json}")
    return 0 if all(stage.valid for stage in stages) else 1


if __name__ == "__main__":
    raise SystemExit(main())
