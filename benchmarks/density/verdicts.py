"""The figures to reach, beside what was measured."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.density.plan import NEW_CALLS_A_SECOND
from benchmarks.phase import PhaseResult
from benchmarks.results import StageResult, fits
from benchmarks.verdicts import Verdict

CPU_MS = {"deepgram": 15.0, "azure": 30.0}
CPU_STRETCH_MS = {"deepgram": 10.0}
MEMORY_KB = 200.0  # without the vendor's SDK: the websocket recogniser has none
MEMORY_WITH_SDK_KB = 1_500.0
OVERHEAD_P95_MS = 20.0
OVERHEAD_CALLS = 50
GREETING_P95_MS = 60.0
LAG_P99_MS = 5.0
ALL = range(1, 10_000)


def verdicts(stages: Sequence[StageResult]) -> list[Verdict]:
    """All figures that these stages can tell."""
    found: list[Verdict] = []
    for stage in stages:
        name = stage.plan.recogniser
        if stage.plan.lags.think_s and len(stage.of_kind("talk")) > 1:
            found += [_cpu(stage, name), _memory(stage, name)]
        if not stage.plan.lags.think_s:
            found.append(_overhead(stage, name))
        found += [_greeting(phase, name) for phase in stage.of_kind("setup")]
        found += _lag(stage, name)
    return found


def _cpu(stage: StageResult, name: str) -> Verdict:
    line, limit = fits(stage, ALL).get("cpu:server"), CPU_MS[name]
    stretch = CPU_STRETCH_MS.get(name)
    target = f"at most {limit:.0f}" + (f" ({stretch:.0f})" if stretch else "")
    figure = f"CPU of the server per call-second, {name}, ms"
    if line is None:
        return Verdict(figure, "-", target, "not measured")
    measured = f"{line.slope:.2f} (idle {line.intercept:.0f}, r² {line.r_squared:.3f}, n {line.n})"
    return Verdict(figure, measured, target, _reached(line.slope <= limit))


def _memory(stage: StageResult, name: str) -> Verdict:
    """In the processes that carry calls: Ray's own grow and shrink with their own affairs."""
    line = fits(stage, ALL).get("memory:calls")
    limit = MEMORY_KB if name == "deepgram" else MEMORY_WITH_SDK_KB
    figure = f"memory for each further call, {name}, kB"
    if line is None:
        return Verdict(figure, "-", f"at most {limit:,.0f}", "not measured")
    kb = line.slope * 1_000
    measured = f"{kb:.0f} (r² {line.r_squared:.3f})"
    return Verdict(figure, measured, f"at most {limit:,.0f}", _reached(kb <= limit))


def _overhead(stage: StageResult, name: str) -> Verdict:
    phase = max(stage.of_kind("talk"), key=lambda p: p.plan.calls, default=None)
    calls = phase.plan.calls if phase else 0
    figure = f"turn decided to first frame, {name}, {calls} calls, P95, ms"
    target = f"at most {OVERHEAD_P95_MS:.0f} at {OVERHEAD_CALLS} calls"
    p95_ms = phase.turns.commit_to_frame.p95_ms if phase and phase.turns else None
    if phase is None or p95_ms is None:
        return Verdict(figure, "-", target, "not measured")
    if calls < OVERHEAD_CALLS:
        return Verdict(figure, f"{p95_ms:.1f}", target, f"not at {OVERHEAD_CALLS} calls")
    return Verdict(figure, f"{p95_ms:.1f}", target, _word(phase, p95_ms <= OVERHEAD_P95_MS))


def _greeting(phase: PhaseResult, name: str) -> Verdict:
    """To its first frame: how long a voice is silent before it speaks is not the product's."""
    greeting = phase.load.get("distributions", {}).get("first_frame", {})
    p95_ms = greeting.get("p95_ms")
    figure = (
        f"call placed to first greeting frame, {NEW_CALLS_A_SECOND} new calls a second, {name}, "
        "P95, ms"
    )
    target = f"at most {GREETING_P95_MS:.0f}"
    if p95_ms is None:
        return Verdict(figure, "-", target, "not measured")
    measured = f"{p95_ms:.1f} (n {greeting.get('count')})"
    return Verdict(figure, measured, target, _word(phase, p95_ms <= GREETING_P95_MS))


def _lag(stage: StageResult, name: str) -> list[Verdict]:
    """Of a stage with one step only: the product tells quantiles over its whole life."""
    talks = stage.of_kind("talk")
    if len(talks) != 1 or not talks[0].loop_lag_s.get("ingress"):
        return []
    late_ms = {q: s * 1_000 for q, s in talks[0].loop_lag_s["ingress"].items()}
    p50, p95, p99 = (late_ms.get(q, 0.0) for q in ("0.5", "0.95", "0.99"))
    figure = f"event loop of the ingress late, worst of a second, {talks[0].plan.calls} calls"
    measured = f"{p50:.1f} / {p95:.1f} / {p99:.1f}"
    verdict = _word(talks[0], p99 <= LAG_P99_MS)
    target = f"P99 at most {LAG_P99_MS:.0f}"
    return [Verdict(f"{figure}, {name}, P50 / P95 / P99, ms", measured, target, verdict)]


def _word(phase: PhaseResult, reached: bool) -> str:
    return _reached(reached) if phase.valid else f"NOT VALID: {phase.why_invalid}"


def _reached(reached: bool) -> str:
    return "reached" if reached else "NOT reached"
