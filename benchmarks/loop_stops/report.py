"""What the watch has written, put together."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.report import table

SHOWN_STEPS = 20
SHOWN_STOPS = 12
STOP_MS = 5.0


@dataclass(slots=True)
class Step:
    """All steps of one kind.

    Attributes:
        longest_s: CPU of the longest.
    """

    count: float = 0.0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    longest_s: float = 0.0


@dataclass(slots=True)
class Seen:
    """One loop, over some seconds.

    Attributes:
        ran_s: CPU of its thread.
        waited_s: For which that thread could have run and no core was free.
        late_ms: Of each tick.
        worst_ms: The latest tick of each second.
        steps: By what they are.
        stops: Ticks that were late by ``watch.LATE_S``.
        collections: Milliseconds of garbage collections by generation.
    """

    seconds: float = 0.0
    ran_s: float = 0.0
    waited_s: float = 0.0
    late_ms: list[float] = field(default_factory=list)
    worst_ms: list[float] = field(default_factory=list)
    steps: dict[str, Step] = field(default_factory=lambda: defaultdict(Step))
    stops: list[dict[str, Any]] = field(default_factory=list)
    collections: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))


def read(files: Iterable[Path], since: float, until: float) -> Seen:
    """What was written from ``since`` to ``until`` (UTC seconds), of the busiest process."""
    found = [_seen(file, since, until) for file in files]
    return max(found, key=lambda seen: seen.ran_s, default=Seen())


def _seen(file: Path, since: float, until: float) -> Seen:
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    lines = [line for line in lines if since <= line["at"] <= until]
    seen = Seen()
    if len(lines) < 2:
        return seen
    first, *rest = lines
    seen.seconds = rest[-1]["at"] - first["at"]
    seen.ran_s = rest[-1]["ran_s"] - first["ran_s"]
    seen.waited_s = rest[-1]["waited_s"] - first["waited_s"]
    for line in rest:
        seen.late_ms += line["late_ms"]
        seen.worst_ms.append(max(line["late_ms"], default=0.0))
        seen.stops += [stop for stop in line["stops"] if "late_ms" in stop]
        for generation, took_ms, _ in line["gc"]:
            seen.collections[generation].append(took_ms)
        for name, (count, wall_s, cpu_s, longest_s) in line["totals"].items():
            step = seen.steps[name]
            step.count += count
            step.wall_s += wall_s
            step.cpu_s += cpu_s
            step.longest_s = max(step.longest_s, longest_s)
    return seen


def share(values: Sequence[float], ratio: float) -> float:
    """The value below which so many lie; 0 of none."""
    ranked = sorted(values)
    return ranked[min(int(ratio * len(ranked)), len(ranked) - 1)] if ranked else 0.0


def why(stop: dict[str, Any]) -> str:
    """What most of a late tick's time was: ``core`` (none was free), ``work`` or ``lock``.

    ``lock`` is what neither ran nor waited for a core: for the interpreter, or for something that
    blocks.
    """
    late, waited, ran = stop["late_ms"], stop["waited_ms"], stop["ran_ms"]
    waited, ran = min(waited, late), min(ran, late)
    if waited >= late / 2:
        return "core"
    return "work" if ran >= late / 2 else "lock"


@dataclass(frozen=True, slots=True)
class Row:
    """One number of calls.

    Attributes:
        seen: Of the loop, while all of them were up.
        why_invalid: Why it does not count; empty when it does.
        callers_late_ms: The callers' own frames at P99; None when they have not told.
    """

    calls: int
    seen: Seen
    why_invalid: str = ""
    callers_late_ms: float | None = None


def summary(rows: Sequence[Row]) -> str:
    """A line for each number of calls, and the most that keep the target."""
    shown = []
    for row in rows:
        late = row.seen.late_ms
        quantiles = [f"{share(late, ratio):.1f}" for ratio in (0.5, 0.99, 1.0)]
        callers = "-" if row.callers_late_ms is None else f"{row.callers_late_ms:.1f}"
        ran = f"{row.seen.ran_s / row.seen.seconds:.0%}" if row.seen.seconds else "-"
        counts = row.why_invalid or ("yes" if late else "nothing was seen")
        shown.append((str(row.calls), str(len(late)), *quantiles, ran, callers, counts))
    kept = [
        row.calls
        for row in rows
        if row.seen.late_ms and not row.why_invalid and share(row.seen.late_ms, 0.99) < STOP_MS
    ]
    most = f"{max(kept)} calls" if kept else "no number of calls that counts"
    heads = ("calls", "ticks", "loop late ms P50", "P99", "most", "loop's CPU")
    return "\n".join(
        (
            table((*heads, "callers late ms P99", "counts"), shown),
            "",
            f"under {STOP_MS:.0f} ms late at P99: {most}",
        )
    )


def render(seen: Seen) -> str:
    """Markdown."""
    if not seen.seconds:
        return "Nothing was seen: did the product start?"
    per_s = 1e3 / seen.seconds
    lines = [
        f"{seen.seconds:.0f} s; the loop used {seen.ran_s * per_s:.0f} ms of CPU a second and "
        f"waited {seen.waited_s * per_s:.0f} ms a second for a core.",
        "",
        table(
            ("late, ms", "P50", "P95", "P99", "most"),
            [
                (name, *(f"{share(values, ratio):.1f}" for ratio in (0.5, 0.95, 0.99, 1.0)))
                for name, values in (
                    ("every tick of 20 ms", seen.late_ms),
                    ("the worst of each second", seen.worst_ms),
                )
            ],
        ),
        "",
        _stops(seen),
        "",
        table(
            ("steps of", "a second", "wall ms/s", "CPU ms/s", "longest, CPU ms"),
            [
                (
                    name,
                    f"{step.count / seen.seconds:.1f}",
                    f"{step.wall_s * per_s:.2f}",
                    f"{step.cpu_s * per_s:.2f}",
                    f"{step.longest_s * 1e3:.2f}",
                )
                for name, step in sorted(seen.steps.items(), key=lambda each: -each[1].cpu_s)
            ][:SHOWN_STEPS],
        ),
    ]
    return "\n".join(lines)


def _stops(seen: Seen) -> str:
    stops = [stop for stop in seen.stops if stop["late_ms"] > STOP_MS]
    kinds = Counter(why(stop) for stop in stops)
    collected = "; ".join(
        f"generation {generation}: {len(took)}, {max(took):.1f} ms the longest"
        for generation, took in sorted(seen.collections.items())
    )
    rows = [
        (
            f"{stop['late_ms']:.1f}",
            why(stop),
            f"{stop['ran_ms']:.1f}",
            f"{stop['waited_ms']:.1f}",
            ", ".join(f"{name} {took:.1f}" for name, _, took, *_ in stop["steps"][:3]),
        )
        for stop in sorted(stops, key=lambda stop: -stop["late_ms"])[:SHOWN_STOPS]
    ]
    return "\n".join(
        (
            f"{len(stops)} ticks were over {STOP_MS:.0f} ms late: {kinds['core']} for want of a "
            f"core, {kinds['work']} by work of the loop, {kinds['lock']} by a lock. "
            f"Garbage collections: {collected or 'none'}.",
            "",
            table(("late, ms", "why", "ran", "waited for a core", "steps, wall ms"), rows),
        )
    )
