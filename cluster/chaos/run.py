"""``callcluster chaos providers``: the order of events.

In acts (``faults``): a new product, callers, a while in which all is well, then one fault after the
other, each for each kind of work in turn, under calls that go on.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import time
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.status import Status
from rich.text import Text

from cluster.chaos.faults import Fault, roles_of
from cluster.chaos.figures import Healthy, figures
from cluster.chaos.phase import PhaseResult, run_act
from cluster.chaos.plan import ChaosPlan
from cluster.chaos.report import Judged, exit_code, markdown, table
from cluster.chaos.stage import running_stage
from cluster.chaos.verdicts import verdicts
from cluster.cli_console import complain, show
from cluster.cli_console import console as stderr
from cluster.demo_live import StartProgress
from cluster.errors import ClusterError, DemoFailed
from simulation.load import be_first_served

_WIDTH = 130  # of what is written to a file
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_chaos(plan: ChaosPlan, output: Path, json_path: Path | None) -> int:
    """Run everything and show it.

    Args:
        plan: What to break.
        output: Folder for logs; made if missing.
        json_path: Where all of it is written; ``output / "chaos.json"`` when None.

    Returns:
        0 when all that was promised was reached, 1 when not, 2 when it could not run, 3 when this
        machine was too busy to measure, 128 + N when signal N ended it.
    """
    target = json_path or output / "chaos.json"
    try:
        output.mkdir(parents=True, exist_ok=True)
        target.write_text("", "utf-8")  # better now than after the run
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


class _Run:
    def __init__(self, plan: ChaosPlan, output: Path, target: Path) -> None:
        self.ended_by = 0
        self._plan = plan
        self._output = output
        self._target = target
        self._console = Console(stderr=True, highlight=False)
        if not self._console.is_terminal:
            self._console = Console(stderr=True, highlight=False, width=_WIDTH)
        self._healthy: list[PhaseResult] = []
        self._broken: list[PhaseResult] = []
        self._judged: list[Judged] = []
        self._began_s = time.monotonic()

    async def all(self) -> int:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._signalled, number, task)
        be_first_served()  # the callers' clock must not wait for the product it measures
        about_min = round(self._plan.about_s / 60)
        self._console.print(Text(f"about {max(1, about_min)} minutes", "dim"))
        for act in self._plan.acts:
            faults = tuple(fault for fault in act if roles_of(fault, self._plan.roles))
            if faults:
                await self._act(faults)
        show(table(self._judged))
        code = exit_code(self._judged, self._healthy)
        took_s = time.monotonic() - self._began_s
        words = {0: "all that was promised was reached", 1: "not all that was promised was reached"}
        verdict = words.get(code, "this machine was too busy to measure")
        self._console.print(Text(f"{verdict}; {took_s:.0f} s; {self._target}", "bold"))
        return code

    def _signalled(self, number: signal.Signals, task: asyncio.Task[int] | None) -> None:
        # Once: while things are being stopped, another Ctrl-C must not leave them half stopped.
        if not self.ended_by and task is not None:
            self.ended_by = int(number)
            task.cancel()

    async def _act(self, faults: tuple[Fault, ...]) -> None:
        names = ", ".join(fault.name for fault in faults)
        self._console.rule(names)
        logs = self._output / "-".join(fault.name for fault in faults)
        logs.mkdir(exist_ok=True)
        with StartProgress(self._console) as progress:
            stage_context = running_stage(self._plan, logs, progress)
            stage = await stage_context.__aenter__()
        try:
            gc.collect()
            gc.freeze()  # a collection in the middle would make the callers late
            with self._console.status(names) as status:
                tell = partial(_show, status)
                healthy, *broken = await run_act(stage, self._plan, faults, tell)
        finally:
            with self._console.status("stopping Ray and the emulators"):
                await stage_context.__aexit__(None, None, None)
        self._healthy.append(healthy)
        self._broken += broken
        if not self._usual().waits:
            raise DemoFailed(f"no caller was answered while all was well: see {logs}")
        for result in (healthy, *broken):
            self._say(result)
        self._judge()
        self._console.print(table(self._judged[-len(broken) :] if broken else []))
        self._write()

    def _usual(self) -> Healthy:
        return Healthy([turn for result in self._healthy for turn in result.turns])

    def _judge(self) -> None:
        """All of it against what was usual, which is better known after each act."""
        usual = self._usual()
        found = [(result, figures(result, usual)) for result in self._broken]
        self._judged = [
            Judged(result, each, tuple(verdicts(result, each, self._plan)))
            for result, each in found
        ]

    def _say(self, result: PhaseResult) -> None:
        title = f"{result.role}: {result.fault.title}" if result.fault else "healthy"
        late = "" if result.is_punctual else ", TOO LATE TO COUNT"
        self._console.print(
            f"{title}: {len(result.turns)} turns, callers' frames "
            f"{result.lateness_p99_ms:.1f} ms late at P99{late}"
        )

    def _write(self) -> None:
        plan = self._plan
        plain = {
            "version": 1,
            "calls": plan.calls,
            "seed": plan.seed,
            "cores": os.cpu_count(),
            "load_average": os.getloadavg(),
            "took_s": round(time.monotonic() - self._began_s),
            "exit_code": exit_code(self._judged, self._healthy),
            "markdown": markdown(self._judged),
            "healthy": [result.as_dict() for result in self._healthy],
            "faults": [each.as_dict() for each in self._judged],
        }
        self._target.write_text(json.dumps(plain, indent=1) + "\n", "utf-8")


def _show(status: Status, text: str) -> None:
    status.update(Text(text))
