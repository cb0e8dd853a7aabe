"""When a failing provider was noticed, and when every process knew: read in the product's logs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_LINE = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) INFO \S+: (?P<unit>\S.*) is left, as ")
_FILES = "worker-*.err"


@dataclass(frozen=True, slots=True)
class Known:
    """One unit of health that was left.

    Attributes:
        unit: Its key.
        seen_at: When the first process left it, seconds of UTC.
        known_at: When the last one did.
        processes: How many did.
    """

    unit: str
    seen_at: float
    known_at: float
    processes: int

    @property
    def took_s(self) -> float:
        """From seen anywhere to known everywhere, seconds."""
        return self.known_at - self.seen_at


def read_logs(folder: Path) -> list[tuple[str, str]]:
    """``(process, line)`` of everything that the processes under ``folder`` wrote."""
    return [
        (str(path), line)
        for path in sorted(folder.rglob(_FILES))
        if not path.is_symlink() and "session_latest" not in path.parts
        for line in path.read_text("utf-8", errors="replace").splitlines()
    ]


def known_units(lines: Iterable[tuple[str, str]], from_at: float, until_at: float) -> list[Known]:
    """What was left between two moments (seconds of UTC), by when it was seen.

    Of each process the first line about a unit counts: what it saw itself, or what it was told.
    """
    firsts: dict[str, dict[str, float]] = {}
    for process, line in lines:
        match = _LINE.match(line)
        if match is None:
            continue
        # Logs are written in local time.
        at = datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S,%f").timestamp()  # noqa: DTZ007
        if from_at <= at < until_at:
            by_process = firsts.setdefault(match["unit"], {})
            by_process[process] = min(at, by_process.get(process, at))
    found = [
        Known(unit, min(times.values()), max(times.values()), len(times))
        for unit, times in firsts.items()
    ]
    return sorted(found, key=lambda known: known.seen_at)
