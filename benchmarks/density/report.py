"""What each further call costs, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.density.verdicts import ALL, verdicts
from benchmarks.phase import PhaseResult
from benchmarks.process_cost import CALL_ACTORS, DIRECTORY, HAPROXY, INGRESS, RAY
from benchmarks.report import table
from benchmarks.results import CARRIERS, StageResult, fits

BEGIN = "<!-- density:begin (written by make bench-density; edit around it) -->"
END = "<!-- density:end -->"
_LINES = (
    ("server", "server"),
    (HAPROXY, "HAProxy"),
    (INGRESS, "ingress"),
    (CALL_ACTORS, "CallActor"),
    (DIRECTORY, "directory"),
    (RAY, "rest of Ray"),
    ("calls", "the first four"),
)
_STEP_HEADER = (
    "calls",
    "server",
    "HAProxy",
    "ingress",
    "of it its loop",
    "CallActor",
    "rest",
    "call-second",
    "MB",
    "decided to frame P50",
    "P95",
    "ear P50",
    "P95",
    "late P99",
    "pace",
    "counts",
)


def render(run: dict[str, Any], stages: Sequence[StageResult]) -> str:
    """All stages of one run."""
    rows = [(v.figure, v.measured, v.target, v.verdict) for v in verdicts(stages)]
    parts = [_head(run), table(("figure", "here", "target", ""), rows)]
    for stage in stages:
        parts += [_steps(stage), _fitted(stage), _setup(stage)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(run: dict[str, Any]) -> str:
    machine, before, after = run["machine"], run["before"], run["after"]
    product, others = run["cores"]
    where = (
        f"the product on core {_names(product)}, callers and emulators on core {_names(others)}"
        if product
        else "product, callers and emulators on all cores"
    )
    return (
        f"{machine['date']}, `{run['command']}`, {run['took_s'] / 60:.0f} min, "
        f"{machine['cores']} cores ({machine['cpu']}), {where}; Python {machine['python']}, Ray "
        f"{machine['ray']}. Load average {before['load_average'][0]:.2f} before, "
        f"{after['load_average'][0]:.2f} after; pace {before['pace_ms']} ms before, "
        f"{after['pace_ms']} ms after."
    )


def _names(cores: Sequence[int]) -> str:
    return ", ".join(str(core) for core in cores)


def _steps(stage: StageResult) -> str:
    title = f"### {stage.plan.name} (providers {stage.plan.lags_in_words} ms)"
    if stage.failure:
        return f"{title}\n\nDid not run: {stage.failure.splitlines()[0]}"
    phases = [*stage.of_kind("idle"), *stage.of_kind("talk")]
    rows = [_step(phase) for phase in phases if phase.cpu is not None]
    if not rows:
        return ""
    reasons = [f"- {p.plan.calls} calls: {p.why_invalid}" for p in phases if not p.valid]
    return "\n\n".join(
        [
            title,
            "CPU in milliseconds a second, of the processes' own counters; memory as PSS of "
            "HAProxy, ingress, CallActor and directory; delays in ms.",
            table(_STEP_HEADER, rows),
            *(["Steps that do not count:\n\n" + "\n".join(reasons)] if reasons else []),
        ]
    )


def _step(phase: PhaseResult) -> tuple[object, ...]:
    calls, cpu = phase.plan.calls, phase.cpu
    loop_ms = cpu.ingress_loop_s * 1_000 / cpu.wall_s if cpu else 0.0
    rest_ms = phase.cpu_ms_per_s(DIRECTORY) + phase.cpu_ms_per_s(RAY)
    frame = phase.turns.commit_to_frame if phase.turns else None
    distributions = phase.load.get("distributions", {})
    ear = distributions.get("response_latency", {})
    return (
        calls,
        phase.server_ms_per_s,
        phase.cpu_ms_per_s(HAPROXY),
        phase.cpu_ms_per_s(INGRESS),
        loop_ms,
        phase.cpu_ms_per_s(CALL_ACTORS),
        rest_ms,
        phase.server_ms_per_s / calls if calls and phase.all_admitted else None,
        sum(phase.memory.get(group, 0.0) for group in CARRIERS),
        frame.p50_ms if frame else None,
        frame.p95_ms if frame else None,
        ear.get("p50_ms"),
        ear.get("p95_ms"),
        distributions.get("caller_lateness", {}).get("p99_ms"),
        phase.pace_ms,
        "yes" if phase.valid else "NO",
    )


def _fitted(stage: StageResult) -> str:
    lines = fits(stage, ALL)
    rows = []
    for group, label in _LINES:
        cpu, memory = lines.get(f"cpu:{group}"), lines.get(f"memory:{group}")
        if cpu or memory:
            rows.append(
                (
                    label,
                    *((cpu.slope, cpu.intercept, cpu.r_squared) if cpu else (None,) * 3),
                    *((memory.slope * 1e3, memory.intercept) if memory else (None,) * 2),
                    memory.r_squared if memory else None,
                )
            )
    if not rows:
        return ""
    header = ("each further call", "ms CPU per call-second", "idle ms/s", "r²")
    return table((*header, "kB", "MB at rest", "r²"), rows)


def _setup(stage: StageResult) -> str:
    rows = []
    for phase in stage.of_kind("setup"):
        for name, label in (
            ("voice_webhook", "webhook answered"),
            ("handshake", "media handshake"),
            ("first_frame", "call placed to first greeting frame"),
            ("greeting", "call placed to greeting audible"),
        ):
            found = phase.load.get("distributions", {}).get(name, {})
            quantiles = (found.get(key) for key in ("count", "p50_ms", "p95_ms", "max_ms"))
            rows.append((label, *quantiles, "yes" if phase.valid else "NO"))
    return table(("set-up, ms", "calls", "P50", "P95", "max", "counts"), rows) if rows else ""
