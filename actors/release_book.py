"""Which CallActors are of what is deployed, and which of older releases or drained nodes are to go.

Rules
1. A release is a word; of two, the larger one is the newer (``cluster.release``).
2. When something newer is deployed, as many actors of it are wanted as there are of older ones, or
   as there may be at most. Each that has reported retires one of those, the emptiest first: the
   cluster is never smaller than it was, and what does not start retires nobody.
3. An actor that is newer than what is known here is as good as current: a directory that was
   started again learns from its replicas what is deployed, and until then it retires nobody.
4. A retired actor is let go once it has been retired and empty for ``RETIRED_EMPTY_S``: nobody is
   on the way there any more. Nobody is ever taken back.
5. An actor on a node that is drained is as good as one of an older release. It is retired after
   ``SUCCESSOR_WITHIN_S`` in any case, once there is any other: with its node it will be gone.
6. A directory that was started again retires nobody before every actor that it has found has been
   heard or is lost (``actors.roll_call``): whom it hears first might be the last one to stay. Then
   all of them are the pool that is to be replaced. Who was retired before is no longer known: he
   gets calls again until there is a successor for him too, one more than were needed.

The machine reads no clock and does no I/O; ``now`` is loop time in seconds.
"""

from __future__ import annotations

from collections.abc import Collection

from actors.roll_call import RollCall
from actors.seat_book import SeatBook, SeatEntry

RETIRED_EMPTY_S = 10.0
SUCCESSOR_WITHIN_S = 20.0


class ReleaseBook:
    """See the rules at the top of this file.

    Attributes:
        release: What is deployed; empty while nobody has said.

    Args:
        seats: Of all actors.
        roll: Of those that were found at the start.
    """

    def __init__(self, seats: SeatBook, roll: RollCall) -> None:
        self._seats = seats
        self._roll = roll
        self._to_replace = 0
        self._has_older = False
        self._draining: dict[str, float] = {}
        self.release = ""

    def deployed(self, release: str) -> bool:
        """This is deployed now; False when it was known, or something newer is."""
        if release <= self.release:
            return False
        self.release = release
        self._to_replace = len(self._staying())
        self._has_older = self._to_replace > 0
        return True

    def all_heard(self) -> None:
        """Whoever was found at the start has reported or is lost: this is the pool."""
        staying = self._staying()
        if any(self._is_old(entry) for entry in staying):
            self._to_replace = max(self._to_replace, len(staying))
            self._has_older = True

    def drained(self, nodes: Collection[str], *, now: float, least: int, most: int) -> None:
        """These nodes are drained, and no others; again and again."""
        known = self._draining
        self._draining = {node: known.get(node, now) for node in nodes}
        if not nodes:
            return
        there = self._staying()
        if any(entry.node in nodes and entry.node not in known for entry in there):
            self._to_replace = max(self._to_replace, len(there))
        self._has_older |= any(entry.node in nodes for entry in there)
        if self._has_older:
            self._retire_older(least, most, now)

    @property
    def current(self) -> int:
        """How many actors there are of what is deployed, on nodes that stay, and not retired."""
        return sum(not self._is_old(entry) for entry in self._staying())

    def pool_size(self, least: int, most: int) -> int:
        """How many of them there are to be at least, when there may be ``most``."""
        if self._to_replace and self.current >= min(self._to_replace, most):
            self._to_replace = 0
        return max(least, min(self._to_replace, most))

    def reported(self, entry: SeatEntry, *, least: int, most: int, now: float) -> None:
        """An actor has said of what release it is, and where it runs."""
        if self._is_old(entry) and not entry.retired:
            self._has_older = True
        if self._has_older:
            self._retire_older(least, most, now)

    def gone(self, *, now: float) -> list[str]:
        """Retired actors that can be let go."""
        return [
            name
            for name in self._seats.retired
            if (entry := self._seats.get(name)) is not None
            and entry.empty_since is not None
            and now - entry.empty_since >= RETIRED_EMPTY_S
        ]

    def _staying(self) -> list[SeatEntry]:
        return [entry for _, entry in self._seats if not entry.retired]

    def _is_old(self, entry: SeatEntry) -> bool:
        return entry.release < self.release or entry.node in self._draining

    def _is_due(self, entry: SeatEntry, now: float) -> bool:
        since = self._draining.get(entry.node)
        return since is not None and now - since >= SUCCESSOR_WITHIN_S

    def _retire_older(self, least: int, most: int, now: float) -> None:
        if not self._roll.has_all:
            return
        older = sorted(
            (entry.taken, entry.order, name, self._is_due(entry, now))
            for name, entry in self._seats
            if self._is_old(entry) and not entry.retired
        )
        current = self.current
        keep = max(0, self.pool_size(least, most) - current)
        replaced = max(0, len(older) - keep)
        going = older[:replaced] + [row for row in older[replaced:] if row[3] and current]
        for _, _, name, _ in going:
            self._seats.retire(name, now=now)
        self._has_older = len(going) < len(older)
