"""Turns as the product itself recorded them, out of its call store."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.stats import Spread, nearest_rank, spread
from voice import timeline

# The cold path, in order; speculation may put the later ones before the commit.
COLD_PATH = (
    timeline.COMMITTED,
    timeline.THINK_REQUESTED,
    timeline.FIRST_TOKEN,
    timeline.FIRST_SEGMENT,
    timeline.SPEAK_REQUESTED,
    timeline.SPEAK_FIRST_BYTE,
    timeline.FIRST_FRAME_OUT,
)


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a caller; ``stages`` are seconds after the caller's speech ended."""

    kind: str
    outcome: str
    stages: dict[str, float]

    @property
    def commit_to_frame_s(self) -> float | None:
        """From the decision that the turn is over to the first frame on the wire."""
        committed = self.stages.get(timeline.COMMITTED)
        out = self.stages.get(timeline.FIRST_FRAME_OUT)
        return out - committed if committed is not None and out is not None else None


def read_turns(store: Path, since_us: int) -> list[Turn]:
    """Turns settled after ``since_us`` (UTC microseconds), oldest first."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
        rows = database.execute(
            "SELECT kind, outcome, timeline FROM turns WHERE at_us >= ? ORDER BY at_us", (since_us,)
        ).fetchall()
    return [Turn(kind, outcome, json.loads(stages)) for kind, outcome, stages in rows]


@dataclass(frozen=True, slots=True)
class TurnFigures:
    """What the turns of a phase show.

    Attributes:
        commit_to_frame: End of turn decided to first frame out.
        steps_ms: Median of each step of the cold path, by ``from -> to``.
        outcomes: How many turns ended how.
    """

    commit_to_frame: Spread
    steps_ms: dict[str, float]
    outcomes: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "commit_to_frame": self.commit_to_frame.as_dict(),
            "steps_ms": self.steps_ms,
            "outcomes": self.outcomes,
        }


def figures(turns: Sequence[Turn]) -> TurnFigures:
    """Figures of the turns that answer a caller; greetings and the like are left out."""
    asked = [turn for turn in turns if turn.kind == "caller"]
    outcomes: dict[str, int] = {}
    for turn in asked:
        outcomes[turn.outcome] = outcomes.get(turn.outcome, 0) + 1
    known = [value for turn in asked if (value := turn.commit_to_frame_s) is not None]
    return TurnFigures(spread(known), _steps_ms(asked), outcomes)


def _steps_ms(turns: Sequence[Turn]) -> dict[str, float]:
    steps = {}
    for before, after in itertools.pairwise(COLD_PATH):
        lengths = sorted(
            turn.stages[after] - turn.stages[before]
            for turn in turns
            if before in turn.stages and after in turn.stages
        )
        if lengths:
            steps[f"{before} -> {after}"] = round(nearest_rank(lengths, 0.5) * 1_000, 2)
    return steps
