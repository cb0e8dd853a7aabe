"""The table of failing providers for the page of benchmarks: ``python -m benchmarks.chaos_table``.

Takes what ``callcluster chaos providers`` has written (``chaos-output/chaos.json``) and sets beside
it, fault by fault, what callers wait for under the two policies that are often written by hand: ten
seconds for each provider and then the next, for each request anew or kept for the call. Those come
from the simulator (``benchmarks.failover``), on virtual time, with the same faults: under calls of
the real product nobody would wait for them.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.failover import FAULTS, Figures, Policy, ours, run, ten_seconds, ten_seconds_kept
from benchmarks.failover_voices import our_voices
from tests.support import virtual_time

DEFAULT: Final = Path("chaos-output/chaos.json")
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


def page(plain: Mapping[str, Any]) -> str:
    """Both tables, with what they were taken on."""
    valid = [each["punctual"] for each in (*plain["healthy"], *plain["faults"])]
    lines = [
        f"{plain['calls']} calls at once, {plain['cores']} cores, {plain['took_s']} s in all; "
        f"callers punctual in {sum(valid)} of {len(valid)} runs.",
        "",
        str(plain["markdown"]),
        "",
        "The policies of today beside it, in the simulator (virtual time, sockets not included):",
        "",
        *policies(),
    ]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Print the page of a run; without a run, the policies alone."""
    logging.disable(logging.WARNING)
    path = Path(arguments[0]) if arguments else DEFAULT
    if not path.exists():
        print(f"{path} is not there: the policies alone", file=sys.stderr)
        print("\n".join(policies()))
        return 1 if arguments else 0
    print(page(json.loads(path.read_text("utf-8"))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
