"""``make bench-density``: what each further call on one machine costs, in CPU, memory and delay.

The product has a core of its own, callers and emulators have the other ones (``--no-pin``: all have
all). Steps of calls are held one after another on one product, each measured while all of them are
up; lines through the steps that count tell what a further call costs. The websocket recogniser
(Deepgram Flux, emulated) and Azure's SDK are measured apart. About twenty minutes; ``--quick``
takes three. Everything goes to ``var/density.json``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.cores import halves, pinned
from benchmarks.density.plan import PARTS, STEPS, Wanted
from benchmarks.density.report import BEGIN, END, render
from benchmarks.report import write_between_markers
from benchmarks.run import run_stage
from cluster.demo_children import ROOT


def parse_options(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.density", description=__doc__)
    options.add_argument("--recognisers", default=",".join(STEPS), metavar="NAME,NAME")
    options.add_argument("--parts", default=",".join(PARTS), metavar="PART,PART")
    options.add_argument("--steps", default="", metavar="N,N", help="calls at once, in this order")
    options.add_argument("--window", type=float, default=25.0, help="seconds of each step")
    options.add_argument("--quick", action="store_true", help="three steps of Flux: thin tails")
    options.add_argument("--no-pin", action="store_true", help="everything on all cores")
    options.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="environment of the product",
    )
    options.add_argument("--json", type=Path, default=ROOT / "var" / "density.json")
    options.add_argument("--document", type=Path, help="Markdown file that gets the tables")
    given = options.parse_args(arguments)
    if any("=" not in setting for setting in given.settings):
        options.error("--set: write NAME=VALUE")
    try:
        given.wanted = _wanted(given)
    except ValueError as error:
        options.error(str(error))
    return given


def _wanted(given: argparse.Namespace) -> Wanted:
    parts = frozenset(filter(None, given.parts.split(",")))
    names = tuple(name for name in STEPS if name in given.recognisers.split(","))
    if parts - set(PARTS) or set(given.recognisers.split(",")) - set(STEPS) or not names:
        raise ValueError(f"--parts are of {','.join(PARTS)}, --recognisers of {','.join(STEPS)}")
    steps = tuple(int(step) for step in filter(None, given.steps.split(",")))
    if any(step < 1 for step in steps):
        raise ValueError("--steps: at least one call each")
    cores = (frozenset[int](), frozenset[int]()) if given.no_pin else halves()
    wanted = Wanted(names, parts, steps, given.window, cores)
    if given.quick:
        quick = wanted.parts & {"cpu", "setup"}
        return replace(
            wanted, recognisers=names[:1], parts=quick, steps=steps or (1, 15, 30), window_s=12.0
        )
    return wanted


def main(arguments: list[str] | None = None) -> int:
    """Run, print, write; the exit code is 1 when some step does not count."""
    given = parse_options(sys.argv[1:] if arguments is None else arguments)
    wanted: Wanted = given.wanted
    product_cores, other_cores = wanted.cores
    extra = dict(setting.split("=", 1) for setting in given.settings)
    began_s = time.monotonic()
    with pinned(product_cores):  # the pace is that of the product's core
        before = machine.load()
    stages = []
    for planned in wanted.plans():
        plan = replace(planned, environment={**planned.environment, **extra})
        with pinned(other_cores):
            stages.append(asyncio.run(run_stage(plan)))
    with pinned(product_cores):
        after = machine.load()
    run: dict[str, Any] = {
        "command": shlex.join(["python", "-m", "benchmarks.density", *(arguments or sys.argv[1:])]),
        "machine": {**machine.facts(), "cores": os.cpu_count()},
        "cores": [sorted(product_cores), sorted(other_cores)],
        "before": before,
        "after": after,
        "took_s": round(time.monotonic() - began_s),
        "stages": [stage.as_dict() for stage in stages],
    }
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(run, indent=2) + "\n", "utf-8")
    text = render(run, stages)
    print(text)
    if given.document is not None:
        write_between_markers(given.document, text, begin_line=BEGIN, end_line=END)
    return 0 if stages and all(stage.valid for stage in stages) else 1


if __name__ == "__main__":
    raise SystemExit(main())
