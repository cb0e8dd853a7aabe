"""The run in a terminal and as JSON: each figure beside what was promised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from cluster.chaos.figures import Figures
from cluster.chaos.result import PhaseResult
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

    @property
    def is_valid(self) -> bool:
        """Whether these are figures of the product."""
        return not any(verdict.verdict == NOT_VALID for verdict in self.verdicts)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "is_valid": self.is_valid,
            "title": self.title,
            **self.result.as_dict(),
            "figures": self.figures.as_dict(),
            "verdicts": [asdict(verdict) for verdict in self.verdicts],
        }


def why_not_usual(healthy: Sequence[PhaseResult]) -> str:
    """Why it is not known how long callers wait while all is well; empty when it is."""
    if any(result.is_punctual for result in healthy):
        return ""
    return "the callers were late while all was well"


def exit_code(judged: Sequence[Judged], healthy: Sequence[PhaseResult]) -> int:
    """0 when all was reached, 1 when something was missed, 3 when something is not valid."""
    if why_not_usual(healthy) or any(not each.is_valid for each in judged):
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


def markdown_of(faults: Sequence[Mapping[str, Any]]) -> str:
    """The same for a page.

    Args:
        faults: As ``Judged.as_dict`` gave them.
    """
    lines = [
        "| fails | how | turns | figure | measured | target | |",
        "|---|---|---|---|---|---|---|",
    ]
    for each in faults:
        head = f"| {each['role']} | {each['title']} | {each['figures']['turns']} "
        for verdict in each["verdicts"]:
            cells = (verdict[name] for name in ("figure", "measured", "target", "verdict"))
            lines.append(head + "| " + " | ".join(cells) + " |")
            head = "| | | "
    return "\n".join(lines)
