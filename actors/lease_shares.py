"""How the slots that are left are divided between replicas.

Rules
1. Callers come before stock: a caller who waits, and a call that has lost its actor, are served
   first. A moving call has an ear already, so that only the actors' slots limit it.
2. What remains may lie in stock, evenly, with one share more kept at the directory: it is there at
   once for the replica that needs it, while a slot in another's stock has to be asked back. A
   replica that is alone may hold all.
3. What a replica holds beyond its callers and its share is taken back as far as others, or the
   directory, are short. So the very last slots lie in no stock.
4. Leases beyond what the ears can carry are taken back from whoever holds some.

Pure: numbers in, numbers out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Demand:
    """What one replica has and wants, in slots.

    Attributes:
        in_hand: Leases in its stock.
        want: Leases it would like to have in stock.
        waiting: New callers who wait there.
        moving: Calls that wait there for another actor, and that nothing in stock suits.
    """

    in_hand: int = 0
    want: int = 0
    waiting: int = 0
    moving: int = 0

    @property
    def idle(self) -> int:
        """Leases that no caller there waits for."""
        return max(0, self.in_hand - self.waiting)


@dataclass(slots=True)
class DemandSum:
    """Of many replicas, kept as they come and go: nearly every division needs no more than this.

    Attributes:
        count: How many they are.
        in_hand: Leases in their stocks.
        callers: Who wait or move there.
        moving: Calls that wait there for another actor.
        idle: Leases that no caller waits for.
    """

    count: int = 0
    in_hand: int = 0
    callers: int = 0
    moving: int = 0
    idle: int = 0

    def add(self, demand: Demand, times: int = 1) -> None:
        """One more; one fewer with ``times`` -1."""
        self.count += times
        self.in_hand += times * demand.in_hand
        self.callers += times * (demand.waiting + demand.moving)
        self.moving += times * demand.moving
        self.idle += times * demand.idle

    @classmethod
    def of(cls, demands: Iterable[Demand]) -> Self:
        """Of all these."""
        total = cls()
        for demand in demands:
            total.add(demand)
        return total


@dataclass(frozen=True, slots=True)
class Division:
    """What becomes of one replica's stock.

    Attributes:
        grant: Leases to add.
        take_back: Leases to take away; one of the two is zero.
        left: Slots for new calls that remain beside this replica's stock.
    """

    grant: int
    take_back: int
    left: int


def divide(
    mine: Demand, everyone: DemandSum, each: Iterable[Demand], *, seats: int, ears: int
) -> Division:
    """Decide about the replica that has just reported.

    Args:
        mine: Of this replica.
        everyone: Of all replicas, this one too.
        each: The same one by one; only looked at when this one has more than its share.
        seats: Free slots of all CallActors, 0 or more.
        ears: Calls that the replicas can still carry; negative when leases exceed that.
    """
    free = min(seats, ears)
    spare = max(0, max(0, free) + everyone.in_hand - everyone.callers)
    share = spare // (everyone.count + 1) if everyone.count > 1 else spare

    missing = _due(mine, share) - mine.in_hand
    grant = min(seats, max(0, min(missing, free)) + mine.moving)
    left = max(0, free - grant) + everyone.idle - mine.idle
    if grant:
        return Division(grant, 0, left)

    surplus = mine.in_hand - mine.waiting - share
    if surplus <= 0 and ears >= 0:
        return Division(0, 0, left)

    kept = spare - share * everyone.count
    short = sum(max(0, _due(one, share) - one.in_hand) for one in each)
    short -= max(0, _due(mine, share) - mine.in_hand)
    needed = max(short + kept - free, everyone.moving - mine.moving - seats)
    take_back = max(min(surplus, needed), min(mine.in_hand, -ears), 0)
    return Division(0, take_back, left)


def _due(demand: Demand, share: int) -> int:
    """Leases that a replica should have in hand."""
    return demand.waiting + min(demand.want, share)
