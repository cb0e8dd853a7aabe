"""What each ingress replica holds and wants, and the sums over all of them.

Rules
1. What a replica says replaces what it said before; what it is granted is added until it says.
2. Leases on an actor that is gone are in nobody's hand; those on an actor that nobody has heard of
   yet (a directory that was started again) are, as soon as it has reported.
3. As in ``actors.seat_book``: sums are kept, so that one report costs no look at everybody. Where
   all replicas are looked at, it is for the division of the last slots.

The machine reads no clock and does no I/O; ``now`` is loop time in seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from actors.lease_shares import Demand, DemandSum
from actors.seat_book import SeatBook, SeatEntry
from actors.wire import ReplicaSync

_NOBODY = Demand()


@dataclass(slots=True)
class ReplicaEntry:
    """One ingress replica.

    Attributes:
        active: Calls it carries.
        maximum: Calls it can carry.
        held: CallActor to leases, none of them 0.
        want: Leases it would like to have.
        waiting: New callers who wait there.
        moving: Calls that wait there for another actor.
        seen_at: Loop time of its last report.
        demand: The same, as the division sees it.
    """

    active: int = 0
    maximum: int = 0
    held: dict[str, int] = field(default_factory=dict)
    want: int = 0
    waiting: int = 0
    moving: int = 0
    seen_at: float = 0.0
    demand: Demand = _NOBODY


class ReplicaBook:
    """All replicas; see the rules at the top of this file.

    Attributes:
        ears: Calls that all of them can carry.
        room: Calls that they could carry beside those that they have.
        demand: What all of them have and want.

    Args:
        seats: The book of the actors on which leases are held.
    """

    def __init__(self, seats: SeatBook) -> None:
        self._seats = seats
        self._entries: dict[str, ReplicaEntry] = {}  # who was heard of longest ago comes first
        self.ears = self.room = 0
        self.demand = DemandSum()

    def __contains__(self, replica_id: str) -> bool:
        return replica_id in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def of(self, replica_id: str) -> ReplicaEntry:
        """One that is known. Raises ``KeyError``."""
        return self._entries[replica_id]

    def demands(self) -> Iterator[Demand]:
        """What each of them has and wants."""
        return (entry.demand for entry in self._entries.values())

    def heard(self, report: ReplicaSync, *, now: float) -> ReplicaEntry:
        """Write down what a replica says of itself."""
        entry = self._entries.pop(report.replica_id, None)
        if entry is None:
            entry = ReplicaEntry()
        else:
            self._let_go(entry)
        self._entries[report.replica_id] = entry
        self.demand.add(entry.demand)
        entry.active, entry.maximum = max(0, report.active_calls), max(0, report.max_calls)
        entry.held = {name: count for name, count in report.held.items() if count > 0}
        entry.want, entry.waiting = max(0, report.want), max(0, report.waiting)
        entry.moving, entry.seen_at = max(0, report.moving), now
        self.ears += entry.maximum
        self.room += entry.maximum - entry.active
        for name, count in entry.held.items():
            self._hold(name, count)
        self._count(entry)
        return entry

    def granted(self, entry: ReplicaEntry, name: str) -> None:
        """It gets one more lease on this actor."""
        entry.held[name] = entry.held.get(name, 0) + 1
        self._hold(name, 1)
        self._count(entry)

    def forget_silent(self, since: float) -> None:
        """Who has not been heard of since this loop time has nothing any more."""
        while self._entries:
            replica_id, entry = next(iter(self._entries.items()))
            if entry.seen_at >= since:
                return
            self._let_go(entry)
            del self._entries[replica_id]

    def welcome(self, name: str) -> SeatEntry:
        """A CallActor that is new here, though leases on it may be about."""
        holders = [entry for entry in self._entries.values() if name in entry.held]
        seats = self._seats.add(name, held=sum(entry.held[name] for entry in holders))
        for entry in holders:
            self._count(entry)
        return seats

    def part_with(self, name: str) -> None:
        """A CallActor that is gone, known or not."""
        self._seats.remove(name)
        for entry in self._entries.values():
            if entry.held.pop(name, 0):
                self._count(entry)

    def _let_go(self, entry: ReplicaEntry) -> None:
        """Nothing of what it said last counts any more."""
        self.ears -= entry.maximum
        self.room -= entry.maximum - entry.active
        for name, count in entry.held.items():
            self._hold(name, -count)
        self.demand.add(entry.demand, -1)
        entry.demand = _NOBODY

    def _hold(self, name: str, count: int) -> None:
        seats = self._seats.get(name)
        if seats is not None:
            seats.held += count
            self._seats.changed(name)

    def _count(self, entry: ReplicaEntry) -> None:
        in_hand = sum(count for name, count in entry.held.items() if name in self._seats)
        self.demand.add(entry.demand, -1)
        entry.demand = Demand(in_hand, entry.want, entry.waiting, entry.moving)
        self.demand.add(entry.demand)
