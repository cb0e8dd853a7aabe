"""The command over sockets: start the product, let callers talk, measure, show, stop."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from rich.console import Console
from rich.text import Text

from cluster.chaos.product import recorded
from cluster.demo_live import StartProgress
from cluster.evaluate.accounted import accounted
from cluster.evaluate.figures import turn_tables
from cluster.evaluate.live_calls import LiveCall, LiveResults, place_calls
from cluster.evaluate.live_cases import live_cases
from cluster.evaluate.live_clips import write_clips
from cluster.evaluate.live_dialogue import Dialogue, dialogues
from cluster.evaluate.live_ready import cards, ready_turns
from cluster.evaluate.live_ready import told as told_ready
from cluster.evaluate.live_rows import live_rows
from cluster.evaluate.live_stage import LiveStage, StagePlan, questions_asked, running_stage
from cluster.evaluate.models import chosen
from cluster.evaluate.replay_run import Asked, turns_of
from cluster.evaluate.result import Result
from cluster.evaluate.run_replay import Wanted, show
from cluster.evaluate.talk_over_figures import talk_over_figures
from simulation.caller_events import CallEnded, CallerEvent, CallStarted, TurnMeasured
from simulation.clip_library import Clip
from simulation.corpus_noise import draw_noise, noise_loop
from simulation.corpus_turn import LabelledTurn
from simulation.first_served import be_first_served
from simulation.load_report import LATENESS_LIMIT_S

EXIT_LATE, EXIT_NOT_CARRIED = 3, 4
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LOOK_AGAIN_S = 0.5


@dataclass(slots=True)
class _Count:
    """What the line of progress says."""

    calls: int
    up: int = 0
    over: int = 0
    turns: int = 0
    cuts: int = 0
    waits: list[float] = field(default_factory=list)

    def take(self, event: CallerEvent) -> None:
        match event:
            case CallStarted():
                self.up += 1
            case CallEnded():
                self.up -= 1
                self.over += 1
            case TurnMeasured():
                self.turns += 1
                self.cuts += event.cut_in
                if event.latency_s is not None:
                    self.waits.append(event.latency_s)

    def __str__(self) -> str:
        waits = sorted(self.waits)
        middle = f", P50 {1_000 * waits[len(waits) // 2]:.0f} ms" if waits else ""
        return (
            f"{self.over} of {self.calls} calls over, {self.up} up, {self.turns} turns{middle},"
            f" {self.cuts} cut"
        )


def run_live(
    asked: Asked, wanted: Wanted, say: Callable[[str], None], *, lines: int, logs: Path
) -> int:
    """Run everything. Returns the exit code of the command.

    Args:
        asked: Which turns.
        wanted: What is to be made of it.
        say: Takes the tables.
        lines: Calls at once.
        logs: Folder for what the processes say; made if missing.

    Raises:
        SettingsError, DemoFailed, ClipUnreadable, ClipMissing: It cannot run.
    """
    logs.mkdir(parents=True, exist_ok=True)
    run = _Run(asked, lines, logs)
    try:
        result, code = asyncio.run(run.all())
    except asyncio.CancelledError:
        run.console.print(Text("stopped; nothing of it is left running", "yellow"))
        return 128 + run.ended_by
    shown = show(result, wanted, say)  # figures that are not valid say so, and are shown
    return code or shown


class _Run:
    def __init__(self, asked: Asked, lines: int, logs: Path) -> None:
        self.ended_by = 0
        self.console = Console(stderr=True, highlight=False)
        self._asked = asked
        self._lines = lines
        self._logs = logs

    async def all(self) -> tuple[Result, int]:
        """Start, talk, measure, stop."""
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._signalled, number, task)
        detector, model = chosen(self._asked.scorer, self._asked.turn_model)
        self._asked = replace(self._asked, scorer=detector, turn_model=model)
        turns, clips, notes = turns_of(self._asked)
        ready = ready_turns(turns, self._asked.ready_ratio, self._asked.seed)
        spoken, replies = dialogues(turns, self._asked.seed, ready)
        calls = [self._call(n, dialogue, clips) for n, dialogue in enumerate(spoken)]
        with tempfile.TemporaryDirectory(prefix="ccturns-") as folder:
            speech = Path(folder)
            write_clips(
                [(turn, call.noise_samples) for call in calls for turn in call.dialogue.turns],
                speech,
            )
            plan = StagePlan(
                clips=speech,
                languages=tuple(dict.fromkeys(call.dialogue.language for call in calls)),
                replies=replies,
                ear=self._asked.ear,
                turn_taking={"preset": self._asked.preset, **self._asked.changes},
                speech_detector=detector,
                turn_model=model,
                logs=self._logs,
                is_voice_steady=self._asked.is_talked_over,
                cards=cards(spoken, replies, self._asked.seed),
            )
            be_first_served()  # the callers' clock must not wait for the product it measures
            with StartProgress(self.console) as progress:
                context = running_stage(plan, progress)
                stage = await context.__aenter__()
            try:
                return await self._talk(stage, calls, speech, turns, notes)
            finally:
                with self.console.status("stopping Ray and the emulators"):
                    await context.__aexit__(None, None, None)

    def _call(self, number: int, dialogue: Dialogue, clips: Sequence[Clip]) -> LiveCall:
        seed = f"{self._asked.seed}/live/{number}"
        noise = draw_noise(Random(seed), self._asked.noise)
        return LiveCall(number, dialogue, noise, noise_loop(noise, clips, seed))

    async def _talk(
        self,
        stage: LiveStage,
        calls: Sequence[LiveCall],
        speech: Path,
        turns: Sequence[LabelledTurn],
        notes: Sequence[str],
    ) -> tuple[Result, int]:
        count = _Count(len(calls))
        before = await questions_asked(stage)
        began_s = time.monotonic()
        with self.console.status("calls") as status:

            async def tell() -> None:
                while True:
                    status.update(str(count))
                    await asyncio.sleep(_LOOK_AGAIN_S)

            telling = asyncio.create_task(tell())
            try:
                results = await place_calls(
                    stage,
                    calls,
                    speech,
                    lines=self._lines,
                    seed=self._asked.seed,
                    on_event=count.take,
                )
            finally:
                telling.cancel()
        took_s = time.monotonic() - began_s
        self.console.print(f"{count} in {took_s:.0f} s")
        asked = await questions_asked(stage) - before
        found = await recorded(stage.store_url, results.placed)
        by_number = {call.number: call for call in calls}
        rows = live_rows(by_number, found, is_voice_steady=self._asked.is_talked_over)
        answered = sum(row.latency_s is not None and not row.is_unanswered for row in rows.turns)
        told, code = verdict(results)
        measured = {row.turn_id for row in rows.turns}
        said = [turn for call in calls for turn in call.dialogue.turns]
        told.append(accounted(turns, {turn.turn_id for turn in said}, measured))
        if stage.ready_numbers:
            planned = [t.turn_id for c in calls if c.dialogue.is_ready for t in c.dialogue.turns]
            cached = [row.turn_id for row in rows.turns if row.is_cached]
            told.append(told_ready(planned, cached, len(measured)))
        return Result(
            settings=self._asked.settings()
            | ({"ready answers": "response cache, same words"} if stage.ready_numbers else {})
            | {
                "over": "sockets, " + ("HAProxy" if stage.has_haproxy else "Python proxy"),
                "calls at once": str(self._lines),
                "load average": f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
            },
            tables=tuple(turn_tables(rows.turns)),
            talk_over=talk_over_figures(rows.talk_over, ()),
            rows=rows.turns,
            talk_over_rows=rows.talk_over,
            heard_errors=(),
            call_s=sum(placed.result.leg.duration_s for placed in results.placed),
            notes=(
                *told,
                f"{asked} questions to the language model for {answered} turns that were answered",
                *notes,
            ),
            cases=live_cases(rows.turns, by_number, found),
        ), code

    def _signalled(
        self, number: signal.Signals, task: asyncio.Task[tuple[Result, int]] | None
    ) -> None:
        if not self.ended_by and task is not None:
            self.ended_by = int(number)
            task.cancel()


def verdict(results: LiveResults) -> tuple[list[str], int]:
    """Whether the run measured the product, in words and as an exit code."""
    p99_s = results.lateness.quantile_s(0.99)
    told = [f"callers' own frames {p99_s * 1_000:.1f} ms late at P99"]
    outcomes = [placed.result.outcome for placed in results.placed]
    lost = sum(outcome != "completed" for outcome in outcomes)
    if p99_s >= LATENESS_LIMIT_S:
        told.append(
            f"NOT VALID: the limit is {LATENESS_LIMIT_S * 1_000:.0f} ms; this machine was too busy"
        )
        return told, EXIT_LATE
    if lost:
        told.append(f"NOT VALID: {lost} of {len(outcomes)} calls were not carried to their end")
        return told, EXIT_NOT_CARRIED
    return told, 0
