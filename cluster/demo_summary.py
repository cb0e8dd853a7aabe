"""What came of a demo: a table, what went wrong, and the files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cluster.demo_turns import CallStory
from simulation.carrier_ticker import Lateness
from simulation.load_report import LATENESS_LIMIT_S
from simulation.report_data import DemoCall
from simulation.report_numbers import in_ms, numbers_of

_HEADS = (
    "length",
    "turns",
    "answered",
    "P50",
    "P95",
    "barge-in\nstop",
    "under-\nruns",
    "viola-\ntions",
)


@dataclass(frozen=True, slots=True)
class Files:
    """What a demo leaves: recordings in the order of the calls, and the report."""

    recordings: tuple[Path, ...]
    report: Path


def problems_of(stories: Sequence[CallStory]) -> list[str]:
    """What a good run does not have, a sentence each; empty when all is well."""
    found = []
    for story in stories:
        leg = story.result.leg
        problem = _problem_of_ending(story)
        found += [f"{story.name}'s call {problem}"] if problem else []
        if story.result.outcome == "refused":
            continue  # nobody could have greeted, answered or recorded it
        if story.result.greeting_s is None:
            found.append(f"{story.name} was not greeted")
        found += [
            f"{story.name}'s turn {turn.turn} “{turn.text}” was {turn.outcome.replace('_', ' ')}"
            for turn in story.result.turns
            if turn.outcome != "answered"
        ]
        found += [
            f"{story.name}'s call: {finding.code}: {finding.detail}"
            for finding in (*leg.violations.details, *leg.errors.details)
        ]
        if not story.call_id:
            found.append(f"{story.name}'s call is not in the call store")
    return found


def _problem_of_ending(story: CallStory) -> str:
    """What became of a call that its caller did not end; empty for one that he did."""
    leg, outcome = story.result.leg, story.result.outcome
    if leg.refusal:
        said = f"“{' '.join(leg.said)}”"
        heard = {"reject_busy": "the busy tone", "reject": "“not in service”", "say_hangup": said}
        return f"was refused: {story.name} heard {heard.get(leg.refusal, 'nothing')}"
    if outcome == "failed":
        return "failed"  # what the carrier has found wrong is listed besides
    if leg.ended_by == "caller":
        return ""
    by = "an error" if leg.ended_by == "error" else f"the {leg.ended_by}"
    return f"ended early, by {by}" if outcome == "ended_early" else f"was ended by {by}"


def barge_in_stops_s(story: CallStory) -> list[float]:
    """How long the agent went on speaking each time it was interrupted."""
    return [turn.barge_in_stop_s for turn in story.result.turns if turn.barge_in_stop_s is not None]


def summary_table(stories: Sequence[CallStory], calls: Sequence[DemoCall]) -> Table:
    """One row a call and one for all of them."""
    table = Table(
        title="Measured at the caller's ear: response is from the true end of speech",
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("call")
    for head in _HEADS:
        table.add_column(head, justify="right")
    for story, call in zip(stories, calls, strict=True):
        table.add_row(story.name, *_cells([story], [call]))
    table.add_section()
    table.add_row("all", *_cells(stories, calls), style="bold")
    return table


def print_summary(
    console: Console,
    stories: Sequence[CallStory],
    calls: Sequence[DemoCall],
    files: Files,
    lateness: Lateness,
) -> None:
    """The table, where the files are, and what was wrong."""
    console.print()
    console.print(summary_table(stories, calls))
    late_s = lateness.quantile_s(0.99)
    if late_s >= LATENESS_LIMIT_S:
        console.print(
            Text(
                f"This machine was busy: the callers' own frames were {in_ms(late_s)} late at P99, "
                "and that is part of these figures.",
                "yellow",
            )
        )
    console.print()
    for path in files.recordings:
        console.print(Text(f"  recording  {path}"), soft_wrap=True)
    console.print(Text(f"  report     {files.report}", "bold"), soft_wrap=True)
    for problem in problems_of(stories):
        console.print(Text(f"  ✗ {problem}", "red"))


def _cells(stories: Sequence[CallStory], calls: Sequence[DemoCall]) -> list[str]:
    numbers = numbers_of(calls)
    turns = [turn for story in stories for turn in story.result.turns]
    stops_s = [stop_s for story in stories for stop_s in barge_in_stops_s(story)]
    violations = sum(
        story.result.leg.violations.counts.total() + story.result.leg.errors.counts.total()
        for story in stories
    )
    return [
        f"{numbers.duration_s:.1f} s",
        str(len(turns)),
        str(sum(turn.outcome == "answered" for turn in turns)),
        in_ms(numbers.p50_s),
        in_ms(numbers.p95_s),
        in_ms(max(stops_s)) if stops_s else "",
        str(numbers.underruns),
        str(violations),
    ]
