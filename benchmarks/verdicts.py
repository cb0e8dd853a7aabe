"""The figures to reach, and whether they were; a run that does not count reaches nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.phase import PhaseResult
from benchmarks.results import StageResult
from benchmarks.stats import Line

OVERHEAD_P50_MS = 15.0
OVERHEAD_P95_MS = 40.0
MEMORY_MB = 1.5
OVERHEAD_CALLS = 25
SOUND_CALLS = 20
HOLE_MS = 40.0
# The best-known Python framework, measured on like emulators.
PEER_CPU_MS = "130 to 217 (best-known Python framework)"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One figure beside its target."""

    figure: str
    measured: str
    target: str
    verdict: str


def verdicts(stages: Sequence[StageResult], lines: Mapping[str, Line]) -> list[Verdict]:
    """All figures that this run can tell; those it did not measure are said to be missing."""
    return [
        *_overhead(stages),
        _sound(stages),
        _per_call(lines, "memory:server", "memory for each further call, MB", MEMORY_MB),
        _per_call(lines, "memory:calls", "of it in processes that carry calls, MB", MEMORY_MB),
        _per_call(lines, "memory_again:server", "where as many were before, MB", MEMORY_MB),
        _per_call(lines, "cpu:server", "server CPU per call-second, ms", None),
        _most(stages),
    ]


def _overhead(stages: Sequence[StageResult]) -> list[Verdict]:
    found = []
    for stage in stages:
        if stage.plan.lags.think_s:
            continue
        talks = stage.of_kind("talk")
        phase = max(talks, key=lambda p: p.plan.calls, default=None)
        if phase is None or phase.turns is None:
            continue
        spread = phase.turns.commit_to_frame
        label = f"own overhead, {stage.plan.name}, {phase.plan.calls} calls, n {spread.n}"
        for name, value, limit in (
            ("P50", spread.p50_ms, OVERHEAD_P50_MS),
            ("P95", spread.p95_ms, OVERHEAD_P95_MS),
        ):
            reached = value is not None and value <= limit
            enough = phase.plan.calls >= OVERHEAD_CALLS
            found.append(
                Verdict(
                    f"{label}, {name}, ms",
                    "-" if value is None else f"{value:.1f}",
                    f"at most {limit:.0f} at {OVERHEAD_CALLS} calls",
                    _word(phase, reached) if enough else "not measured at 25 calls",
                )
            )
    return found


def _sound(stages: Sequence[StageResult]) -> Verdict:
    figure = f"{SOUND_CALLS} calls: unanswered turns; holes over {HOLE_MS:.0f} ms"
    target = "0; 0"
    for stage in stages:
        if not stage.plan.speculate or not stage.plan.lags.think_s:
            continue
        for phase in stage.of_kind("talk"):
            if phase.plan.calls == SOUND_CALLS and phase.load:
                unanswered, holes = unanswered_and_holes(phase)
                return Verdict(
                    figure,
                    f"{unanswered}; {holes or 0} (n {phase.load['counts']['turns']})",
                    target,
                    _word(phase, not unanswered and not holes),
                )
    return Verdict(figure, "-", target, "not measured")


def unanswered_and_holes(phase: PhaseResult) -> tuple[int, str]:
    """Unanswered turns, and how many holes above the limit (the report has quantiles only)."""
    counts = phase.load["counts"]
    underrun = phase.load["distributions"]["underrun"]
    longest_ms = underrun["max_ms"]
    if not counts["underruns"] or longest_ms is None or longest_ms <= HOLE_MS:
        return counts["turns_unanswered"], ""
    return counts["turns_unanswered"], f"some of {counts['underruns']}, longest {longest_ms} ms"


def _per_call(lines: Mapping[str, Line], name: str, figure: str, limit: float | None) -> Verdict:
    line = lines.get(name)
    target = PEER_CPU_MS if limit is None else f"at most {limit}"
    if line is None:
        return Verdict(figure, "-", target, "not measured")
    measured = (
        f"{line.slope:.2f} (idle {line.intercept:.0f}, r² {line.r_squared:.2f} of {line.n} points)"
    )
    if limit is None:
        return Verdict(figure, measured, target, "for scale")
    return Verdict(figure, measured, target, "reached" if line.slope <= limit else "NOT reached")


def _most(stages: Sequence[StageResult]) -> Verdict:
    """The most calls of a run that counts and in which nothing was lost."""
    good = [
        phase.plan.calls
        for stage in stages
        for phase in stage.of_kind("talk")
        if phase.valid and phase.load and unanswered_and_holes(phase) == (0, "")
    ]
    figure = "most calls of a run that counts, nothing unanswered, no hole"
    if not good:
        return Verdict(figure, "-", "20", "not measured")
    return Verdict(figure, str(max(good)), "20", "reached" if max(good) >= 20 else "NOT reached")


def _word(phase: PhaseResult, reached: bool) -> str:
    if not phase.valid:
        return f"NOT VALID: {phase.why_invalid}"
    return "reached" if reached else "NOT reached"
