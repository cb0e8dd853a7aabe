"""When a failing provider was noticed, and when every process knew: read in the product's logs.

Rules
1. What a call asks (a recogniser, a model, a voice) has several units of health, and is left with
   the first of them: they count together.
2. A process that leaves one after it has left another one of the same has known it before.
3. What is left again more than ``EPISODE_S`` later is another episode: it was used in between.
4. By its own evidence a process may leave what all others see well; the board leaves it to that
   process then. Nothing was to be spread, and ``is_shared`` is false. Should the board follow when
   another process has seen it too, it is from then on that it spreads (``shared_from_at``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

EPISODE_S: Final = 2.0
_LINE = re.compile(
    r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) INFO \S+: (?P<unit>\S.*) is left, as (?P<how>.*)$"
)
_TOLD = "the board says"
_FILES = "worker-*.err"
_UNIT_PARTS = 5
# Of units of health, by what calls want of a provider.
KINDS: Final[Mapping[str, str]] = {"recognise": "stt", "think": "llm", "speak": "tts"}


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody who was left.

    Attributes:
        unit: Provider, kind of work, region, model or voice, credential.
        seen_at: When the first process left it, seconds of UTC.
        known_at: When the last one did.
        processes: How many did.
        is_shared: The board said so to one process at least.
        shared_from_at: When the last process left it by its own evidence before the board said so;
            None for as ``seen_at``.
    """

    unit: str
    seen_at: float
    known_at: float
    processes: int
    is_shared: bool = True
    shared_from_at: float | None = None

    @property
    def spread_s(self) -> float:
        """From the sighting that the board followed to known everywhere, seconds."""
        return self.known_at - (
            self.seen_at if self.shared_from_at is None else self.shared_from_at
        )

    @property
    def kind(self) -> str:
        """Of ``KINDS``; empty where the unit does not say."""
        parts = self.unit.split("/")
        return parts[1] if len(parts) == _UNIT_PARTS else ""

    @property
    def took_s(self) -> float:
        """From seen anywhere to known everywhere, seconds."""
        return self.known_at - self.seen_at


@dataclass(slots=True)
class _Episode:
    seen_at: float
    own_at: float = 0.0
    firsts: dict[str, float] = field(default_factory=dict)
    is_shared: bool = False


def read_logs(folder: Path) -> list[tuple[str, str]]:
    """``(process, line)`` of everything that the processes under ``folder`` wrote."""
    return [
        (str(path), line)
        for path in sorted(folder.rglob(_FILES))
        if not path.is_symlink() and "session_latest" not in path.parts
        for line in path.read_text("utf-8", errors="replace").splitlines()
    ]


def known_units(lines: Iterable[tuple[str, str]], from_at: float, until_at: float) -> list[Known]:
    """Who was left between two moments (seconds of UTC), by when it was seen."""
    told: dict[str, list[tuple[float, str, bool]]] = {}
    for process, line in lines:
        match = _LINE.match(line)
        if match is None:
            continue
        # Logs are written in local time.
        at = datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S,%f").timestamp()  # noqa: DTZ007
        if from_at <= at < until_at:
            entry = (at, process, match["how"] == _TOLD)
            told.setdefault(_candidate(match["unit"]), []).append(entry)
    found = [
        Known(
            unit,
            each.seen_at,
            max(each.firsts.values()),
            len(each.firsts),
            each.is_shared,
            each.own_at,
        )
        for unit, entries in told.items()
        for each in _episodes(sorted(entries))
    ]
    return sorted(found, key=lambda known: known.seen_at)


def _candidate(unit: str) -> str:
    """A unit of health without the one thing in which those of one provider differ."""
    parts = unit.split("/")
    if len(parts) == _UNIT_PARTS:
        parts[1] = parts[1].partition(".")[0]
    return "/".join(parts)


def _episodes(entries: Iterable[tuple[float, str, bool]]) -> list[_Episode]:
    found: list[_Episode] = []
    for at, process, is_told in entries:
        if not found or at - found[-1].seen_at > EPISODE_S:
            found.append(_Episode(at, own_at=at))
        found[-1].firsts.setdefault(process, at)
        found[-1].is_shared = found[-1].is_shared or is_told
        if not found[-1].is_shared:
            found[-1].own_at = at
    knew: set[str] = set()
    kept = []
    for episode in found:
        if episode.is_shared or not knew.issuperset(episode.firsts):
            kept.append(episode)
        knew |= set(episode.firsts)
    return kept
