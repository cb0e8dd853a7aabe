"""From measurements to the Markdown that people read; figures beside their targets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.phase import PhaseResult
from benchmarks.process_cost import (
    CALL_ACTORS,
    CALLERS,
    DIRECTORY,
    EMULATORS,
    HAPROXY,
    INGRESS,
    RAY,
    SERVER,
    server_part,
)
from benchmarks.results import StageResult, fits
from benchmarks.stats import Line
from benchmarks.verdicts import Verdict, verdicts

BEGIN = "<!-- bench:begin (written by make bench; edit around it) -->"
END = "<!-- bench:end -->"
_GROUPS = (*SERVER, EMULATORS, CALLERS)


def render(run: dict[str, Any], stages: Sequence[StageResult]) -> str:
    """The whole measurement as Markdown."""
    parts = [_head(run), _summary(verdicts(stages, _default_fits(stages)))]
    parts += [_not_valid(stages), _overhead(stages), _steps(stages)]
    for stage in stages:
        parts += [_calls(stage), _fit_table(stage)]
    parts += [_frames(stages, run["micro_us_per_frame"]), _setup(stages)]
    return "\n\n".join(part for part in parts if part) + "\n"


def write_between_markers(
    document: Path, table: str, *, begin_line: str = BEGIN, end_line: str = END
) -> None:
    """Put ``table`` between the markers of ``document``; what stands around them stays.

    A document without markers gets them at its end.
    """
    text = document.read_text("utf-8") if document.exists() else "# Benchmarks\n"
    before, begin, rest = text.partition(begin_line)
    _, end, after = rest.partition(end_line)
    if begin and not end:
        raise ValueError(f"{document}: {begin_line} without {end_line}; put the end marker back")
    head = before if begin else before.rstrip() + "\n\n"
    tail = after if begin else "\n"
    document.write_text(f"{head}{begin_line}\n\n{table}\n{end_line}{tail}", "utf-8")


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; floats with at most one decimal, None as a dash."""
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    lines += ["| " + " | ".join(_cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
    return str(value)


def _head(run: dict[str, Any]) -> str:
    machine, before, after = run["machine"], run["before"], run["after"]
    others = [
        f"{who['name']} {who['cpu_percent']:.0f} %" for who in (*before["others"], *after["others"])
    ]
    return (
        f"{machine['date']}, `{run['command']}`, {run['took_s'] / 60:.0f} min, on "
        f"{machine['cores']} cores ({machine['cpu']}), {machine['memory_gb']} GB, Python "
        f"{machine['python']}, Ray {machine['ray']}, Azure Speech SDK "
        f"{machine['azure_speech_sdk']}. Load average before "
        f"{_three(before['load_average'])}, after {_three(after['load_average'])}; pace "
        f"{before['pace_ms']} ms before, {after['pace_ms']} ms after. Also running: "
        f"{', '.join(others) or 'nothing above 2 % of a core'}."
    )


def _three(values: Sequence[float]) -> str:
    return " ".join(f"{value:.2f}" for value in values)


def _summary(found: Sequence[Verdict]) -> str:
    rows = [(v.figure, v.measured, v.target, v.verdict) for v in found]
    return "### Beside the targets\n\n" + table(("figure", "here", "target", ""), rows)


def _default_fits(stages: Sequence[StageResult]) -> dict[str, Line]:
    for stage in stages:
        if stage.plan.speculate and stage.of_kind("idle"):
            return fits(stage)
    return {}


def _not_valid(stages: Sequence[StageResult]) -> str:
    rows = [(s.plan.name, "all", _reason(s.failure)) for s in stages if s.failure]
    for stage in stages:
        rows += [
            (stage.plan.name, f"{p.plan.kind} x{p.plan.calls}", p.why_invalid)
            for p in stage.phases
            if not p.valid
        ]
    if not rows:
        return ""
    return "### Runs that do not count\n\n" + table(("product", "calls", "why"), rows)


def _reason(failure: str) -> str:
    """The last thing that a process said before it failed, where that is known."""
    lines = failure.splitlines()
    said = [line.removeprefix("  | ") for line in lines if line.startswith("  | ")]
    return (said or lines)[-1 if said else 0].replace("|", "/")


def _overhead(stages: Sequence[StageResult]) -> str:
    rows = []
    for stage in stages:
        for phase in stage.of_kind("talk"):
            if phase.turns is None:
                continue
            c = phase.turns.commit_to_frame
            ear = _load(phase, "response_latency")
            rows.append(
                (
                    stage.plan.name,
                    stage.plan.lags_in_words,
                    phase.plan.calls,
                    *(c.n, c.p50_ms, c.p95_ms, c.p99_ms, c.mean_ms),
                    *(ear.get("p50_ms"), ear.get("p95_ms")),
                    phase.pace_ms,
                    "yes" if phase.valid else "NO",
                )
            )
    if not rows:
        return ""
    quantiles = ("P50", "P95", "P99", "mean", "ear P50", "ear P95")
    header = ("product", "lags ms", "calls", "turns", *quantiles, "pace", "counts")
    return (
        "### Turn decided to first frame on the wire, ms\n\n"
        "By the product's own records; *ear* is the caller's view, true end of speech to audible. "
        "*Cold* does nothing before the turn is decided. *Pace* is the CPU time of one and the "
        "same small loop, ms, around the phase: compare rows at equal pace.\n\n"
        + table(header, rows)
    )


def _steps(stages: Sequence[StageResult]) -> str:
    cold = [
        (stage, phase)
        for stage in stages
        if not stage.plan.speculate
        for phase in stage.of_kind("talk")
        if phase.turns is not None and phase.turns.steps_ms
    ]
    if not cold:
        return ""
    steps = list(dict.fromkeys(name for _, p in cold if p.turns for name in p.turns.steps_ms))
    header = (
        "cold path, median ms",
        *(f"{s.plan.lags_in_words}, x{p.plan.calls}" for s, p in cold),
    )
    rows = [
        (step, *(p.turns.steps_ms.get(step) if p.turns else None for _, p in cold))
        for step in steps
    ]
    alone = dict.fromkeys(_alone(stage) for stage, _ in cold if stage.floor)
    return "### Where the cold path goes\n\n" + table(header, rows) + "".join(alone)


def _alone(stage: StageResult) -> str:
    token, speech = stage.floor["first_token"], stage.floor["first_speech"]
    return (
        f"\n\nThe emulators alone ({stage.plan.lags_in_words} ms), asked by a plain HTTP client "
        f"with no call up: first token after {token.p50_ms} ms (P95 {token.p95_ms}), first byte of "
        f"speech after {speech.p50_ms} ms (P95 {speech.p95_ms}). That much is not ours."
    )


def _calls(stage: StageResult) -> str:
    phases = [*stage.of_kind("idle"), *stage.of_kind("talk")]
    if not phases or not any(phase.cpu for phase in phases):
        return ""
    groups = (group.replace("_", " ") for group in _GROUPS)
    header = (
        "calls",
        "admitted",
        "server",
        *groups,
        "server MB",
        "per call-s",
        "unanswered",
        "holes (longest ms)",
        "late P99",
        "counts",
    )
    rows = []
    for p in phases:
        if p.cpu is None:
            continue  # its calls never were up together
        counts = p.load.get("counts", {})
        rows.append(
            (
                p.plan.calls,
                p.admitted,
                p.server_ms_per_s,
                *(p.cpu_ms_per_s(group) for group in _GROUPS),
                server_part(p.memory) if p.memory else None,
                p.server_ms_per_s / p.plan.calls if p.plan.calls and p.all_admitted else None,
                counts.get("turns_unanswered"),
                _holes(p),
                _load(p, "caller_lateness").get("p99_ms"),
                "yes" if p.valid else "NO",
            )
        )
    return (
        f"### CPU and memory: {stage.plan.name}\n\nMilliseconds of CPU in each second of the whole "
        "run of calls (1,000 is one core), memory as PSS.\n\n" + table(header, rows)
    )


def _holes(phase: PhaseResult) -> str | None:
    if not phase.load:
        return None
    longest_ms = _load(phase, "underrun").get("max_ms")
    count = phase.load["counts"]["underruns"]
    return f"{count} ({longest_ms:.0f})" if longest_ms else str(count)


def _fit_table(stage: StageResult) -> str:
    lines = fits(stage)
    names = ("server", *_GROUPS)
    rows = [
        (
            name.replace("_", " "),
            *(_parts(lines.get(f"cpu:{name}"))),
            *(_parts(lines.get(f"memory:{name}"))),
            _parts(lines.get(f"memory_again:{name}"))[0],
        )
        for name in names
        if f"cpu:{name}" in lines
    ]
    if not rows:
        return ""
    cpu = ("ms CPU per call-second", "idle ms/s", "r²")
    header = (
        f"fitted through {lines['cpu:server'].n} runs of 1 to 25 calls",
        *cpu,
        "MB per further call",
        "MB at rest",
        "r²",
        "MB again",
    )
    return f"#### Each further call: {stage.plan.name}\n\n" + table(header, rows)


def _parts(line: Line | None) -> tuple[float | None, float | None, float | None]:
    return (line.slope, line.intercept, line.r_squared) if line else (None, None, None)


def _frames(stages: Sequence[StageResult], micro: dict[str, float]) -> str:
    rows: list[tuple[object, ...]] = []
    for stage in stages:
        idle = next((p for p in stage.of_kind("idle") if p.cpu), None)
        for p in stage.of_kind("listen"):
            if p.cpu is None or not p.all_admitted:
                continue  # frames of calls that never were
            for group in (HAPROXY, INGRESS, CALL_ACTORS, DIRECTORY, RAY, EMULATORS, CALLERS):
                idle_ms = idle.cpu_ms_per_s(group) if idle else 0.0
                net = (p.cpu_ms_per_s(group) - idle_ms) * 1_000 / (50 * p.plan.calls)
                what = f"{group.replace('_', ' ')}{'' if p.valid else ' (NOT VALID)'}"
                rows.append((what, f"{p.plan.calls} calls", p.us_per_frame(group), net))
            frames = 50 * p.plan.calls * p.cpu.wall_s
            loop = p.cpu.ingress_loop_s * 1e6 / frames
            rows.append(("of the ingress: event loop", f"{p.plan.calls} calls", loop, None))
            rest = p.us_per_frame(INGRESS) - loop
            rows.append(
                ("of the ingress: SDK and Ray threads", f"{p.plan.calls} calls", rest, None)
            )
    rows += [(f"in process: {name.replace('_', ' ')}", "-", us, None) for name, us in micro.items()]
    if not rows:
        return ""
    header = ("part", "measured with", "µs of CPU per inbound frame", "less its idle cost")
    return "### CPU per inbound frame (calls that only listen)\n\n" + table(header, rows)


def _setup(stages: Sequence[StageResult]) -> str:
    rows = []
    for stage in stages:
        for p in stage.of_kind("setup"):
            for name, label in (
                ("voice_webhook", "webhook answered"),
                ("handshake", "media handshake"),
                ("first_frame", "call placed to first greeting frame"),
                ("greeting", "call placed to greeting audible"),
            ):
                d = _load(p, name)
                rows.append(
                    (
                        label,
                        *(d.get(name) for name in ("count", "p50_ms", "p95_ms", "max_ms")),
                        "yes" if p.valid else "NO",
                    )
                )
    if not rows:
        return ""
    return "### Set-up, ms\n\n" + table(("step", "calls", "P50", "P95", "max", "counts"), rows)


def _load(phase: PhaseResult, name: str) -> dict[str, Any]:
    return dict(phase.load.get("distributions", {}).get(name, {}))
