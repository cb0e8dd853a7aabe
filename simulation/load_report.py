"""What a run of simulated calls showed: distributions, counts, and whether to believe them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from io import StringIO
from typing import Any

from rich.console import Console
from rich.table import Table

from simulation.caller_call import CallResult
from simulation.caller_events import TurnMeasured
from simulation.carrier_ticker import Lateness

# Above this the 20 ms clock of the caller is no longer the network's, and latencies are its own.
LATENESS_LIMIT_S = 0.005


@dataclass(frozen=True, slots=True)
class Distribution:
    """A set of durations in milliseconds (reports are for people); None when there was none."""

    count: int = 0
    mean_ms: float | None = None
    p50_ms: float | None = None
    p90_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None


def distribution(values_s: Sequence[float]) -> Distribution:
    """Describe durations given in seconds; quantiles by nearest rank."""
    if not values_s:
        return Distribution()
    ordered = sorted(value * 1_000 for value in values_s)

    def rank(q: float) -> float:
        return round(ordered[max(0, math.ceil(q * len(ordered)) - 1)], 2)

    mean = math.fsum(ordered) / len(ordered)
    return Distribution(
        len(ordered), round(mean, 2), rank(0.5), rank(0.9), rank(0.95), rank(0.99), rank(1.0)
    )


def lateness_distribution(lateness: Lateness) -> Distribution:
    """Describe how late the caller's own frames were."""

    def quantile(q: float) -> float:
        return round(lateness.quantile_s(q) * 1_000, 3)

    return Distribution(
        lateness.total,
        round(lateness.mean_s * 1_000, 3),
        quantile(0.5),
        quantile(0.9),
        quantile(0.95),
        quantile(0.99),
        round(lateness.max_s * 1_000, 3),
    )


@dataclass(frozen=True, slots=True)
class Effort:
    """What the run cost the caller.

    Attributes:
        wall_s: From first to last call.
        cpu_s: CPU of the caller's process, user and system.
        lateness: Of every 20 ms frame.
        is_nice: The scheduler gave the process a better place.
    """

    wall_s: float
    cpu_s: float
    lateness: Lateness
    is_nice: bool


@dataclass(frozen=True, slots=True)
class LoadReport:
    """A run. Durations are milliseconds, shares are percent.

    Attributes:
        valid: False when the caller itself was too late for its figures to be believed.
        why_invalid: In one sentence; empty when valid.
        counts: Calls, turns, frames and so on, by name.
        percent: Shares, by name.
        distributions: By name.
        violations: What the server did against the protocol, by Twilio's error code.
        errors: What the carrier would log otherwise, by Twilio's error code.
        details: The first few of both, in words.
    """

    seed: int
    concurrent: int
    valid: bool
    why_invalid: str
    wall_s: float
    cpu_ms_per_call_second: float
    counts: dict[str, int]
    percent: dict[str, float]
    distributions: dict[str, Distribution]
    violations: dict[str, int]
    errors: dict[str, int]
    details: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"version": 1, **asdict(self)}


def build_report(
    seed: int, concurrent: int, results: Sequence[CallResult], effort: Effort
) -> LoadReport:
    """Add up the calls of a run."""
    turns = [turn for result in results for turn in result.turns]
    lateness = lateness_distribution(effort.lateness)
    why_invalid = _why_invalid(lateness, results)
    call_seconds = sum(result.leg.duration_s for result in results)
    counts = _counts(results, turns)
    return LoadReport(
        seed=seed,
        concurrent=concurrent,
        valid=not why_invalid,
        why_invalid=why_invalid,
        wall_s=round(effort.wall_s, 3),
        cpu_ms_per_call_second=round(effort.cpu_s * 1_000 / max(call_seconds, 1e-9), 3),
        counts=counts,
        percent=_percent(counts),
        distributions={
            "response_latency": distribution(_known(turn.latency_s for turn in turns)),
            "barge_in_stop": distribution(_known(turn.barge_in_stop_s for turn in turns)),
            "greeting": distribution(_known(result.greeting_s for result in results)),
            "voice_webhook": distribution(_known(result.leg.webhook_s for result in results)),
            "handshake": distribution(_all(result.leg.handshake_s for result in results)),
            "stream_gap": distribution(_all(result.leg.stream_gaps_s for result in results)),
            "underrun": distribution(_all(result.leg.underruns_s for result in results)),
            "caller_lateness": lateness,
        },
        violations=_by_code(result.leg.violations.counts for result in results),
        errors=_by_code(result.leg.errors.counts for result in results),
        details=_details(results),
    )


def _why_invalid(lateness: Distribution, results: Sequence[CallResult]) -> str:
    p99_ms = lateness.p99_ms
    if p99_ms is None or not lateness.count:
        return "no frame was sent: no call reached its stream" if results else "no call was placed"
    if p99_ms < LATENESS_LIMIT_S * 1_000:
        return ""
    return (
        f"the caller's own frames were {p99_ms:.1f} ms late at P99"
        f" (limit {LATENESS_LIMIT_S * 1_000:.0f} ms): this machine was too busy to measure with"
    )


def _counts(results: Sequence[CallResult], turns: Sequence[TurnMeasured]) -> dict[str, int]:
    legs = [result.leg for result in results]
    status = Counter(leg.status for leg in legs)
    outcome = Counter(turn.outcome for turn in turns)
    return {
        "calls": len(results),
        "calls_completed": status["completed"],
        "calls_busy": status["busy"],
        "calls_no_answer": status["no-answer"],
        "calls_failed": status["failed"],
        "calls_ended_by_agent": sum(leg.ended_by == "agent" for leg in legs),
        "calls_ended_by_error": sum(leg.ended_by == "error" for leg in legs),
        "calls_without_stream": sum(not leg.streams for leg in legs),
        "calls_not_greeted": sum(result.greeting_s is None for result in results),
        "streams": sum(leg.streams for leg in legs),
        "resumes": sum(len(leg.stream_gaps_s) for leg in legs),
        "turns": len(turns),
        "turns_answered": outcome["answered"],
        "turns_premature": outcome["premature"],
        "turns_unanswered": outcome["unanswered"],
        "turns_open_at_end": outcome["call_ended"],
        "cut_ins": sum(turn.cut_in for turn in turns),
        "words_cut": sum(turn.words_cut for turn in turns),
        "interruptions": sum(turn.barge_in_stop_s is not None for turn in turns),
        "underruns": sum(len(leg.underruns_s) for leg in legs),
        "frames_sent": sum(leg.frames_sent for leg in legs),
        "media_received": sum(leg.media_received for leg in legs),
        "heard_ms": round(sum(leg.heard_s for leg in legs) * 1_000),
        "cleared_ms": round(sum(leg.cleared_s for leg in legs) * 1_000),
        "callbacks_refused": sum(leg.callbacks_refused for leg in legs),
        "violations": sum(leg.violations.counts.total() for leg in legs),
        "errors": sum(leg.errors.counts.total() for leg in legs),
    }


def _percent(counts: dict[str, int]) -> dict[str, float]:
    def share(part: str, whole: str) -> float:
        return round(100 * counts[part] / counts[whole], 2) if counts[whole] else 0.0

    # A turn still open when the call ended says nothing about the server.
    judged = counts["turns"] - counts["turns_open_at_end"]
    counts = {**counts, "judged": judged}
    return {
        "calls_completed": share("calls_completed", "calls"),
        "turns_answered": share("turns_answered", "judged"),
        "turns_unanswered": share("turns_unanswered", "judged"),
        "turns_premature": share("turns_premature", "judged"),
        "cut_ins": share("cut_ins", "turns"),
    }


def _known(values: Any) -> list[float]:
    return [value for value in values if value is not None]


def _all(lists: Any) -> list[float]:
    return [value for each in lists for value in each]


def _by_code(counters: Any) -> dict[str, int]:
    total: Counter[int] = Counter()
    for counter in counters:
        total.update(counter)
    return {str(code): count for code, count in sorted(total.items())}


def _details(results: Sequence[CallResult], at_most: int = 20) -> tuple[str, ...]:
    seen: dict[str, None] = {}
    for result in results:
        for finding in (*result.leg.violations.details, *result.leg.errors.details):
            seen.setdefault(f"{finding.code}: {finding.detail}")
    return tuple(seen)[:at_most]


_ROWS = (
    ("response_latency", "response latency (true end of speech to audible)"),
    ("barge_in_stop", "barge-in (onset to silence)"),
    ("greeting", "call placed to greeting audible"),
    ("voice_webhook", "voice webhook"),
    ("handshake", "media handshake"),
    ("stream_gap", "gap at a hand-over"),
    ("underrun", "underrun (hole in a reply)"),
    ("caller_lateness", "lateness of the caller itself"),
)


def render_summary(report: LoadReport) -> str:
    """The report as a table for a terminal, about 100 columns, plain text."""
    out = StringIO()
    console = Console(file=out, width=100, force_terminal=False, color_system=None)
    if not report.valid:
        console.print(f"NOT VALID: {report.why_invalid}\n")
    counts, percent = report.counts, report.percent
    console.print(
        f"{counts['calls']} calls, {report.concurrent} at once, {report.wall_s:.1f} s;"
        f" {counts['calls_completed']} completed ({percent['calls_completed']:.1f} %),"
        f" {counts['calls_failed']} failed, {counts['calls_busy']} refused as busy,"
        f" {counts['resumes']} resumed"
    )
    console.print(
        f"{counts['turns']} turns: {percent['turns_answered']:.1f} % answered,"
        f" {counts['turns_unanswered']} unanswered, {counts['cut_ins']} cut-ins"
        f" ({percent['cut_ins']:.1f} %, {counts['words_cut']} words),"
        f" {counts['underruns']} underruns"
    )
    table = Table("ms", "n", "mean", "P50", "P90", "P95", "P99", "max")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, label in _ROWS:
        row = report.distributions[name]
        numbers = (row.mean_ms, row.p50_ms, row.p90_ms, row.p95_ms, row.p99_ms, row.max_ms)
        table.add_row(label, str(row.count), *("-" if n is None else f"{n:.1f}" for n in numbers))
    console.print(table)
    for name, found in (("violations", report.violations), ("errors", report.errors)):
        listed = ", ".join(f"{code} x{count}" for code, count in found.items())
        console.print(f"{name}: {listed or 'none'}")
    for detail in report.details:
        console.print(f"  {detail}", markup=False)
    console.print(f"caller: {report.cpu_ms_per_call_second:.2f} ms of CPU per call-second")
    return out.getvalue()
