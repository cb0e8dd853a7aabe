"""One setting at many values: the curve of latency against turns cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cluster.evaluate.figures import Share, TurnFigures
from cluster.evaluate.replay_run import ReplayRun
from cluster.evaluate.result import Result


@dataclass(frozen=True, slots=True)
class Point:
    """One value of the setting and what it gives."""

    value: float
    figures: TurnFigures
    slots: TurnFigures | None
    false_stops: Share

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Sweep:
    """The curve of one setting."""

    name: str
    points: tuple[Point, ...]
    settings: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    def render(self) -> str:
        """As a table."""
        lines = [
            f"{self.name:>24}   cut %  (95 %)         mean    P50    P90    P95    P99 ms"
            "   slots: cut %   P50   P95   hit %  waste %"
        ]
        for point in self.points:
            latency, cut, slots = point.figures.latency, point.figures.cut, point.slots
            interval = f"({100 * cut.low:.1f}-{100 * cut.high:.1f})"
            times = (
                latency.mean_ms,
                latency.p50_ms,
                latency.p90_ms,
                latency.p95_ms,
                latency.p99_ms,
            )
            lines.append(
                f"{point.value:>24g}  {_percent(cut):>6}  {interval:<13}"
                + "".join(f" {_ms(value):>6}" for value in times)
                + (
                    f"      {_percent(slots.cut):>12} {_ms(slots.latency.p50_ms):>5}"
                    f" {_ms(slots.latency.p95_ms):>5}"
                    if slots
                    else " " * 30
                )
                + f"  {_percent(point.figures.hits):>6}  {_percent(point.figures.wasted):>7}"
            )
        return "\n".join(lines)


def sweep(
    run: ReplayRun,
    name: str,
    values: Sequence[float],
    on_point: Callable[[int], None] | None = None,
) -> Sweep:
    """Replay the same calls with each value of the setting ``name``."""
    points: list[Point] = []
    settings: dict[str, str] = {}
    for number, value in enumerate(values):
        result: Result = run.replay({name: value})
        settings = {key: text for key, text in result.settings.items() if key != name}
        points.append(Point(value, result.all, result.table("slots"), result.talk_over.false_stops))
        if on_point is not None:
            on_point(number + 1)
    return Sweep(name, tuple(points), settings)


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _percent(share: Share) -> str:
    return "-" if share.ratio is None else f"{100 * share.ratio:.1f}"
