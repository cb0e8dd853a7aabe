"""``python -m benchmarks.loop_stops``: what keeps the event loop of an ingress from being on time.

The product carries calls while every step of its loop is timed (``watch``), which costs about a
tenth of what the loop does. On a busy machine most stops are waits for a core: that is what the
columns tell apart. Two minutes; Linux.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.loop_stops.report import read, render
from benchmarks.phase import SETTLE_S, run_phase
from benchmarks.plan import TYPICAL, PhasePlan, StagePlan
from benchmarks.stage import running_stage
from cluster.demo_children import ROOT

_SITE = Path(__file__).resolve().parent / "site"
_LOOK_EVERY_S = 0.5


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, default=20)
    options.add_argument("--window", type=float, default=30.0)
    options.add_argument("--recogniser", choices=("deepgram", "azure"), default="deepgram")
    options.add_argument(
        "--set", dest="settings", action="append", default=[], metavar="NAME=VALUE"
    )
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "PYTHONPATH": os.pathsep.join((str(_SITE), str(ROOT))),
            "WATCH_LOOP_INTO": str(Path(folder) / "loop"),
            **dict(setting.split("=", 1) for setting in given.settings),
        }
        phase = PhasePlan("talk", given.calls, given.window)
        plan = StagePlan(
            "loop stops",
            TYPICAL,
            True,
            (phase,),
            environment=environment,
            recogniser=given.recogniser,
        )
        since, problem = asyncio.run(_run(plan, phase))
        if problem:
            print(f"Not valid: {problem}\n")
        print(render(read(Path(folder).glob("loop.*"), since, since + given.window)))


async def _run(plan: StagePlan, phase: PhasePlan) -> tuple[float, str]:
    """When the window began, UTC seconds, and why it does not count."""
    async with (
        running_stage(plan) as stage,
        httpx.AsyncClient(trust_env=False, timeout=2.0) as http,
    ):
        measuring = asyncio.create_task(run_phase(stage, phase))
        while not measuring.done() and await stage.active_calls(http) < phase.calls:
            await asyncio.sleep(_LOOK_EVERY_S)
        since = time.time() + SETTLE_S
        result = await measuring
        return since, result.why_invalid


if __name__ == "__main__":
    main()
