"""What each CallActor has free, and the sums over all of them.

Rules
1. Everything follows from the entries: capacity, seats taken, leases held, calls on their way. It
   is kept rather than added up, because a report of one replica must not cost a look at every
   actor: whoever changes an entry says so (``changed``), and only that entry is counted again.
2. A call on its way counts for a while only (``actors.seat_ledger``): ``forget_old`` counts those
   entries again whose time has come.
3. An actor under suspicion has nothing free, and is not shown as alive. Nor is one that is retired:
   it keeps the calls that it has, and its seats count for nothing.

The machine reads no clock and does no I/O; ``now`` is loop time in seconds.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from actors.seat_ledger import SPENT_COUNTS_S, SeatLedger

_HEAP_SLACK = 64


@dataclass(slots=True)
class SeatEntry:
    """One CallActor.

    Attributes:
        capacity: Its seats.
        active: Calls whose stream is up.
        taken: Seats taken, those of calls that wait for their stream included.
        held: Leases that replicas hold on it, by their last reports and what was granted since.
        ledger: Calls on their way to it.
        empty_since: Loop time since which nobody is there, and, of one that is retired, nobody is
            sent; None while somebody is.
        suspect: Somebody got no answer from it.
        release: What it was started from.
        node: Id of the node it runs on; empty when it does not say.
        retired: It is of an older release than is deployed, on a node that is drained, or not
            needed, and gets no calls any more. That is for good.
    """

    order: int
    capacity: int = 0
    active: int = 0
    taken: int = 0
    held: int = 0
    ledger: SeatLedger = field(default_factory=SeatLedger)
    empty_since: float | None = None
    suspect: bool = False
    release: str = ""
    node: str = ""
    retired: bool = False
    counted: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def balance(self) -> int:
        """Slots that are nobody's; negative when too many are promised."""
        return self.capacity - self.taken - self.ledger.owed(self.held)

    @property
    def free(self) -> int:
        """Slots that may be granted."""
        return max(0, self.balance) if self.is_open else 0

    @property
    def is_open(self) -> bool:
        """Whether it may be given calls."""
        return not self.suspect and not self.retired

    @property
    def unused(self) -> int:
        """Slots that no call has, and none is on its way to; leases in stock count as unused."""
        spare = self.capacity - self.taken - self.ledger.on_way
        return max(0, spare) if self.is_open else 0


class SeatBook:
    """All CallActors; see the rules at the top of this file.

    Attributes:
        capacity: Seats of all actors.
        active: Calls of all actors.
        free: Slots that may be granted.
        unused: Slots that no call has or is on its way to.
        version: Grows whenever ``alive`` changes; 1 or more once there is an actor.

    Args:
        first_version: 0 or more.
    """

    def __init__(self, first_version: int = 0) -> None:
        self._entries: dict[str, SeatEntry] = {}
        self._order = itertools.count()
        self._emptiest: list[tuple[int, int, str]] = []  # rows that are out of date are skipped
        self._since: list[tuple[float, str]] = []
        self._alive: tuple[str, ...] | None = ()
        self.capacity = self.active = self.free = self.unused = 0
        self.version = first_version

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[tuple[str, SeatEntry]]:
        return iter(self._entries.items())

    @property
    def names(self) -> tuple[str, ...]:
        """Every actor, suspects included."""
        return tuple(self._entries)

    @property
    def alive(self) -> tuple[str, ...]:
        """Every actor that is neither under suspicion nor retired."""
        if self._alive is None:
            self._alive = tuple(name for name, entry in self._entries.items() if entry.is_open)
        return self._alive

    @property
    def retired(self) -> tuple[str, ...]:
        """Those that get no calls any more."""
        return tuple(name for name, entry in self._entries.items() if entry.retired)

    def get(self, name: str) -> SeatEntry | None:
        """The entry to look at, or to change and then say so."""
        return self._entries.get(name)

    def add(self, name: str, *, held: int) -> SeatEntry:
        """An actor that is new; ``held`` leases on it are in stocks already."""
        entry = self._entries[name] = SeatEntry(order=next(self._order), held=held)
        self._members_changed()
        return entry

    def remove(self, name: str) -> None:
        """It is gone, known or not."""
        entry = self._entries.pop(name, None)
        if entry is not None:
            self._count(entry, (0, 0, 0, 0))
            self._members_changed()

    def suspect(self, name: str, *, suspect: bool) -> None:
        """Doubt it, or trust it again."""
        entry = self._entries[name]
        if entry.suspect != suspect:
            entry.suspect = suspect
            self._members_changed()
            self.changed(name)

    def retire(self, name: str, *, now: float) -> None:
        """It gets no calls any more; that it is empty counts from now on, for leases are about."""
        entry = self._entries[name]
        if not entry.retired:
            entry.retired = True
            if entry.empty_since is not None:
                entry.empty_since = now
            self._members_changed()
            self.changed(name)

    def changed(self, name: str) -> None:
        """Count this entry again."""
        entry = self._entries[name]
        before = entry.counted[2]
        self._count(
            entry, (0 if entry.retired else entry.capacity, entry.active, entry.free, entry.unused)
        )
        if entry.counted[2] != before:
            self._rank(name, entry)

    def expect_change(self, name: str, *, now: float) -> None:
        """A call was told to be on its way, or sat down early: that holds for a while only."""
        heapq.heappush(self._since, (now, name))

    def forget_old(self, *, now: float) -> None:
        """Count again what has become too old to count."""
        while self._since and now - self._since[0][0] >= SPENT_COUNTS_S:
            _, name = heapq.heappop(self._since)
            entry = self._entries.get(name)
            if entry is not None:
                entry.ledger.forget_old(now=now)
                self.changed(name)

    def emptiest(self) -> str | None:
        """The actor with most free slots, the oldest of equals; None when nothing is free."""
        while self._emptiest:
            free, order, name = self._emptiest[0]
            entry = self._entries.get(name)
            if entry is not None and (entry.order, entry.counted[2]) == (order, -free):
                return name if free else None
            heapq.heappop(self._emptiest)
        return None

    def _count(self, entry: SeatEntry, now: tuple[int, int, int, int]) -> None:
        capacity, active, free, unused = entry.counted
        self.capacity += now[0] - capacity
        self.active += now[1] - active
        self.free += now[2] - free
        self.unused += now[3] - unused
        entry.counted = now

    def _rank(self, name: str, entry: SeatEntry) -> None:
        if len(self._emptiest) > 4 * len(self._entries) + _HEAP_SLACK:
            self._emptiest = [(-e.counted[2], e.order, n) for n, e in self._entries.items()]
            heapq.heapify(self._emptiest)
        heapq.heappush(self._emptiest, (-entry.counted[2], entry.order, name))

    def _members_changed(self) -> None:
        self._alive = None
        self.version += 1
