"""``python -m benchmarks.scale_simulation``: what the shared parts of a cluster bear.

From one thousand calls at once to two hundred thousand: how many messages each shared actor gets,
how much of a core it needs for them, how long an answer takes, how much memory it holds, how many
rows a second the database gets. The code is the product's own and its cost is measured here; the
network, Ray and the machines are assumed (``shape``). ``docs/scaling.md`` reads the result.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.scale_simulation import shared_actors
from benchmarks.scale_simulation.directory_world import DirectoryWorld
from benchmarks.scale_simulation.shape import Shape

ROWS_PER_TURN = 2.0
ROWS_PER_CALL = 1.0
"""Of the call store: a turn and its entry in the journal, and the call (``records.rows``)."""
SIZES = (1_000, 10_000, 100_000, 200_000)
WARM_S = 45.0  # every actor and replica reports at once at first, as after a restart


def simulate(calls: int, seconds: float, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Everything about a cluster of this size."""
    shape = Shape(calls)
    say(f"{calls:,} calls: {shape.nodes} nodes, {shape.replicas} replicas, {shape.actors} actors")
    gc.collect()
    before_mb = machine.rss_mb()
    world = DirectoryWorld(shape, seed)
    directory = world.run(WARM_S, seconds)
    directory["memory_mb_with_the_simulated_cluster"] = machine.rss_mb() - before_mb
    rows = shape.turns_per_s * ROWS_PER_TURN + shape.calls_per_s * ROWS_PER_CALL
    return {
        "calls": calls,
        "nodes": shape.nodes,
        "replicas": shape.replicas,
        "actors": shape.actors,
        "new_calls_per_s": shape.calls_per_s,
        "turns_per_s": shape.turns_per_s,
        "directory": directory,
        "health": shared_actors.health(shape),
        "metrics": shared_actors.metrics(shape),
        "cache": shared_actors.cache(shape),
        "journal": {"rows_per_s": rows},
    }


def table(found: list[dict[str, Any]]) -> Table:
    """One column for each size."""
    shown = Table(title="the shared parts of a cluster", title_justify="left")
    shown.add_column("")
    for result in found:
        shown.add_column(f"{result['calls']:,} calls", justify="right")
    for key, value in found[0].items():
        if isinstance(value, dict):
            for name in value:
                shown.add_row(f"{key}: {_words(name)}", *(_number(r[key][name]) for r in found))
        elif key != "calls":
            shown.add_row(_words(key), *(_number(r[key]) for r in found))
    return shown


def _words(name: str) -> str:
    return name.replace("_per_s", " a second").replace("_percent", ", %").replace("_", " ")


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def main() -> None:
    """Entry point."""
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.scale_simulation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--calls", default=",".join(map(str, SIZES)), help="sizes, with commas")
    options.add_argument("--seconds", type=float, default=20.0, help="simulated, for each size")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--json", type=Path, default=Path("var/scale.json"))
    given = options.parse_args()
    console = Console(stderr=True)
    try:
        sizes = [int(part) for part in given.calls.split(",")]
    except ValueError:
        options.error(f"--calls is numbers with commas between them, not {given.calls!r}")
    found = [simulate(calls, given.seconds, given.seed, console.print) for calls in sizes]
    given.json.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine.facts() | machine.load(), "sizes": found}, indent=1)
    given.json.write_text(text + "\n", "utf-8")
    Console(width=None if sys.stdout.isatty() else 120).print(table(found))
    console.print(f"written to {given.json}")


if __name__ == "__main__":
    main()
