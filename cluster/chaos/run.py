"""``callcluster chaos providers``: the order of events.

In acts (``faults``): a new product, callers, a while in which all is well, then one fault after the
other, each for each kind of work in turn, under calls that go on.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from cluster.chaos.faults import Fault, roles_of
from cluster.chaos.figures import Healthy, figures
from cluster.chaos.phase import run_act
from cluster.chaos.plan import ChaosPlan
from cluster.chaos.progress import Progress
from cluster.chaos.report import Judged, exit_code, table, why_not_usual
from cluster.chaos.result import PhaseResult
from cluster.chaos.runs_file import runs_in, write_runs
from cluster.chaos.stage import running_stage
from cluster.chaos.verdicts import verdicts
from cluster.cli_console import complain, show
from cluster.cli_console import console as stderr
from cluster.demo_live import StartProgress
from cluster.deploy_progress import counted
from cluster.errors import ClusterError, DemoFailed, SettingsError
from simulation.first_served import be_first_served

_WIDTH = 130  # of what is written to a file
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_chaos(plan: ChaosPlan, output: Path, json_path: Path | None) -> int:
    """Run everything and show it.

    Args:
        plan: What to break.
        output: Folder for logs; made if missing.
        json_path: Where all of it is added to what earlier runs have written there;
            ``output / "chaos.json"`` when None.

    Returns:
        0 when all that was promised was reached, 1 when not, 2 when it could not run, 3 when this
        machine was too busy to measure, 128 + N when signal N ended it.
    """
    target = json_path or output / "chaos.json"
    try:
        earlier = runs_in(target)
        output.mkdir(parents=True, exist_ok=True)
        write_runs(target, earlier)  # better now than after the run
    except SettingsError as error:
        complain(str(error))
        return 2
    except OSError as error:
        complain(f"{error.filename} cannot be written ({error.strerror}): choose another place")
        return 2
    run = _Run(plan, output, target, earlier)
    try:
        return asyncio.run(run.all())
    except asyncio.CancelledError:
        stderr.print(Text("stopped; nothing of it is left running", "yellow"))
        return 128 + run.ended_by
    except ClusterError as error:
        stderr.print(Text(str(error), "red"), soft_wrap=True)  # may show the end of a log
        return 2


class _Run:
    def __init__(
        self, plan: ChaosPlan, output: Path, target: Path, earlier: list[dict[str, Any]]
    ) -> None:
        self.ended_by = 0
        self._plan = plan
        self._output = output
        self._target = target
        self._earlier = earlier
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
        about_min = max(1, round(self._plan.about_s / 60))
        self._console.print(Text(f"about {counted(about_min, 'minute')}", "dim"))
        acts = [
            faults
            for act in self._plan.acts
            if (faults := tuple(fault for fault in act if roles_of(fault, self._plan.roles)))
        ]
        for played, faults in enumerate(acts, 1):
            judged = await self._act(faults)
            if played < len(acts):  # the table of all follows the last one
                self._console.print(table(judged))
        show(table(self._judged))
        code = exit_code(self._judged, self._healthy)
        took_s = time.monotonic() - self._began_s
        words = {0: "all that was promised was reached", 1: "not all that was promised was reached"}
        verdict = words.get(code, "not all of it is valid; the table says why")
        self._console.print(Text(f"{verdict}; {took_s:.0f} s; {self._target}", "bold"))
        return code

    def _signalled(self, number: signal.Signals, task: asyncio.Task[int] | None) -> None:
        # Once: while things are being stopped, another Ctrl-C must not leave them half stopped.
        if not self.ended_by and task is not None:
            self.ended_by = int(number)
            task.cancel()

    async def _act(self, faults: tuple[Fault, ...]) -> Sequence[Judged]:
        """Play it; what its faults came to."""
        names = ", ".join(fault.name for fault in faults)
        self._console.rule(names)
        logs = self._output / "-".join(fault.name for fault in faults)
        logs.mkdir(exist_ok=True)
        with StartProgress(self._console) as starting:
            stage_context = running_stage(self._plan, logs, starting)
            stage = await stage_context.__aenter__()
        try:
            gc.collect()
            gc.freeze()  # a collection in the middle would make the callers late
            with self._console.status(names) as status:
                progress = Progress(self._console, status, self._left_s)
                healthy, *broken = await run_act(stage, self._plan, faults, progress.tell)
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
        self._write()
        return self._judged[-len(broken) :] if broken else []

    def _left_s(self) -> float:
        return self._plan.about_s - (time.monotonic() - self._began_s)

    def _usual(self) -> Healthy:
        """Of the acts in which callers were on time; of all, should there be none such."""
        on_time = [result for result in self._healthy if result.is_punctual] or self._healthy
        return Healthy([turn for result in on_time for turn in result.turns])

    def _judge(self) -> None:
        """All of it against what was usual, which is better known after each act."""
        usual, doubt = self._usual(), why_not_usual(self._healthy)
        found = [(result, figures(result, usual)) for result in self._broken]
        self._judged = [
            Judged(result, each, tuple(verdicts(result, each, self._plan, doubt)))
            for result, each in found
        ]

    def _say(self, result: PhaseResult) -> None:
        title = f"{result.role}: {result.fault.title}" if result.fault else "healthy"
        why = f", NOT VALID: {result.why_not_valid}" if result.why_not_valid else ""
        took_s = result.until_at - result.from_at
        said = f"{title}: {len(result.turns)} turns in {took_s:.0f} s, callers' frames "
        late = f"{result.lateness_p99_ms:.1f} ms late at P99{why}"
        self._console.print(Text(said + late), soft_wrap=True)

    def _write(self) -> None:
        plan = self._plan
        mine = {
            "calls": plan.calls,
            "seed": plan.seed,
            "cores": os.cpu_count(),
            "load_average": os.getloadavg(),
            "began_at": round(time.time() - (time.monotonic() - self._began_s)),
            "took_s": round(time.monotonic() - self._began_s),
            "exit_code": exit_code(self._judged, self._healthy),
            "healthy": [result.as_dict() for result in self._healthy],
            "faults": [each.as_dict() for each in self._judged],
        }
        write_runs(self._target, [*self._earlier, mine])
