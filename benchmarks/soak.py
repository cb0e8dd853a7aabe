"""``python -m benchmarks.soak``: a day of calls, compressed; what does the product keep of them?

Short calls, one after another on every line (greeting, one turn, hang-up), in batches. Between two
batches nobody calls, and the product is looked at: memory, open descriptors, threads, tasks of its
event loops. What it holds after the first fifth of the batches is compared with what it holds at
the end (of memory, the middle of the looks of a fifth): the first ones fill pools, caches and free
lists. A caller hangs up after ``--seconds``, most of them while they are answered: what is left
behind is left by calls that are broken off. 20,000 calls of six seconds on 40 lines take an hour.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import sys
import time
from asyncio.subprocess import DEVNULL
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psutil

from benchmarks import machine
from benchmarks.plan import ZERO, StagePlan
from benchmarks.process_cost import CALL_ACTORS, DIRECTORY, HAPROXY, INGRESS, group_of
from benchmarks.report import table
from benchmarks.stage import Stage, running_stage
from cluster.demo_children import ROOT, clean_environment

WATCHED = (INGRESS, CALL_ACTORS, HAPROXY, DIRECTORY)
WARM_SHARE = 0.2  # of the batches, at least one
MOST_GROWTH = 0.02
MOST_ERRORS = 0.001
QUIET_S = 4.0
_QUIET_WITHIN_S = 30.0
_TASKS = re.compile(r'^callcluster_tasks\{process="(\w+)"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Look:
    """The product while nobody calls, after ``calls`` calls.

    Attributes:
        memory_mb: Anonymous (``anonymous_bytes``) by what a process does; likewise ``descriptors``
            and ``threads``.
        tasks: Of event loops, by kind of process.
    """

    calls: int
    memory_mb: dict[str, float]
    descriptors: dict[str, int]
    threads: dict[str, int]
    tasks: dict[str, int]


@dataclass(slots=True)
class Soak:
    """What was seen.

    Attributes:
        counts: Calls by what became of them, over all batches.
        late: Batches whose callers were late, so that their share of errors is not the product's.
    """

    looks: list[Look] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    late: int = 0

    def add(self, report: dict[str, Any]) -> None:
        """Add what the callers of one batch tell."""
        for name, value in report["counts"].items():
            before = self.counts.get(name, 0)
            is_most = name == "calls_at_once"
            self.counts[name] = max(before, int(value)) if is_most else before + int(value)
        for name, value in report.get("errors", {}).items():
            self.errors[name] = self.errors.get(name, 0) + int(value)
        self.late += not report["punctual"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of the result."""

    figure: str
    begin: float
    end: float
    limit: float

    @property
    def is_kept(self) -> bool:
        """Whether the product holds what was asked of it."""
        return self.end <= self.limit


def verdicts(soak: Soak) -> list[Verdict]:
    """Each thing that must not grow: after the first batches, at the end, and at most."""
    if len(soak.looks) < 2:
        return []
    some = max(1, round(len(soak.looks) * WARM_SHARE))
    first_warm = min(len(soak.looks) - 2, some)
    warm, last = soak.looks[first_warm], soak.looks[-1]
    # A heap gives a piece back at one look and not at the next: the middle of several counts.
    begins, ends = soak.looks[first_warm : first_warm + some], soak.looks[-some:]
    found = [
        _memory("memory of all, MB", begins, ends, WATCHED),
        *(_memory(f"memory, {group}, MB", begins, ends, (group,)) for group in WATCHED),
    ]
    for what in ("descriptors", "threads", "tasks"):
        begin, end = getattr(warm, what), getattr(last, what)
        # Pools breathe by a few; a leak of one a call would be hundreds.
        slack = 10 + 0.01 * (last.calls - warm.calls)
        found += [
            Verdict(f"{what}, {group}", begin[group], end[group], begin[group] + slack)
            for group in sorted(begin.keys() & end.keys())
        ]
    offered = soak.counts.get("calls_offered", 0)
    lost = offered - soak.counts.get("calls_completed", 0)
    found.append(Verdict("calls not completed, of all", 0, lost, MOST_ERRORS * offered))
    return found


def _memory(
    figure: str, begins: Sequence[Look], ends: Sequence[Look], groups: Sequence[str]
) -> Verdict:
    begin_mb, end_mb = (
        median(sum(look.memory_mb[group] for group in groups) for look in looks)
        for looks in (begins, ends)
    )
    return Verdict(figure, begin_mb, end_mb, begin_mb * (1 + MOST_GROWTH))


def render(soak: Soak) -> str:
    """As Markdown: the course, and what came of it."""
    rows = [
        (
            look.calls,
            *(look.memory_mb[group] for group in WATCHED),
            *(look.descriptors[group] for group in (INGRESS, CALL_ACTORS, HAPROXY)),
            *(look.threads[group] for group in (INGRESS, CALL_ACTORS)),
            *(look.tasks.get(kind) for kind in ("ingress", "call_actor")),
        )
        for look in soak.looks
    ]
    header = (
        "calls",
        *(f"{group} MB" for group in WATCHED),
        *("ingress fds", "actor fds", "haproxy fds", "ingress threads", "actor threads"),
        *("ingress tasks", "actor tasks"),
    )
    judged = [
        (v.figure, float(v.begin), float(v.end), v.limit, "kept" if v.is_kept else "NOT kept")
        for v in verdicts(soak)
    ]
    wrong = ", ".join(f"{name} x{count}" for name, count in sorted(soak.errors.items()))
    return "\n\n".join(
        [
            table(header, rows),
            table(("figure", "warm", "end", "at most", ""), judged),
            f"Calls: {json.dumps(soak.counts)}. Errors: {wrong or 'none'}. Batches with late "
            f"callers: {soak.late}.",
        ]
    )


async def soak_product(
    soak: Soak, calls: int, batch: int, lines: int, call_s: float, plan: StagePlan
) -> None:
    """Place ``calls`` calls of ``call_s`` on a fresh product, ``batch`` between two looks.

    What is seen goes into ``soak`` as it comes: a run that is broken off has it.
    """
    async with running_stage(plan) as stage:
        soak.looks.append(await _look(stage, 0))
        done = 0
        while done < calls:
            size = min(batch, calls - done)
            soak.add(await _batch(stage, size, lines, call_s, seed=done + 1))
            done += size
            soak.looks.append(await _look(stage, done))
            print(f"[{time.strftime('%H:%M:%S')}] {soak.looks[-1]}", file=sys.stderr, flush=True)


async def _batch(
    stage: Stage, calls: int, lines: int, call_s: float, *, seed: int
) -> dict[str, Any]:
    report = stage.folder / "load.json"
    report.unlink(missing_ok=True)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from cluster.cli import main; main()", "load"),
        *(f"--calls={calls}", f"--concurrency={lines}", "--turns=1", "--auth-token="),
        *(f"--url={stage.url}", f"--duration={call_s}", "--ramp=6"),
        *(f"--seed={seed}", f"--json={report}"),
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=DEVNULL,
        env=clean_environment(os.environ, {}),
        cwd=stage.folder,
    )
    await process.wait()
    plain: dict[str, Any] = json.loads(report.read_text("utf-8"))
    return plain


async def _look(stage: Stage, calls: int) -> Look:
    async with httpx.AsyncClient(trust_env=False, timeout=5.0) as http:
        deadline = time.monotonic() + _QUIET_WITHIN_S
        while await stage.active_calls(http) > 0 and time.monotonic() < deadline:
            await asyncio.sleep(0.5)
        await asyncio.sleep(QUIET_S)  # records are written, gauges told
        try:
            metrics = (await http.get(f"{stage.url}/metrics")).text
        except httpx.HTTPError:
            metrics = ""
    memory_mb = dict.fromkeys(WATCHED, 0.0)
    descriptors, threads = dict.fromkeys(WATCHED, 0), dict.fromkeys(WATCHED, 0)
    for process in psutil.Process().children(recursive=True):
        try:
            group = group_of(process.name(), process.cmdline())
            if group in memory_mb:
                memory_mb[group] += anonymous_bytes(process.pid) / 1e6
                descriptors[group] += process.num_fds()
                threads[group] += process.num_threads()
        except psutil.Error:
            continue
    tasks = {kind: int(float(value)) for kind, value in _TASKS.findall(metrics)}
    rounded = {group: round(mb, 1) for group, mb in memory_mb.items()}
    return Look(calls, rounded, descriptors, threads, tasks)


def anonymous_bytes(pid: int) -> int:
    """What a process has taken and no file stands behind; 0 for one that has ended.

    Pages of a library count for less in PSS, and not at all in USS, while any other program has it
    open: that moved the sums of an ingress by 24 MB from one look to the next.
    """
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak, print; the exit code is 1 when something grew or was lost, or it was broken off."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    options.add_argument("--calls", type=int, default=20_000)
    options.add_argument("--batch", type=int, default=0, help="calls between two looks")
    options.add_argument("--lines", type=int, default=40, help="calls at once")
    options.add_argument(
        "--seconds", type=float, default=6.0, help="the caller hangs up after so long"
    )
    options.add_argument("--recogniser", choices=("deepgram", "azure"), default="deepgram")
    options.add_argument("--json", type=Path, default=ROOT / "var" / "soak.json")
    given = options.parse_args(arguments)
    batch = given.batch or max(50, given.calls // 20)
    plan = StagePlan("soak", ZERO, True, (), recogniser=given.recogniser)
    before, began_s = machine.load(), time.monotonic()
    soak, whole = Soak(), True
    try:
        asyncio.run(soak_product(soak, given.calls, batch, given.lines, given.seconds, plan))
    except KeyboardInterrupt:
        whole = False
        print("Broken off: what was seen until then.", file=sys.stderr)
    run = {"machine": machine.facts(), "before": before, "took_s": time.monotonic() - began_s}
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps({**run, **asdict(soak)}, indent=2) + "\n", "utf-8")
    print(render(soak))
    found = verdicts(soak)
    return 0 if whole and found and all(verdict.is_kept for verdict in found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
