"""What one run of the instrument found: settings, figures and every single turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from cluster.evaluate.cases import Case, worst_cases
from cluster.evaluate.causes import causes
from cluster.evaluate.figures import TurnFigures, turn_tables
from cluster.evaluate.first_segments import first_segments
from cluster.evaluate.replay_log import CallLog
from cluster.evaluate.talk_over_figures import TalkOverFigures, talk_over_figures
from cluster.evaluate.talk_over_rows import TalkOverRow, heard_errors, talk_over_rows
from cluster.evaluate.turn_rows import TurnRow, turn_rows

VERSION = 1


@dataclass(frozen=True, slots=True)
class Result:
    """A run.

    Attributes:
        settings: All that was chosen, for people.
        tables: Lines of the table of turns, "all" first.
        call_s: How long the calls were, together.
        judged: Questions to the end-of-turn model.
        cases: The worst turns.
    """

    settings: Mapping[str, Any]
    tables: tuple[TurnFigures, ...]
    talk_over: TalkOverFigures
    rows: tuple[TurnRow, ...]
    talk_over_rows: tuple[TalkOverRow, ...]
    heard_errors: tuple[int, ...]
    call_s: float
    judged: int = 0
    notes: tuple[str, ...] = field(default=())
    cases: tuple[Case, ...] = field(default=())

    @property
    def all(self) -> TurnFigures:
        """The headline."""
        return self.tables[0]

    @property
    def languages(self) -> frozenset[str]:
        """Names of the lines that are of one language."""
        return frozenset(row.language for row in self.rows)

    def table(self, name: str) -> TurnFigures | None:
        """A line by its name."""
        return next((line for line in self.tables if line.name == name), None)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "version": VERSION,
            "settings": dict(self.settings),
            "call_s": round(self.call_s, 1),
            "judged": self.judged,
            "notes": list(self.notes),
            "tables": [line.as_dict() for line in self.tables],
            "talk_over": self.talk_over.as_dict(),
            "causes": [asdict(each) for each in causes(self.rows)],
            "first_segments": [asdict(each) for each in first_segments()],
            "turns": [row.as_dict() for row in self.rows],
            "talk_over_turns": [row.as_dict() for row in self.talk_over_rows],
            "heard_errors": list(self.heard_errors),
        }


def result_of(
    logs: Sequence[CallLog], settings: Mapping[str, Any], notes: Sequence[str] = ()
) -> Result:
    """Measure replayed calls."""
    rows = [row for log in logs for row in turn_rows(log)]
    over = [row for log in logs for row in talk_over_rows(log)]
    errors = [error for log in logs for error in heard_errors(log)]
    return Result(
        settings=settings,
        tables=tuple(turn_tables(rows)),
        talk_over=talk_over_figures(over, errors),
        rows=tuple(rows),
        talk_over_rows=tuple(over),
        heard_errors=tuple(errors),
        call_s=sum(log.over_s for log in logs),
        judged=sum(log.judged for log in logs),
        notes=tuple(notes),
        cases=worst_cases(rows, logs),
    )
