"""The table of failing providers for the page of benchmarks: ``python -m benchmarks.chaos_table``.

Takes what runs of ``callcluster chaos providers`` have written, of each fault the newest run that
is valid, and sets beside it what callers wait for under the two policies that are often written by
hand: ten seconds for each provider and then the next, for each request anew or kept for the call.
Those come from the simulator (``benchmarks.failover``), on virtual time, with the same faults: in
calls of the real product nobody would wait for them.

``--into docs/benchmarks.md`` puts it between the marks of that page instead of printing it.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.failover import FAULTS, Figures, Policy, ours, run, ten_seconds, ten_seconds_kept
from benchmarks.failover_voices import our_voices
from cluster.chaos.faults import BY_NAME, EVERYTHING, ROLES
from cluster.chaos.report import markdown_of
from cluster.chaos.runs_file import runs_in
from cluster.errors import SettingsError
from tests.support import virtual_time

DEFAULT: Final = Path("chaos-output/chaos.json")
BEGIN, END = "<!-- chaos:begin -->", "<!-- chaos:end -->"
# By the name of the fault in the chaos run.
SIMULATED: Final[Mapping[str, str]] = {
    "errors": "hard errors",
    "busy": "429",
    "hang": "hang",
    "slow": "six times slower",
    "half": "half hang",
    "tenth": "one in ten hangs",
}
TODAY: Final[Mapping[str, Policy]] = {
    "10 s, then the next": ten_seconds,
    "the same, kept for the call": ten_seconds_kept,
}
OURS: Final[Mapping[str, Policy]] = {"think": ours, "speak": our_voices}
WARM_S, FAULT_S = 15.0, 30.0
_ORDER: Final = [(name, role) for name in BY_NAME for role in (*ROLES, EVERYTHING)]

Row = Mapping[str, Any]


def simulated(policy: Policy, fault: str) -> Figures:
    """One policy under one fault of the first provider."""
    found = run(policy, FAULTS[SIMULATED[fault]], seed=1, warm_s=WARM_S, fault_s=FAULT_S)
    return virtual_time.run(found)


def cell(found: Figures) -> str:
    """What callers wait for."""
    late = sum(wait > 1.0 for wait in found.waits) / len(found.waits)
    return f"P99 {1_000 * found.quantile_s(0.99):,.0f} ms, {100 * late:.0f} % over 1 s"


def policies() -> list[str]:
    """A table of every fault under every policy."""
    columns = [*(f"this product, {role}" for role in OURS), *TODAY]
    lines = ["| fault of the first | " + " | ".join(columns) + " |", "|---" * 5 + "|"]
    for fault, title in SIMULATED.items():
        cells = [cell(simulated(policy, fault)) for policy in (*OURS.values(), *TODAY.values())]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return lines


def chosen(runs: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Of each fault of each kind of work the newest that is valid, else the newest."""
    found: dict[tuple[str, str], Row] = {}
    for each in (row for one in runs for row in one["faults"]):
        key = (each["fault"], each["role"])
        if key not in found or each["is_valid"] or not found[key]["is_valid"]:
            found[key] = each
    return [found[key] for key in _ORDER if key in found]


def page(runs: Sequence[Mapping[str, Any]]) -> str:
    """Both tables, with what they were taken on."""
    rows = chosen(runs)
    used = [one for one in runs if any(row in rows for row in one["faults"])]
    valid = sum(bool(row["is_valid"]) for row in rows)
    calls = ", ".join(str(number) for number in sorted({one["calls"] for one in used}))
    cores = ", ".join(str(number) for number in sorted({one["cores"] for one in used}))
    days = sorted({time.strftime("%Y-%m-%d", time.gmtime(one["began_at"])) for one in used})
    loads = [row["load_average"] for row in rows]
    lines = [
        f"{calls} calls at once, {cores} cores, {len(used)} runs ({', '.join(days)}), load "
        f"{min(loads):.1f} to {max(loads):.1f}; {valid} of {len(rows)} faults valid.",
        "",
        markdown_of(rows),
        "",
        "The policies of today beside it, in the simulator (virtual time, sockets not included):",
        "",
        *policies(),
    ]
    return "\n".join(lines)


def put_into(target: Path, text: str) -> None:
    """Replace what stands between the marks of a page.

    Raises:
        SettingsError: It has no marks.
    """
    before, begin, rest = target.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SettingsError(f"{target} has no {BEGIN} and {END}")
    target.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", "utf-8")


def main(arguments: list[str]) -> int:
    """Print the page of some runs; without any, the policies alone."""
    logging.disable(logging.WARNING)
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos_table")
    parser.add_argument("files", nargs="*", type=Path, help=f"of chaos runs; default: {DEFAULT}")
    parser.add_argument("--into", type=Path, help="a page with the marks")
    told = parser.parse_args(arguments)
    try:
        runs = [one for path in told.files or [DEFAULT] for one in runs_in(path)]
        # Of an earlier version, without what is needed here.
        runs = [one for one in runs if "began_at" in one]
        if not chosen(runs):
            print("there are no results: the policies alone", file=sys.stderr)
            print("\n".join(policies()))
            return 1 if told.files else 0
        if told.into is None:
            print(page(runs))
        else:
            put_into(told.into, page(runs))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
