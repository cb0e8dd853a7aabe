"""``python -m benchmarks.pipecat --python ENV/bin/python``: Pipecat beside this product.

The same callers, the same emulated Deepgram Flux, OpenAI and ElevenLabs with the same lags, one
server process on a core of its own, callers and emulators on the others. Each number of calls is
watched for a window. Pipecat is not a part of this project's environment; make it one of its own:

    python -m venv ENV
    ENV/bin/pip install "pipecat-ai[silero,websocket,deepgram,openai,elevenlabs,runner]"

Prints a table; ``--document FILE`` writes it between its markers there.
"""

from __future__ import annotations

import argparse
import asyncio
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx

from benchmarks import machine
from benchmarks.cores import halves
from benchmarks.density.plan import ROOM
from benchmarks.phase import PhaseResult, run_phase
from benchmarks.pipecat.stage import running_pipecat
from benchmarks.plan import TYPICAL, PhasePlan, StagePlan
from benchmarks.process_cost import SERVER
from benchmarks.report import table, write_between_markers
from benchmarks.stage import Stage, StageFailed, running_stage
from cluster.errors import DemoFailed

BEGIN = "<!-- pipecat:begin (written by python -m benchmarks.pipecat; edit around it) -->"
END = "<!-- pipecat:end -->"
_OURS, _THEIRS = "callcluster", "Pipecat"
_HEADER = (
    "server",
    "calls",
    "admitted",
    "turns",
    "answered",
    "ear mean ms",
    "P50",
    "P95",
    "cut-ins",
    "holes",
    "CPU of a call-second, ms",
    "MB in all",
    "greeting P50 ms",
    "callers late P99",
    "counts",
)


def parse_options(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.pipecat",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--python", type=Path, required=True, help="of Pipecat's environment")
    options.add_argument("--steps", default="1,5,10,20", metavar="N,N", help="calls at once")
    options.add_argument("--window", type=float, default=25.0, help="seconds of each step")
    options.add_argument("--no-pin", action="store_true", help="everything on all cores")
    options.add_argument("--document", type=Path, help="Markdown file that gets the table")
    given = options.parse_args(arguments)
    if not given.python.exists():
        options.error(f"--python: there is no {given.python}")
    try:
        given.calls = tuple(int(step) for step in given.steps.split(","))
        given.cores = (frozenset[int](), frozenset[int]()) if given.no_pin else halves()
    except ValueError as error:
        options.error(f"--steps are numbers; {error}")
    return given


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, write; the exit code is 1 when a step does not count, 2 when one did not run."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    given = parse_options(words)
    phases = tuple(PhasePlan("talk", calls, given.window) for calls in given.calls)
    product_cores, other_cores = given.cores
    plan = StagePlan(
        _OURS,
        TYPICAL,
        speculate=True,
        phases=phases,
        environment=ROOM,
        recogniser="deepgram",
        product_cores=product_cores,
        other_cores=other_cores,
    )
    facts, before = machine.facts(), machine.load()
    try:
        version = _version(given.python)
        theirs = asyncio.run(_measure(_THEIRS, running_pipecat(plan, given.python), phases))
        ours = asyncio.run(_measure(_OURS, running_stage(plan), phases))
    except (StageFailed, DemoFailed, httpx.HTTPError) as error:
        print(f"did not run: {error}", file=sys.stderr)
        return 2
    rows = [(_THEIRS, *_row(phase)) for phase in theirs] + [(_OURS, *_row(phase)) for phase in ours]
    where = "one core for the server" if product_cores else "all cores for everything"
    command = shlex.join(["python", "-m", "benchmarks.pipecat", *words])
    text = (
        f"{facts['date']}, `{command}`, Pipecat {version}, {facts['cores']} cores "
        f"({facts['cpu']}), {where}; load average {before['load_average'][0]:.2f} before.\n\n"
        f"{table(_HEADER, rows)}\n"
    )
    print(text)
    if given.document:
        write_between_markers(given.document, text, begin_line=BEGIN, end_line=END)
    return 0 if all(phase.valid for phase in (*ours, *theirs)) else 1


async def _measure(
    name: str, stage: AbstractAsyncContextManager[Stage], phases: Sequence[PhasePlan]
) -> list[PhaseResult]:
    found = []
    async with stage as running:
        for phase in phases:
            result = await run_phase(running, phase)
            found.append(result)
            why = f" NOT VALID: {result.why_invalid}" if result.why_invalid else ""
            _say(f"{name}: {phase.calls} calls, {result.server_ms_per_s:.0f} ms CPU/s{why}")
    return found


def _row(phase: PhaseResult) -> tuple[object, ...]:
    counts, calls = phase.load.get("counts", {}), phase.plan.calls
    spreads = phase.load.get("distributions", {})
    ear = spreads.get("response_latency", {})
    return (
        calls,
        counts.get("calls_admitted"),
        counts.get("turns"),
        counts.get("turns_answered"),
        ear.get("mean_ms"),
        ear.get("p50_ms"),
        ear.get("p95_ms"),
        counts.get("cut_ins"),
        counts.get("underruns"),
        phase.server_ms_per_s / calls,
        sum(phase.memory.get(group, 0.0) for group in SERVER),
        spreads.get("greeting", {}).get("p50_ms"),
        spreads.get("caller_lateness", {}).get("p99_ms"),
        "yes" if phase.valid else "NO",
    )


def _version(python: Path) -> str:
    command = (str(python), "-c", "import importlib.metadata as m; print(m.version('pipecat-ai'))")
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    if asked.returncode:
        raise StageFailed(f"{python} has no pipecat-ai: {asked.stderr.strip().splitlines()[-1]}")
    return asked.stdout.strip()


def _say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
