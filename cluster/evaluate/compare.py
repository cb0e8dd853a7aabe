"""Two runs of the same turns: what changed, and whether it is more than chance.

Turns are paired by their ids: the same recording, the same pauses, the same luck. Cuts are held
against each other by McNemar's exact test on the turns that changed sides, latencies by a bootstrap
of the differences within pairs. A run with other turns cannot be compared.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cluster.errors import SettingsError
from cluster.evaluate.figures import HEADLINE, SLOTS
from cluster.evaluate.result import VERSION, Result

SIGNIFICANT = 0.05
_RESAMPLES = 2_000
_SAME = ("turns", "seed", "split", "recordings")


@dataclass(frozen=True, slots=True)
class Change:
    """What changed for some turns.

    Attributes:
        pairs: Turns of both runs.
        newly_cut, no_longer_cut: Turns that changed sides.
        cut_p: How likely that is by chance.
        mean_ms: Difference of latencies within pairs, and its interval at 95 %.
    """

    name: str
    pairs: int
    cut_before: float
    cut_after: float
    newly_cut: int
    no_longer_cut: int
    cut_p: float
    mean_ms: float | None
    interval_ms: tuple[float, float] | None
    p50_before_ms: float | None
    p50_after_ms: float | None

    @property
    def verdict(self) -> str:
        """In words."""
        return f"cuts {self._cuts()}, latency {self._latency()}"

    def _cuts(self) -> str:
        if self.cut_p >= SIGNIFICANT:
            return "no different"
        return "WORSE" if self.newly_cut > self.no_longer_cut else "better"

    def _latency(self) -> str:
        if self.interval_ms is None or self.interval_ms[0] <= 0.0 <= self.interval_ms[1]:
            return "no different"
        return "WORSE" if self.interval_ms[0] > 0.0 else "better"


def read_before(path: Path) -> dict[str, Any]:
    """A run that ``--json`` wrote. Raises ``SettingsError``."""
    try:
        before = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"--compare {path}: {error}") from None
    if not isinstance(before, dict) or before.get("version") != VERSION:
        raise SettingsError(f"--compare {path}: not a result of this command and version")
    return before


def compare(before: Mapping[str, Any], after: Result) -> list[Change]:
    """Hold ``after`` against ``before``. Raises ``SettingsError`` when they have other turns."""
    there, here = before["settings"], dict(after.settings)
    other = [name for name in _SAME if there.get(name) != here.get(name)]
    if other:
        said = ", ".join(f"--{name} {there.get(name)}" for name in other)
        raise SettingsError(f"--compare: the other run had other turns; run this one with {said}")
    old = {row["turn_id"]: row for row in before["turns"]}
    pairs = [(old[row.turn_id], row.as_dict()) for row in after.rows if row.turn_id in old]
    people = [pair for pair in pairs if pair[1]["kind"] in HEADLINE and not pair[1]["is_synthetic"]]
    groups = [("all", people)]
    groups += [(kind, [p for p in people if p[1]["kind"] == kind]) for kind in HEADLINE]
    groups.append(("slots", [p for p in people if p[1]["kind"] in SLOTS]))
    languages = sorted({p[1]["language"] for p in people})
    groups += [(name, [p for p in people if p[1]["language"] == name]) for name in languages]
    return [_change(name, group) for name, group in groups if group]


Pair = tuple[Mapping[str, Any], Mapping[str, Any]]


def _change(name: str, pairs: Sequence[Pair]) -> Change:
    newly = sum(b["is_cut"] and not a["is_cut"] for a, b in pairs)
    no_longer = sum(a["is_cut"] and not b["is_cut"] for a, b in pairs)
    both = [
        (a["latency_s"] * 1_000, b["latency_s"] * 1_000)
        for a, b in pairs
        if a["latency_s"] is not None and b["latency_s"] is not None
    ]
    differences = np.asarray([b - a for a, b in both])
    return Change(
        name=name,
        pairs=len(pairs),
        cut_before=sum(a["is_cut"] for a, _ in pairs) / len(pairs),
        cut_after=sum(b["is_cut"] for _, b in pairs) / len(pairs),
        newly_cut=newly,
        no_longer_cut=no_longer,
        cut_p=mcnemar(newly, no_longer),
        mean_ms=float(differences.mean()) if both else None,
        interval_ms=_interval(differences) if both else None,
        p50_before_ms=float(np.median([a for a, _ in both])) if both else None,
        p50_after_ms=float(np.median([b for _, b in both])) if both else None,
    )


def mcnemar(one_way: int, other_way: int) -> float:
    """How likely changes are as lopsided as these, or more, when neither way is likelier."""
    total, fewer = one_way + other_way, min(one_way, other_way)
    if total == 0:
        return 1.0
    tail = float(sum(math.comb(total, k) for k in range(fewer + 1)) / 2**total)
    return min(1.0, 2.0 * tail)


def _interval(differences: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[float, float]:
    picks = np.random.default_rng(1).integers(0, len(differences), (_RESAMPLES, len(differences)))
    means = np.sort(differences[picks].mean(axis=1))
    return float(means[int(_RESAMPLES * 0.025)]), float(means[int(_RESAMPLES * 0.975)])


def render_changes(changes: Sequence[Change]) -> str:
    """As a table."""
    lines = [
        "                        pairs  cut % before  after   changed sides      p"
        "   latency ms P50 before  after   mean of differences (95 %)"
    ]
    for change in changes:
        interval = change.interval_ms
        spread = "" if interval is None else f"({interval[0]:+.0f} to {interval[1]:+.0f})"
        sides = f"+{change.newly_cut} -{change.no_longer_cut}"
        lines.append(
            f"{change.name:<22} {change.pairs:>6}  {100 * change.cut_before:>12.1f}"
            f"  {100 * change.cut_after:>5.1f}   {sides:>13}  {change.cut_p:>5.3f}"
            f"   {_ms(change.p50_before_ms):>21}  {_ms(change.p50_after_ms):>5}"
            f"   {_ms(change.mean_ms, sign='+'):>6} {spread:<16} {change.verdict}"
        )
    return "\n".join(lines)


def _ms(value: float | None, sign: str = "") -> str:
    return "-" if value is None else format(value, f"{sign}.0f")
