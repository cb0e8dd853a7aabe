"""The command without its options: replay, sweep, compare, show, write."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import SettingsError
from cluster.evaluate.compare import compare, read_before, render_changes
from cluster.evaluate.page import page, write_page
from cluster.evaluate.replay_log import CallLog
from cluster.evaluate.replay_run import Asked, ReplayRun
from cluster.evaluate.sweep import sweep
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
    say(render(result))
    found = []
    for name, values in wanted.sweeps:
        found.append(sweep(run, name, values, lambda n: _progress(f"value {n}")))
        _progress("")
        say("\n" + found[-1].render())
    changes = compare(before, result) if before is not None else []
    if changes:
        say("\n" + render_changes(changes))
    plain = result.as_dict() | {"sweeps": [each.as_dict() for each in found]}
    _write(wanted.json_file, "--json", lambda: json.dumps(plain) + "\n")
    _write(wanted.html, "--html", lambda: page(result, found, changes))
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
