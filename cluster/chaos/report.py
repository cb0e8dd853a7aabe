"""The run in a terminal and as JSON: each figure beside what was promised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from cluster.chaos.figures import Figures
from cluster.chaos.phase import PhaseResult
from cluster.chaos.verdicts import FOR_SCALE, MISSED, NOT_VALID, REACHED, Verdict

_STYLES = {REACHED: "green", MISSED: "red", NOT_VALID: "yellow", FOR_SCALE: "dim"}


@dataclass(frozen=True, slots=True)
class Judged:
    """One fault of one role, measured and judged."""

    result: PhaseResult
    figures: Figures
    verdicts: tuple[Verdict, ...]

    @property
    def title(self) -> str:
        """In tables."""
        return self.result.fault.title if self.result.fault else ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            **self.result.as_dict(),
            "figures": self.figures.as_dict(),
            "verdicts": [asdict(verdict) for verdict in self.verdicts],
        }


def exit_code(judged: Sequence[Judged], healthy: Sequence[PhaseResult]) -> int:
    """0 when all was reached, 1 when something was missed, 3 when the callers were late."""
    if not all(result.is_punctual for result in (*healthy, *(each.result for each in judged))):
        return 3
    missed = any(verdict.verdict == MISSED for each in judged for verdict in each.verdicts)
    return 1 if missed else 0


def table(judged: Sequence[Judged]) -> Table:
    """A line for each figure."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("fails", "how", "turns", "figure", "measured", "target", ""):
        shown.add_column(name, no_wrap=name not in ("figure", "how", "measured"))
    for each in judged:
        result = each.result
        head = (result.role, each.title, str(each.figures.turns))
        for verdict in each.verdicts:
            word = Text(verdict.verdict, _STYLES[verdict.verdict])
            shown.add_row(*head, verdict.figure, verdict.measured, verdict.target, word)
            head = ("", "", "")
    return shown


def markdown(judged: Sequence[Judged]) -> str:
    """The same for a page."""
    lines = [
        "| fails | how | turns | figure | measured | target | |",
        "|---|---|---|---|---|---|---|",
    ]
    for each in judged:
        head = f"| {each.result.role} | {each.title} | {each.figures.turns} "
        for verdict in each.verdicts:
            cells = (verdict.figure, verdict.measured, verdict.target, verdict.verdict)
            lines.append(head + "| " + " | ".join(cells) + " |")
            head = "| | | "
    return "\n".join(lines)
