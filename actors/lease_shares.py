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

from collections.abc import Sequence
from dataclasses import dataclass


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


def divide(mine: Demand, others: Sequence[Demand], *, seats: int, ears: int) -> Division:
    """Decide about the replica that has just reported.

    Args:
        mine: Of this replica.
        others: Of all others.
        seats: Free slots of all CallActors, 0 or more.
        ears: Calls that the replicas can still carry; negative when leases exceed that.
    """
    free = min(seats, ears)
    everyone = (mine, *others)
    in_stock = sum(demand.in_hand for demand in everyone)
    callers = sum(demand.waiting + demand.moving for demand in everyone)
    spare = max(0, max(0, free) + in_stock - callers)
    share = spare // (len(everyone) + 1) if others else spare

    missing = _due(mine, share) - mine.in_hand
    grant = min(seats, max(0, min(missing, free)) + mine.moving)
    left = max(0, free - grant) + sum(max(0, other.in_hand - other.waiting) for other in others)
    if grant:
        return Division(grant, 0, left)

    kept = spare - share * len(everyone)
    short = sum(max(0, _due(other, share) - other.in_hand) for other in others)
    needed = max(short + kept - free, sum(other.moving for other in others) - seats)
    surplus = mine.in_hand - mine.waiting - share
    take_back = max(min(surplus, needed), min(mine.in_hand, -ears), 0)
    return Division(0, take_back, left)


def _due(demand: Demand, share: int) -> int:
    """Leases that a replica should have in hand."""
    return demand.waiting + min(demand.want, share)
