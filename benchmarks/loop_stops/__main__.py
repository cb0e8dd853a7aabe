"""``python -m benchmarks.loop_stops``: what keeps the event loop of an ingress from being on time.

The product carries calls while every step of its loop is timed (``watch``), which costs about a
tenth of what the loop does. On a busy machine most stops are waits for a core: that is what the
columns tell apart. Linux.

Numbers of calls (``--calls 10,20,30``) are carried one after another by the same product, fewest
first: 20 s for its start and some 45 s for each. A summary comes first: how late the loop was with
each number of calls, and whether that counts (the callers' own frames were on time, no call was
refused). The run ends at the first number that does not fit; ``--all`` tries the rest too.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.loop_stops.report import Row, read, render, summary
from benchmarks.phase import SETTLE_S, PhaseResult, run_phase
from benchmarks.plan import TYPICAL, PhasePlan, StagePlan
from benchmarks.stage import running_stage
from cluster.demo_children import ROOT

_SITE = Path(__file__).resolve().parent / "site"
_LOOK_EVERY_S = 0.5


def main() -> None:
    """Run and print."""
    given = options().parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "PYTHONPATH": os.pathsep.join((str(_SITE), str(ROOT))),
            "WATCH_LOOP_INTO": str(Path(folder) / "loop"),
            **dict(setting.split("=", 1) for setting in given.settings),
        }
        plan = StagePlan(
            "loop stops",
            TYPICAL,
            True,
            tuple(PhasePlan("talk", calls, given.window) for calls in given.calls),
            environment=environment,
            recogniser=given.recogniser,
        )
        windows = asyncio.run(_run(plan, goes_on=given.all))
        rows = [
            Row(
                result.plan.calls,
                read(Path(folder).glob("loop.*"), since, since + given.window),
                result.why_invalid,
                result.callers_late_ms,
            )
            for since, result in windows
        ]
    print(summary(rows))
    for row in rows:
        print(f"\n## {row.calls} calls\n\n{render(row.seen)}")


def options() -> argparse.ArgumentParser:
    """Of the command line."""
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.loop_stops",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "--calls",
        type=several,
        default=(20,),
        metavar="N[,N...]",
        help="at once; several are carried one after another, fewest first (20)",
    )
    made.add_argument("--all", action="store_true", help="go on behind a number that does not fit")
    made.add_argument(
        "--window", type=float, default=30.0, metavar="S", help="measured for so long each (30)"
    )
    made.add_argument(
        "--recogniser",
        choices=("deepgram", "azure"),
        default="deepgram",
        help="who hears the callers (deepgram)",
    )
    made.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the product; again for more",
    )
    return made


def several(text: str) -> tuple[int, ...]:
    """Numbers of calls from ``10,20,30``, each once, fewest first. Raises ``ValueError``."""
    found = sorted({int(number) for number in text.split(",")})
    if found[0] < 1:
        raise ValueError(text)
    return tuple(found)


async def _run(plan: StagePlan, *, goes_on: bool) -> list[tuple[float, PhaseResult]]:
    """Of each phase when its window began, UTC seconds, and what came of it.

    Args:
        plan: What is run.
        goes_on: Behind a phase that does not count too.
    """
    found: list[tuple[float, PhaseResult]] = []
    async with (
        running_stage(plan) as stage,
        httpx.AsyncClient(trust_env=False, timeout=2.0) as http,
    ):
        for phase in plan.phases:
            print(f"{phase.calls} calls", file=sys.stderr, flush=True)
            measuring = asyncio.create_task(run_phase(stage, phase))
            while not measuring.done() and await stage.active_calls(http) < phase.calls:
                await asyncio.sleep(_LOOK_EVERY_S)
            since = time.time() + SETTLE_S
            found.append((since, await measuring))
            if found[-1][1].why_invalid and not goes_on:
                break
    return found


if __name__ == "__main__":
    main()
