"""``callcluster chaos cluster``: the order of events."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shutil
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.text import Text

from cluster.chaos.progress import Progress
from cluster.cli_console import complain, show
from cluster.cli_console import console as stderr
from cluster.demo_live import StartProgress
from cluster.deploy_progress import counted
from cluster.errors import ClusterError, DemoFailed
from cluster.survival.act import run_act
from cluster.survival.database import postgres_folder
from cluster.survival.faults import Fault
from cluster.survival.figures import Judged
from cluster.survival.front import front_binary
from cluster.survival.network import network_trouble
from cluster.survival.plan import SurvivalPlan
from cluster.survival.redis import redis_binary
from cluster.survival.report import exit_code, table
from cluster.survival.stage import running_stage
from simulation.first_served import be_first_served

_WIDTH = 150  # of what is written to a file
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_survival(plan: SurvivalPlan, output: Path, json_path: Path | None) -> int:
    """Run everything and show it.

    Args:
        plan: What is struck.
        output: Folder for logs; made if missing.
        json_path: Where the figures go; ``output / "survival.json"`` when None.

    Returns:
        0 when all that was promised was reached, 1 when not, 2 when it could not run, 3 when some
        of it is not valid or not shown, 128 + N when signal N ended it.
    """
    target = json_path or output / "survival.json"
    try:
        output.mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        complain(f"{error.filename} cannot be written ({error.strerror}): choose another place")
        return 2
    run = _Run(plan, output, target)
    try:
        return asyncio.run(run.all())
    except asyncio.CancelledError:
        stderr.print(Text("stopped; nothing of it is left running", "yellow"))
        return 128 + run.ended_by
    except ClusterError as error:
        stderr.print(Text(str(error), "red"), soft_wrap=True)  # may show the end of a log
        return 2


def acts_of(faults: Sequence[Fault]) -> list[tuple[Fault, ...]]:
    """The faults by what the product must be like for them.

    Plain, with a cache (few turns are thought about then), with PostgreSQL, on several nodes whose
    replicas keep apart, on several nodes where another replica finds room beside them, on several
    nodes of which one has no replica.
    """
    groups: dict[str, list[Fault]] = {}
    for fault in faults:
        kind: str = fault.part if fault.part in ("cache", "database") else ""
        if needs_nodes(fault):
            kind = "spare" if fault.needs_spare else "room" if fault.needs_room else "apart"
        groups.setdefault(kind, []).append(fault)
    return [tuple(group) for group in groups.values()]


def needs_nodes(fault: Fault) -> bool:
    """Whether it is played on several nodes; those have Redis and keep their GCS, too."""
    return fault.part in ("node", "release", "replicas") or fault.name == "gcs-kill"


def nodes_of(faults: Sequence[Fault]) -> int:
    """On how many nodes these faults are played."""
    if any(fault.needs_spare for fault in faults):
        return 3
    return 2 if any(map(needs_nodes, faults)) else 1


def why_not(fault: Fault) -> str:
    """What is missing for a fault on this machine; empty when nothing is."""
    if fault.part == "database" and postgres_folder() is None:
        return "PostgreSQL is not installed (Debian: apt install postgresql)"
    if fault.needs == "redis-server" and not redis_binary():
        return (
            "redis-server is not installed (Debian: apt install redis-server); a GCS that "
            "keeps its state nowhere cannot come back"
        )
    if needs_nodes(fault):
        return network_trouble() or ("" if front_binary() else "there is no HAProxy for the front")
    return ""


class _Run:
    def __init__(self, plan: SurvivalPlan, output: Path, target: Path) -> None:
        self.ended_by = 0
        self._plan = plan
        self._output = output
        self._target = target
        self._console = Console(stderr=True, highlight=False)
        if not self._console.is_terminal:
            self._console = Console(stderr=True, highlight=False, width=_WIDTH)
        self._judged: list[Judged] = []
        self._began_s = time.monotonic()

    async def all(self) -> int:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._signalled, number, task)
        be_first_served()  # the callers' clock must not wait for the product it measures
        skipped = [(fault, why) for fault in self._plan.faults if (why := why_not(fault))]
        wanted = [fault for fault in self._plan.faults if not why_not(fault)]
        about_min = max(1, round(self._plan.about_s / 60))
        self._console.print(Text(f"about {counted(about_min, 'minute')}", "dim"))
        for fault, why in skipped:
            self._console.print(Text(f"{fault.title}: not run: {why}", "yellow"), soft_wrap=True)
        try:
            for faults in acts_of(wanted):
                await self._act(faults)
        except ClusterError:
            if self._judged:
                show(table(self._judged, skipped))
            raise
        show(table(self._judged, skipped))
        code = exit_code(self._judged)
        took_s = time.monotonic() - self._began_s
        words = {0: "all that was promised was reached", 1: "not all that was promised was reached"}
        verdict = words.get(code, "not all of it shows something; the table says why")
        self._console.print(Text(f"{verdict}; {took_s:.0f} s; {self._target}", "bold"))
        return code

    def _signalled(self, number: signal.Signals, task: asyncio.Task[int] | None) -> None:
        # Once: while things are being stopped, another Ctrl-C must not leave them half stopped.
        if not self.ended_by and task is not None:
            self.ended_by = int(number)
            task.cancel()

    async def _act(self, faults: tuple[Fault, ...]) -> None:
        parts = {fault.part for fault in faults}
        logs = self._output / f"act-{faults[0].name}"
        logs.mkdir(exist_ok=True)
        with StartProgress(self._console) as starting:
            context = running_stage(
                replace(self._plan, faults=faults),
                logs,
                starting,
                cache="cache" in parts,
                postgres="database" in parts,
                nodes=nodes_of(faults),
            )
            stage = await context.__aenter__()
        try:
            gc.collect()
            gc.freeze()  # a collection in the middle would make the callers late
            with self._console.status("calls begin") as status:
                progress = Progress(self._console, status, self._left_s)
                act = await run_act(stage, self._plan, faults, progress.tell)
        finally:
            with self._console.status("stopping Ray and the emulators"):
                await asyncio.to_thread(_keep_logs, stage.logs, logs)
                await context.__aexit__(None, None, None)
        usual = act.usual
        if not usual.turns:
            raise DemoFailed(f"no caller was answered while all was well: see {logs}")
        self._console.print(
            Text(
                f"well: {usual.turns} turns, {usual.turns_lost} lost, {usual.words_lost} words "
                f"lost, longest silence {usual.longest_silence_s:.2f} s",
                "dim",
            )
        )
        self._judged += act.judged()
        self._write()
        if act.trouble is not None:
            raise act.trouble

    def _left_s(self) -> float:
        return self._plan.about_s - (time.monotonic() - self._began_s)

    def _write(self) -> None:
        plain = {
            "version": 1,
            "calls": self._plan.calls,
            "repeat": self._plan.repeat,
            "replicas": self._plan.replicas,
            "call_actors": self._plan.call_actors,
            "cores": os.cpu_count(),
            "faults": [each.as_dict() for each in self._judged],
        }
        self._target.write_text(json.dumps(plain, indent=1) + "\n", "utf-8")


def _keep_logs(session: Path, target: Path) -> None:
    """What the processes of Ray have written, without which a loss cannot be explained."""
    for old in (*target.glob("worker-*"), *target.glob("serve-*.log")):
        old.unlink()
    for pattern in ("worker-*.err", "serve/*.log", "gcs_server.*", "raylet.*"):
        for log in session.glob(f"ray/session_2*/logs/{pattern}"):
            if log.stat().st_size:
                name = log.name if log.parent.name == "logs" else f"serve-{log.name}"
                shutil.copyfile(log, target / name)
