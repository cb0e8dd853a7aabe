"""The run in a terminal: a line for each fault, beside what was promised."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from cluster.survival.faults import Fault
from cluster.survival.figures import MISSED, NOT_SHOWN, NOT_VALID, REACHED, Judged

_STYLES = {REACHED: "green", MISSED: "red", NOT_VALID: "yellow", NOT_SHOWN: "yellow"}
NOT_RUN = "not run"
COLUMNS = (
    "fault",
    "times",
    "calls",
    "calls lost",
    "turns",
    "turns lost",
    "words lost",
    "longest silence",
    "target",
    "",
)


def exit_code(judged: Sequence[Judged]) -> int:
    """0 when all was reached, 1 when something was missed, 3 when something shows nothing."""
    found = {each.verdict for each in judged}
    if found & {NOT_VALID, NOT_SHOWN} or not judged:
        return 3
    return 1 if MISSED in found else 0


def table(judged: Sequence[Judged], skipped: Sequence[tuple[Fault, str]] = ()) -> Table:
    """A line for each fault; those that were not run say why."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in COLUMNS:
        shown.add_column(name, no_wrap=name not in ("fault", ""))
    for each in judged:
        shown.add_row(*line_of(each), Text(_verdict(each), _STYLES[each.verdict]))
    for fault, why in skipped:
        blanks = [""] * (len(COLUMNS) - 2)
        shown.add_row(fault.title, *blanks, Text(f"{NOT_RUN}: {why}", "yellow"))
    return shown


def line_of(judged: Judged) -> tuple[str, ...]:
    """All columns but the verdict."""
    total = judged.total
    return (
        judged.fault.title,
        str(len(judged.strikes))
        + (f" ({judged.met_nobody} met nobody)" if judged.met_nobody else ""),
        str(total.calls),
        str(total.calls_lost) + (f" (+{total.calls_refused})" if total.calls_refused else ""),
        str(total.turns),
        str(total.turns_lost),
        str(total.words_lost),
        f"{total.longest_silence_s:.2f} s (usual {judged.usual_s:.2f})",
        target_of(judged.fault),
    )


def target_of(fault: Fault) -> str:
    """What was promised, in words."""
    added = " added" if fault.silence == "added" else ""
    return f"0 lost, {fault.silence_s:.1f} s{added}"


def _verdict(judged: Judged) -> str:
    why = judged.doubt or ("nobody was on the phone there" if judged.verdict == NOT_SHOWN else "")
    return f"{judged.verdict}: {why}" if why else judged.verdict
