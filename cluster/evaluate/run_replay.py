"""The command without its options: replay, sweep, compare, show, write."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.errors import SettingsError
from cluster.evaluate.compare import compare, read_before, render_changes
from cluster.evaluate.page import page, write_page
from cluster.evaluate.replay_log import CallLog
from cluster.evaluate.replay_run import Asked, ReplayRun
from cluster.evaluate.result import Result
from cluster.evaluate.sweep import Sweep, sweep
from cluster.evaluate.text_report import render


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be made of it.

    Attributes:
        sweeps: Settings and their values.
        compare: A run before.
    """

    sweeps: tuple[tuple[str, tuple[float, ...]], ...] = ()
    compare: Path | None = None
    html: Path | None = None
    json_file: Path | None = None


def run_replay(asked: Asked, wanted: Wanted, say: Callable[[str], None]) -> int:
    """Measure, show, write. Returns the exit code of the command.

    Raises:
        SettingsError: Something that was asked for cannot be.
    """
    before = read_before(wanted.compare) if wanted.compare else None
    run = ReplayRun(asked)
    over = 0

    def count(_: CallLog) -> None:
        nonlocal over
        over += 1
        _progress(f"{over} of {run.calls} calls")

    result = run.replay(on_call=count)
    _progress("")
    found = []
    for name, values in wanted.sweeps:
        found.append(sweep(run, name, values, lambda n: _progress(f"value {n}")))
        _progress("")
    return show(result, wanted, say, found, before)


def show(
    result: Result,
    wanted: Wanted,
    say: Callable[[str], None],
    sweeps: Sequence[Sweep] = (),
    before: Mapping[str, Any] | None = None,
) -> int:
    """Show and write what was found; returns 1 when it is worse than ``before``.

    Raises:
        SettingsError: A file cannot be written, or the run before had other turns.
    """
    say(render(result))
    for each in sweeps:
        say("\n" + each.render())
    if before is None and wanted.compare:
        before = read_before(wanted.compare)
    changes = compare(before, result) if before is not None else []
    if changes:
        say("\n" + render_changes(changes))
    plain = result.as_dict() | {"sweeps": [each.as_dict() for each in sweeps]}
    _write(wanted.json_file, "--json", lambda: json.dumps(plain) + "\n")
    _write(wanted.html, "--html", lambda: page(result, sweeps, changes))
    return 1 if any("WORSE" in change.verdict for change in changes[:1]) else 0


def _write(path: Path | None, option: str, text: Callable[[], str]) -> None:
    if path is None:
        return
    try:
        write_page(path, text())
    except OSError as error:
        raise SettingsError(f"{option} {path}: cannot be written: {error.strerror}") from None


def _progress(line: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[2K{line}")
        sys.stderr.flush()
