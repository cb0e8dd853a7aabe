"""The doctor's report: a table for people, plain data for programs, an exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cluster.doctor.examination import Examined
from cluster.doctor.finding import Finding, Status

EXIT_OK = 0
EXIT_FAILED = 1
_STYLES: dict[Status, str] = {"ok": "green", "warn": "yellow", "fail": "bold red", "skipped": "dim"}
_FILE_WIDTH = 200
_SUBJECT_WIDTH = 18  # the usual names of keys, whole
_ORDER: tuple[Status, ...] = ("fail", "warn", "ok", "skipped")


def print_table(console: Console, examined: Sequence[Examined]) -> None:
    """A table: status, what was looked at, what was found and would happen, what to do.

    Off a terminal it is as wide as most of it needs: who searches a file wants whole words.
    """
    if not console.is_terminal and console.width < _FILE_WIDTH:
        console = Console(file=console.file, width=_FILE_WIDTH)
    console.print(_row_table(Text("looked at"), Text("found"), Text("what to do")))
    for part in examined:
        if not part.findings:  # nothing of it is in use here
            continue
        console.print(Text(f"\n{part.title}", "bold"))
        for finding in part.findings:
            status = Text(finding.status, _STYLES[finding.status])
            found, advice = _found(finding), Text(finding.advice)
            console.print(_row_table(Text(finding.subject), found, advice, status=status))
    counts = _counts(examined)
    said = ", ".join(f"{counts[status]} {status}" for status in _ORDER if counts[status])
    console.print(Text(f"\n{said or 'nothing was looked at'}", "bold"))


def _row_table(subject: Text, found: Text, advice: Text, status: Text | None = None) -> Table:
    """One row; rows of several tables stand under each other because their ratios are the same."""
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(width=7)
    table.add_column(width=_SUBJECT_WIDTH, overflow="fold")
    for ratio in (9, 7):
        table.add_column(ratio=ratio, overflow="fold")
    table.add_row(status or Text(""), subject, found, advice)
    return table


def as_plain(examined: Sequence[Examined]) -> dict[str, Any]:
    """Plain data for JSON; ``version`` grows when a field changes its meaning."""
    return {
        "version": 1,
        "ok": exit_code(examined) == EXIT_OK,
        "counts": {status: _counts(examined)[status] for status in _ORDER},
        "findings": [
            {"check": part.title, **asdict(finding)}
            for part in examined
            for finding in part.findings
        ],
    }


def exit_code(examined: Iterable[Examined]) -> int:
    """1 when anything failed."""
    failed = any(finding.status == "fail" for part in examined for finding in part.findings)
    return EXIT_FAILED if failed else EXIT_OK


def _found(finding: Finding) -> Text:
    text = Text(finding.found)
    if finding.consequence:
        text.append(f"\n{finding.consequence}", "italic")
    return text


def _counts(examined: Iterable[Examined]) -> Counter[Status]:
    return Counter(finding.status for part in examined for finding in part.findings)
