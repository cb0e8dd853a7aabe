"""``callcluster demo``: six calls through the real product on this machine, without any key.

Order: emulators and product start side by side; three calls one after another, then three at once;
everything is stopped; recordings and report are written; the table is the verdict. Ctrl-C, SIGTERM
and SIGHUP stop it at any moment in the same order, and a guard (``demo_guard``) stops what is left
should this process itself be killed.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from cluster.cli_console import complain
from cluster.cli_console import console as stderr
from cluster.demo_calls import DemoPhones
from cluster.demo_live import LiveCall, StartProgress, print_rule, print_waterfalls
from cluster.demo_script import AT_ONCE, ONE_AFTER_ANOTHER, DemoCaller
from cluster.demo_stage import LAGS_IN_WORDS, Stage, running_stage
from cluster.demo_summary import Files, print_summary, problems_of
from cluster.demo_turns import CallStory, joined
from cluster.errors import ClusterError
from simulation.carrier_ticker import Lateness
from simulation.espeak_voice import INSTALL_HINT
from simulation.first_served import be_first_served
from simulation.report import write_report
from simulation.report_data import DemoCall, DemoReport

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ZERO = (
    "Zero is the true end of the caller's speech. The product's stages are laid on the caller's "
    "clock where its first frame arrived; the first sound is measured by the caller."
)


def run_demo(output: Path) -> int:
    """Run the demo.

    Args:
        output: Folder for recordings, report and logs; made if missing.

    Returns:
        0 when every turn was answered and nothing was violated, 1 otherwise, 2 when it could not
        run, 128 + N when signal N ended it.
    """
    console = Console(highlight=False)
    try:
        (output / "logs").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        complain(f"{output} cannot be made ({error.strerror}): choose another --output")
        return 2
    demo = _Demo(console, output)
    try:
        return asyncio.run(demo.run())
    except asyncio.CancelledError:
        console.print(Text("stopped; nothing of it is left running", "yellow"))
        return 128 + demo.ended_by
    except ClusterError as error:
        stderr.print(Text(str(error), "red"), soft_wrap=True)  # may show the end of a log
        return 2


class _Demo:
    def __init__(self, console: Console, output: Path) -> None:
        self.ended_by = 0
        self._console = console
        self._output = output
        self._started_s = time.monotonic()

    async def run(self) -> int:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._signalled, number, task)
        console = self._console
        console.print(
            Text("callcluster demo: six calls through the real product, without any key\n", "bold")
        )
        with StartProgress(console) as progress:
            stage_context = running_stage(self._output / "logs", progress)
            stage = await stage_context.__aenter__()
        try:
            if not stage.speaks:
                console.print(Text(INSTALL_HINT, "yellow"))
            be_first_served()  # the callers' clock must not wait for the product it measures
            stories, calls, lateness = await self._talk(stage)
        finally:
            with console.status("stopping Ray and the emulators"):
                await stage_context.__aexit__(None, None, None)
        files = self._write(stage, calls, stories)
        print_summary(console, stories, calls, files, lateness)
        took_s = time.monotonic() - self._started_s
        problems = problems_of(stories)
        verdict = "not as it should be" if problems else "every turn was answered"
        console.print(Text(f"\n{verdict}; nothing is left running; {took_s:.0f} s in all", "bold"))
        return 1 if problems else 0

    def _signalled(self, number: signal.Signals, task: asyncio.Task[int] | None) -> None:
        # Once: while things are being stopped, another Ctrl-C must not leave them half stopped.
        if not self.ended_by and task is not None:
            self.ended_by = int(number)
            task.cancel()

    async def _talk(self, stage: Stage) -> tuple[list[CallStory], list[DemoCall], Lateness]:
        stories: list[CallStory] = []
        calls: list[DemoCall] = []
        async with DemoPhones(stage) as phones:
            for caller in ONE_AFTER_ANOTHER:
                print_rule(self._console, f"call {len(calls) + 1} of 6: {caller.name}")
                await self._round(phones, (caller,), stories, calls)
            print_rule(self._console, "calls 4, 5 and 6, at once")
            await self._round(phones, AT_ONCE, stories, calls)
            return stories, calls, phones.lateness

    async def _round(
        self,
        phones: DemoPhones,
        callers: Sequence[DemoCaller],
        stories: list[CallStory],
        calls: list[DemoCall],
    ) -> None:
        is_first = not stories
        lives = [LiveCall(self._console, caller, prefixed=len(callers) > 1) for caller in callers]
        talked = await phones.talk(list(zip(callers, lives, strict=True)))
        stories += talked
        if is_first:
            self._console.print()
            self._console.print(Text(_ZERO, "dim"))
        for story in talked:
            calls.append(joined(story))
            print_waterfalls(self._console, calls[-1])

    def _write(
        self, stage: Stage, calls: Sequence[DemoCall], stories: Sequence[CallStory]
    ) -> Files:
        recordings = []
        for number, story in enumerate(stories, 1):
            path = self._output / f"call-{number}-{story.name.lower()}.wav"
            if story.result.recording is not None:
                story.result.recording.write(path)
                recordings.append(path)
        carried_by = "HAProxy" if stage.haproxy else "Python proxy"
        voice = "espeak-ng" if stage.speaks else "a hum (no espeak-ng here)"
        report = DemoReport(
            calls=tuple(calls),
            title="callcluster demo",
            subtitle=(
                "Six simulated calls with real recorded speech, through Ray Serve and the real "
                "provider clients, on one machine."
            ),
            facts=(
                ("Callers", "human recordings; left channel of each recording"),
                ("Agent", f"emulated Azure Speech, OpenAI and ElevenLabs; voice: {voice}"),
                ("Emulated delays", LAGS_IN_WORDS),
                ("Edge", f"Ray Serve with its {carried_by}; every webhook and socket signed"),
                ("Waterfalls", _ZERO),
            ),
        )
        return Files(tuple(recordings), write_report(report, self._output / "report.html"))
