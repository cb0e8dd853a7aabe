"""What told the ends of the turns: the record's line of each turn, put into a few kinds.

Only turns that were answered after their end are here; what is said about a turn that was cut is
what told its end the second time.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from cluster.evaluate.figures import Spread, headline, spread
from cluster.evaluate.turn_rows import TurnRow

_MODEL = re.compile(r"\bmodel (\d\.\d\d)")
_WORDS = re.compile(r"needed: ([^,)]*)")
_FACTOR = re.compile(r" x(\d+\.\d\d)$")
_SURE, _UNSURE = 0.9, 0.5


@dataclass(frozen=True, slots=True)
class Cause:
    """One kind of evidence.

    Attributes:
        taken: From the true end to the taking of the turn.
        latency: To the first frame.
    """

    name: str
    turns: int
    taken: Spread
    latency: Spread


def causes(rows: Sequence[TurnRow]) -> list[Cause]:
    """By kind of evidence, the commonest first; of people's turns only."""
    by_name: dict[str, list[TurnRow]] = defaultdict(list)
    for row in headline(rows):
        if row.reason and row.latency_s is not None:
            by_name[cause_of(row.reason)].append(row)
    found = [
        Cause(
            name,
            len(group),
            spread(row.taken_s for row in group if row.taken_s is not None),
            spread(row.latency_s for row in group if row.latency_s is not None),
        )
        for name, group in by_name.items()
    ]
    return sorted(found, key=lambda cause: -cause.turns)


def cause_of(reason: str) -> str:
    """The kind that a turn's line belongs to: last words, and what the end-of-turn model said."""
    words = _WORDS.search(reason)
    if words is None:
        return re.sub(r" ?(for )?\d+\.\d s| \(.*", "", reason)
    told = words[1]
    if "digits" in told:
        return "digits, as many as asked for" if _is_whole(told) else "digits, number unknown"
    if told.startswith("yes or no"):
        return "yes or no, as asked"
    factor = _FACTOR.search(told)
    weight = float(factor[1]) if factor else 1.0
    end = "an open end" if weight > 1.0 else "a closing end" if weight < 1.0 else "no known end"
    return f"{end}, {_model(reason)}"


def _is_whole(told: str) -> bool:
    heard, _, asked = told.partition(" of ")
    return asked != "" and int(heard) >= int(asked.split(" ")[0])


def _model(reason: str) -> str:
    said = _MODEL.search(reason)
    if said is None:
        return "no model"
    ratio = float(said[1])
    if ratio >= _SURE:
        return "model sure"
    return "model unsure" if ratio >= _UNSURE else "model against"


def render_causes(found: Sequence[Cause]) -> list[str]:
    """As a table."""
    lines = [
        "what told the end                  turns  taken ms: P50    P95   first frame P50    P95"
    ]
    lines += [
        f"{cause.name:<34} {cause.turns:>5}          {_ms(cause.taken.p50_ms):>6} "
        f"{_ms(cause.taken.p95_ms):>6}            {_ms(cause.latency.p50_ms):>6} "
        f"{_ms(cause.latency.p95_ms):>6}"
        for cause in found
    ]
    return lines


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
