"""The copy of the response cache that a worker searches, and what it has to tell the owner.

A machine: no I/O, no clock. Rules

1. Deltas are taken over in order and without a gap; where one is missing, a snapshot is asked for
   and what is here goes on being searched until it has come.
2. What was learned here changes nothing here: it comes back from the owner, as to everybody else.
3. One batch at a time is on its way; it keeps its number until the owner says it has it. What
   gathers meanwhile goes with the next, and when too much has gathered the oldest is dropped.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from cache.deltas import Delta, apply
from cache.learning import DEFAULT_BOUND
from cache.lookup import ResponseCache
from cache.replica_reports import Batch, Learned, Report, Served
from cache.store import Limits

Stamp = tuple[int, int]
"""Term of the owner and number of the last delta."""

NEVER: Final[Stamp] = (0, 0)
MOST_GATHERED: Final = 5_000
MOST_IN_A_BATCH: Final = 500
_NO_LIMITS: Final = Limits(entries=1 << 60, size_bytes=1 << 60)


def empty_copy(dimension: int, *, bound: float = DEFAULT_BOUND) -> ResponseCache:
    """A cache that drops nothing by itself: what goes, the owner says."""
    return ResponseCache(dimension, _NO_LIMITS, bound=bound)


class CacheReplica:
    """A copy and its reports.

    Args:
        writer: Name of this process; no other one, before or after, has it.
        cache: From :func:`empty_copy`.
        encoder: Which model makes the vectors here; empty for none.

    Attributes:
        cache: What is searched; another one after each snapshot.
        stamp: How far it is.
        lost: Reports that were dropped.
    """

    def __init__(self, writer: str, cache: ResponseCache, encoder: str) -> None:
        self.cache = cache
        self.stamp: Stamp = NEVER
        self.lost = 0
        self._writer = writer
        self._encoder = encoder
        self._gathered: deque[tuple[float, Report]] = deque()
        self._served: Counter[int] = Counter()
        self._on_its_way: Batch | None = None
        self._batches = 0

    # --- what the owner says ----------------------------------------------------------------------

    def take_snapshot(self, stamp: Stamp, cache: ResponseCache) -> None:
        """Search this from now on: made by an empty copy that took over a whole state."""
        self.cache, self.stamp = cache, stamp

    def take_deltas(self, after: Stamp, deltas: Iterable[Delta], last: int) -> bool:
        """Take over what has changed.

        Args:
            after: What the deltas follow upon.
            deltas: In order.
            last: Number of the last of them.

        Returns:
            False when they do not follow upon what is here: nothing was changed, and a snapshot is
            needed unless an answer on its way has overtaken this one.
        """
        if after != self.stamp or last < after[1]:
            return False
        for delta in deltas:
            apply(self.cache, delta)
        self.stamp = (after[0], last)
        return True

    def forget_stamp(self) -> None:
        """What is here may lack something: a snapshot is needed. No owner has the term 0."""
        self.stamp = (0, self.stamp[1])

    # --- what the owner is told -------------------------------------------------------------------

    def tell(self, report: Report, *, now: float) -> None:
        """Put a report aside for the next batch.

        Args:
            report: What happened.
            now: Seconds of any clock that :meth:`batch` is given too.
        """
        if isinstance(report, Served):
            self._served[report.entry_id] += report.times
            return
        self._gathered.append((now, report))
        if len(self._gathered) > MOST_GATHERED:
            self._gathered.popleft()
            self.lost += 1

    @property
    def has_news(self) -> bool:
        """Whether :meth:`batch` would give one."""
        return bool(self._on_its_way or self._gathered or self._served)

    def batch(self, *, now: float) -> Batch | None:
        """What to send now: the last one again as long as :meth:`delivered` was not called."""
        if self._on_its_way is not None:
            return self._on_its_way
        if not self.has_news:
            return None
        reports: list[Report] = [Served(*used) for used in self._served.items()]
        self._served.clear()
        while self._gathered and len(reports) < MOST_IN_A_BATCH:
            at, report = self._gathered.popleft()
            if isinstance(report, Learned):
                report = replace(report, age_s=report.age_s + max(0.0, now - at))
            reports.append(report)
        self._batches += 1
        self._on_its_way = Batch(self._writer, self._batches, self._encoder, tuple(reports))
        return self._on_its_way

    def delivered(self, number: int) -> None:
        """The owner has the batch of that number."""
        if self._on_its_way is not None and self._on_its_way.number == number:
            self._on_its_way = None

    def refused(self, number: int) -> None:
        """The owner cannot read the batch of that number, and never will: it is dropped."""
        if self._on_its_way is not None and self._on_its_way.number == number:
            self.lost += len(self._on_its_way.reports)
            self._on_its_way = None
