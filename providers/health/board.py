"""The cluster's verdicts on all units: what the keeper publishes and every worker holds.

Rules
1. A board is one keeper's: its ``term`` is larger after each restart of the keeper, its ``version``
   grows with each change. Every entry carries the stamp of its last change.
2. Of two entries for one unit the one with the larger stamp stays. So boards and deltas may come
   late, twice or in any order, and all workers end with the same board.
3. A delta holds the entries changed since a version; a worker that has an older term gets all. A
   delta that takes nothing for granted does no harm when one before it was lost: the version that a
   worker names is the one it has seen *through* such deltas.
4. Plain data, versioned; unknown fields are ignored, missing ones have defaults.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from providers.health.breaker import State
from providers.health.errors import HealthDataInvalid

Stamp = tuple[int, int]
_LARGEST = 1e12


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """The verdict on one unit.

    Attributes:
        stamp: ``(term, version)`` of its last change.
        state: Of the keeper's breaker.
        reason: Why it is open.
        recoveries: How often it closed again, in this term.
        closed_at_s: When it closed last; 0 for never opened.
        demoted_until_s: Used after all others until then; 0 for never.
        p50_s: Baseline of its latency over all workers; 0 while unknown.
        p95_s: Likewise.
        p99_s: Likewise.
    """

    stamp: Stamp = (0, 0)
    state: State = "closed"
    reason: str = ""
    recoveries: int = 0
    closed_at_s: float = 0.0
    demoted_until_s: float = 0.0
    p50_s: float = 0.0
    p95_s: float = 0.0
    p99_s: float = 0.0

    @property
    def is_usable(self) -> bool:
        """True while callers may use it."""
        return self.state in ("closed", "suspect")

    def to_plain(self) -> list[Any]:
        """As JSON types."""
        numbers = (self.closed_at_s, self.demoted_until_s, self.p50_s, self.p95_s, self.p99_s)
        return [
            *self.stamp,
            self.state,
            self.reason,
            self.recoveries,
            *(round(x, 3) for x in numbers),
        ]


@dataclass(frozen=True, slots=True)
class Board:
    """Verdicts by unit key.

    Attributes:
        stamp: The newest stamp of all; (0, 0) for an empty board.
        entries: Unit key to its verdict; a unit without one is well as far as is known.
    """

    stamp: Stamp = (0, 0)
    entries: Mapping[str, Entry] = field(default_factory=dict)

    def merged(self, other: Board) -> Board:
        """This board and another; commutative, associative, idempotent."""
        entries = dict(self.entries)
        for key, entry in other.entries.items():
            known = entries.get(key)
            if known is None or entry > known:
                entries[key] = entry
        return Board(max(self.stamp, other.stamp), entries)

    def since(self, stamp: Stamp) -> Board:
        """What a worker that has seen everything up to ``stamp`` does not know."""
        changed = {key: entry for key, entry in self.entries.items() if entry.stamp > stamp}
        return Board(self.stamp, changed)

    def left_since(self, before: Board) -> list[str]:
        """Units that callers may not use by this board, and could by the one before it."""
        left = (key for key, entry in self.entries.items() if not entry.is_usable)
        known = before.entries
        return sorted(key for key in left if key not in known or known[key].is_usable)

    def to_plain(self) -> dict[str, Any]:
        """As JSON types; about 90 bytes a unit."""
        entries = {key: entry.to_plain() for key, entry in sorted(self.entries.items())}
        return {"v": 1, "term": self.stamp[0], "version": self.stamp[1], "units": entries}


def board_of(plain: Any) -> Board:
    """Read what ``Board.to_plain`` of this or a later version wrote.

    Raises:
        HealthDataInvalid: It is not a board.
    """
    if not isinstance(plain, Mapping) or not isinstance(plain.get("units"), Mapping):
        raise HealthDataInvalid("a board is a mapping with units")
    stamp = (whole(plain.get("term")), whole(plain.get("version")))
    entries = {str(key): _entry_of(value) for key, value in plain["units"].items()}
    if any(entry.stamp > stamp for entry in entries.values()):
        raise HealthDataInvalid("an entry is newer than its board")
    return Board(stamp, entries)


def _entry_of(plain: Any) -> Entry:
    if not isinstance(plain, list) or len(plain) < 5:
        raise HealthDataInvalid("an entry is a list of term, version, state, reason, recoveries")
    state, reason = plain[2:4]
    if state not in get_args(State) or not isinstance(reason, str):
        raise HealthDataInvalid("an entry without a known state")
    numbers = list(numbers_of(plain[5:10]))
    numbers += [0.0] * (5 - len(numbers))
    stamp = (whole(plain[0]), whole(plain[1]))
    return Entry(stamp, state, reason, whole(plain[4]), *numbers)


def whole(value: Any) -> int:
    """A whole number from 0 to 2**53.

    Raises:
        HealthDataInvalid: It is not.
    """
    if type(value) is not int or not 0 <= value <= 1 << 53:
        raise HealthDataInvalid("a whole number is missing")
    return value


def numbers_of(values: Any) -> Iterable[float]:
    """Finite numbers.

    Raises:
        HealthDataInvalid: One is not.
    """
    if not isinstance(values, list | tuple):
        raise HealthDataInvalid("a list of numbers is missing")
    for value in values:
        # Not ``isfinite``: of a whole number that no float holds it raises OverflowError.
        if type(value) not in {int, float} or not abs(value) <= _LARGEST:
            raise HealthDataInvalid("a finite number is missing")
        yield float(value)
