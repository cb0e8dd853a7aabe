"""From turns to the figures that people compare: always a latency *and* a share of turns cut.

Shares have Wilson intervals, means and quantiles bootstrap ones, both at 95 %. They say how much a
figure would move with other turns *of these recordings*; about other speakers they say nothing, and
with few recordings that is the larger part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from cluster.evaluate.turn_rows import TurnRow

_Z = 1.96
_RESAMPLES = 400
QUANTILES = (0.5, 0.9, 0.95, 0.99)
HEADLINE = ("plain", "paused", "natural", "digits", "yes_no")
SLOTS = ("digits", "yes_no")


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many, with an interval; ``ratio`` is None of none."""

    count: int
    of: int
    ratio: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Durations in milliseconds; intervals are ``(low, high)``."""

    count: int
    mean_ms: float | None = None
    p50_ms: float | None = None
    p90_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    mean_interval_ms: tuple[float, float] | None = None
    p50_interval_ms: tuple[float, float] | None = None
    p95_interval_ms: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class TurnFigures:
    """One line of the table.

    Attributes:
        cut, cut_heard: See ``turn_rows``.
        latency: Of the turns that were answered after their end, and ten seconds for the
            unanswered.
        taken: From the true end to the taking of the turn.
        commit_to_frame: Engine time.
        held_to_frame: The same where the first audio of the reply was held already.
        cached_to_frame: Engine time where the response cache answered; only of live runs.
        held_to_sent: Of held replies, until the carrier's socket had taken the frame; only of live
            runs.
        hits: Turns whose reply was prepared before they were taken.
        wasted: Questions to the language model whose answer was not used, of all questions.
    """

    name: str
    turns: int
    cut: Share
    cut_heard: Share
    premature: int
    unanswered: int
    latency: Spread
    commit_to_frame: Spread
    hits: Share
    wasted: Share
    taken: Spread
    held_to_frame: Spread
    held_to_sent: Spread
    cached_to_frame: Spread

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def share(count: int, of: int) -> Share:
    """A share with its Wilson interval at 95 %."""
    if of == 0:
        return Share(0, 0, None, 0.0, 1.0)
    ratio, square = count / of, _Z * _Z
    middle = (ratio + square / (2 * of)) / (1 + square / of)
    half = _Z * math.sqrt(ratio * (1 - ratio) / of + square / (4 * of * of)) / (1 + square / of)
    return Share(count, of, ratio, max(0.0, middle - half), min(1.0, middle + half))


def quantile(ordered: Sequence[float], q: float) -> float:
    """Nearest rank, as everywhere in this project."""
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)]


def spread(values_s: Iterable[float], seed: int = 1) -> Spread:
    """Describe durations given in seconds."""
    ordered = sorted(value * 1_000 for value in values_s)
    if not ordered:
        return Spread(0)
    array = np.asarray(ordered)
    picks = np.random.default_rng(seed).integers(0, len(array), (_RESAMPLES, len(array)))
    drawn = np.sort(array[picks], axis=1)

    def interval(of: Callable[[np.ndarray[Any, Any]], Any]) -> tuple[float, float]:
        found = np.sort(of(drawn))
        return round(float(found[10]), 1), round(float(found[-11]), 1)

    def rank(q: float) -> int:
        return max(0, math.ceil(q * len(ordered)) - 1)

    p50, p90, p95, p99 = (round(quantile(ordered, q), 1) for q in QUANTILES)
    return Spread(
        len(ordered),
        round(math.fsum(ordered) / len(ordered), 1),
        p50,
        p90,
        p95,
        p99,
        interval(lambda rows: rows.mean(axis=1)),
        interval(lambda rows: rows[:, rank(0.5)]),
        interval(lambda rows: rows[:, rank(0.95)]),
    )


def turn_figures(name: str, rows: Sequence[TurnRow]) -> TurnFigures:
    """Add up some turns."""
    hits = [row.is_hit for row in rows if row.is_hit is not None]
    return TurnFigures(
        name=name,
        turns=len(rows),
        cut=share(sum(row.is_cut for row in rows), len(rows)),
        cut_heard=share(sum(row.is_cut_heard for row in rows), len(rows)),
        premature=sum(row.is_premature for row in rows),
        unanswered=sum(row.is_unanswered for row in rows),
        latency=spread(row.latency_s for row in rows if row.latency_s is not None),
        commit_to_frame=spread(
            row.commit_to_frame_s for row in rows if row.commit_to_frame_s is not None
        ),
        hits=share(sum(hits), len(hits)),
        wasted=share(sum(row.wasted for row in rows), sum(row.asked for row in rows)),
        taken=spread(row.taken_s for row in rows if row.taken_s is not None),
        held_to_frame=spread(
            row.commit_to_frame_s
            for row in rows
            if row.is_held and row.commit_to_frame_s is not None
        ),
        held_to_sent=spread(
            row.commit_to_sent_s for row in rows if row.is_held and row.commit_to_sent_s is not None
        ),
        cached_to_frame=spread(
            row.commit_to_frame_s
            for row in rows
            if row.is_cached and row.commit_to_frame_s is not None
        ),
    )


def headline(rows: Sequence[TurnRow]) -> list[TurnRow]:
    """The turns that count: people, not talking over the agent."""
    return [row for row in rows if row.kind in HEADLINE and not row.is_synthetic]


def turn_tables(rows: Sequence[TurnRow]) -> list[TurnFigures]:
    """All turns of people, then by kind, by language and by noise; then the synthetic ones."""
    people = headline(rows)
    tables = [turn_figures("all", people)]
    tables += _by(people, "kind", HEADLINE)
    slots = [row for row in people if row.kind in SLOTS]
    if slots:
        tables.append(turn_figures("slots", slots))
    tables += _by(people, "language")
    tables += _by(people, "noise")
    tables += _by(people, "network")
    over = [row for row in rows if row.kind == "interruption" and not row.is_synthetic]
    if over:
        tables.append(turn_figures("interruptions", over))
    made = [row for row in rows if row.is_synthetic and row.kind in HEADLINE]
    for field in ("language", "kind"):
        tables += [replace(each, name=f"synthetic {each.name}") for each in _by(made, field)]
    return tables


def _by(rows: Sequence[TurnRow], field: str, order: Sequence[str] = ()) -> list[TurnFigures]:
    names = {str(getattr(row, field)) for row in rows}
    ordered = [name for name in order if name in names] or sorted(names)
    return [
        turn_figures(name, [row for row in rows if str(getattr(row, field)) == name])
        for name in ordered
    ]
