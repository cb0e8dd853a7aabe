"""The demo in a terminal: what is starting, who says what, where the time of each turn went.

The caller's words are printed when they are said; the agent's when the product has recorded them,
which is as soon as they have been heard or cut off. Words that talk over the agent wait until it is
known what of the agent's was heard, so that the conversation reads in its order.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from cluster.demo_script import DemoCaller
from records.rows import TurnRow
from simulation.caller_events import AgentHeard, CallEnded, CallerEvent, CallerSaid, TurnMeasured
from simulation.report_data import DemoCall
from simulation.report_numbers import in_ms, unheard_text
from simulation.waterfall import render_waterfall

_HOLD_S = 1.5
_AGENT_STYLE = "yellow"
_INDENT = (0, 0, 0, 9)


class StartProgress:
    """Prints the steps of the start with the time each took; a ``demo_stage.Progress``."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("")
        self._since_s = time.monotonic()

    def __enter__(self) -> StartProgress:
        self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def started(self, what: str) -> None:
        """``what`` is being waited for."""
        self._status.update(Text(f"{what} …"))

    def done(self, what: str) -> None:
        """``what`` is there."""
        took_s = time.monotonic() - self._since_s
        self._since_s = time.monotonic()
        row = Table.grid(padding=(0, 1))
        row.add_column(width=3, justify="right")
        row.add_column(width=line_width(self._console) - 15)
        row.add_column(width=7, justify="right")
        row.add_row(Text("✓", "green"), Text(what), Text(f"{took_s:.1f} s", "dim"))
        self._console.print(row)

    def note(self, text: str) -> None:
        """Something a person should know."""
        self._console.print(Padding(Text(text, "yellow"), (0, 0, 0, 4)))


class LiveCall:
    """One call as it is printed.

    Args:
        console: Where to.
        caller: Who calls.
        prefixed: Name the call on every line, because others are printed between.
    """

    def __init__(self, console: Console, caller: DemoCaller, *, prefixed: bool) -> None:
        self.call_sid = ""
        self.ended = False
        self.heard: list[AgentHeard] = []
        self._console = console
        self._caller = caller
        self._prefixed = prefixed
        self._printed = 0
        self._held: list[tuple[float, CallerSaid]] = []
        self._answers: list[TurnMeasured] = []

    def take(self, event: CallerEvent) -> None:
        """Something happened on the caller's side."""
        match event:
            case CallerSaid() if self.agent_speaks:
                self._held.append((time.monotonic(), event))
            case CallerSaid():
                self.release()
                self._print_caller(event)
            case AgentHeard():
                self.heard.append(event)
            case TurnMeasured():
                self._answers.append(event)
            case CallEnded():
                self.ended = True
                self.release()

    @property
    def agent_speaks(self) -> bool:
        """True while the agent is to be heard."""
        return bool(self.heard) and self.heard[-1].started

    @property
    def rows_printed(self) -> int:
        """How many recorded turns have been printed."""
        return self._printed

    def show(self, rows: Sequence[TurnRow], placed_us: int) -> None:
        """Print what of ``rows`` has not been printed; then the words that waited for it."""
        for row in rows[self._printed :]:
            self._printed += 1
            self._print_agent(row, (row.at_us - placed_us) / 1e6)
            self.release()
        if self._held and time.monotonic() - self._held[0][0] > _HOLD_S:
            self.release()

    def release(self) -> None:
        """Print words that were held back."""
        held, self._held = self._held, []
        for _, said in held:
            self._print_caller(said, over="talks over the agent")

    def _print_caller(self, said: CallerSaid, over: str = "") -> None:
        text = Text(said.text)
        if over:
            text.append(f"   ← {over}", "red")
        self._line(said.at_s, Text(self._caller.name, f"bold {self._caller.colour}"), text)

    def _print_agent(self, row: TurnRow, settled_s: float) -> None:
        answered = [turn for turn in self._answers if turn.speech_end_s <= settled_s]
        turn = answered[-1] if row.kind != "greeting" and answered else None
        starts = [event.at_s for event in self.heard if event.started and event.at_s <= settled_s]
        at_s = starts[-1] if starts else settled_s
        if turn is not None and turn.latency_s is not None:
            at_s = turn.speech_end_s + turn.latency_s
        elif row.kind == "greeting" and starts:
            at_s = starts[0]
        latency = Text()
        if turn is not None and turn.latency_s is not None:
            latency.append(in_ms(turn.latency_s), "green")
        text = Text()
        if row.outcome == "interrupted":
            heard = row.heard_text.rstrip()
            text.append(heard + "—")
            if row.agent_text.startswith(heard):
                text.append(f" [{row.agent_text[len(heard) :].strip()}]", "dim strike")
        else:
            text.append(row.agent_text)
        self._line(at_s, Text("Agent", f"bold {_AGENT_STYLE}"), text, latency)

    def _line(self, at_s: float, speaker: Text, text: Text, latency: Text | None = None) -> None:
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(width=8, justify="right", style="dim")
        if self._prefixed:
            grid.add_column(width=9)
        grid.add_column(width=8)
        grid.add_column(ratio=1)
        grid.add_column(width=8, justify="right")
        prefix = [Text(f"{self._caller.name} │", self._caller.colour)] if self._prefixed else []
        for cell in prefix:
            cell.align("right", 9)
        at = Text(f"{max(0.0, at_s):.1f} s")
        grid.add_row(at, *prefix, speaker, text, latency or Text())
        self._console.print(grid, width=line_width(self._console))


def line_width(console: Console) -> int:
    """How wide the output is: no wider than a person reads."""
    return min(console.width, 100)


def print_rule(console: Console, title: str) -> None:
    """A line between two parts of the output."""
    console.print()
    rule = Rule(Text(title, "bold"), align="left", style="dim")
    console.print(rule, width=line_width(console))


def print_waterfalls(console: Console, call: DemoCall) -> None:
    """Where the time of every turn of a call went."""
    for turn in call.turns:
        if turn.kind == "greeting":
            continue
        console.print()
        console.print(
            Padding(Text(f"{call.caller_name}: “{turn.caller_text}”", "dim"), (0, 0, 0, 9))
        )
        console.print(Padding(render_waterfall(turn, width=40), _INDENT))
        if turn.interrupted and turn.agent_start_s is not None and turn.barge_in_at_s is not None:
            said = Text("interrupted ", "red")
            said.append(f"after {turn.barge_in_at_s - turn.agent_start_s:.1f} s; heard: ")
            said.append(f"“{turn.heard_text.rstrip()}”", "bold")
            rest = unheard_text(turn)
            if rest:
                said.append("; never heard: ").append(f"“{rest}”", "dim")
            console.print(Padding(said, _INDENT))
