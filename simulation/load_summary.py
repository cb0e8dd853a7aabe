"""The report of a run as text for a terminal."""

from __future__ import annotations

from io import StringIO

from rich.console import Console
from rich.table import Table

from simulation.load_report import LoadReport

_ROWS = (
    ("response_latency", "response latency (true end of speech to audible)"),
    ("barge_in_stop", "barge-in (onset to silence)"),
    ("first_frame", "call placed to first frame of the greeting"),
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
        console.print("NOT VALID")
        for reason in report.reasons:
            console.print(f"  - {reason}", markup=False)
        console.print()
    _print_calls(console, report)
    console.print(_durations(report))
    for name, found in (("violations", report.violations), ("errors", report.errors)):
        listed = ", ".join(f"{code} x{count}" for code, count in found.items())
        console.print(f"{name}: {listed or 'none'}")
    for detail in report.details:
        console.print(f"  {detail}", markup=False)
    console.print(f"caller: {report.cpu_ms_per_call_second:.2f} ms of CPU per call-second")
    return out.getvalue()


def _print_calls(console: Console, report: LoadReport) -> None:
    counts, percent = report.counts, report.percent
    console.print(
        f"offered:  {counts['calls_offered']} calls, {report.concurrent} lines,"
        f" {report.wall_s:.1f} s; {counts['calls_admitted']} admitted"
        f" ({percent['calls_admitted']:.1f} %), {counts['calls_refused']} refused,"
        f" {counts['calls_failed']} failed"
    )
    console.print(
        f"admitted: at most {counts['calls_at_once']} at once;"
        f" {counts['calls_completed']} completed, {counts['calls_ended_early']} ended early by the"
        f" server, {counts['resumes']} streams resumed"
    )
    if counts["calls_short_of_turns"]:
        console.print(
            f"          {counts['calls_short_of_turns']} calls had fewer turns than their script:"
            f" {counts['turns_missing']} turns are missing"
            " (the server or a time limit cut them off)"
        )
    if counts["calls_not_greeted"]:
        console.print(f"          {counts['calls_not_greeted']} calls were not greeted")
    console.print(
        f"turns:    {counts['turns']}: {percent['turns_answered']:.1f} % answered,"
        f" {counts['turns_unanswered']} unanswered, {counts['cut_ins']} cut-ins"
        f" ({percent['cut_ins']:.1f} %, {counts['words_cut']} words),"
        f" {counts['underruns']} underruns"
    )


def _durations(report: LoadReport) -> Table:
    table = Table("ms, admitted calls only", "n", "mean", "P50", "P90", "P95", "P99", "max")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, label in _ROWS:
        row = report.distributions[name]
        numbers = (row.mean_ms, row.p50_ms, row.p90_ms, row.p95_ms, row.p99_ms, row.max_ms)
        table.add_row(label, str(row.count), *("-" if n is None else f"{n:.1f}" for n in numbers))
    return table
