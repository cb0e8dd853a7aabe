"""Which CallActors are of what is deployed, and which of older releases or drained nodes are to go.

Rules
1. A release is a word; of two, the larger one is the newer (``cluster.release``).
2. When something newer is deployed, as many actors of it are wanted as there are of older ones.
   Each that has reported retires one of those, the emptiest first: the cluster is never smaller
   than it was, and what does not start retires nobody.
3. An actor that is newer than what is known here is as good as current: a directory that was
   started again learns from its replicas what is deployed, and until then it retires nobody.
4. A retired actor is let go once it has been empty for ``RETIRED_EMPTY_S``: nobody is on the way
   there any more.
5. An actor on a node that is drained is as good as one of an older release. It is retired after
   ``SUCCESSOR_WITHIN_S`` in any case, once there is any other: with its node it will be gone.

The machine reads no clock and does no I/O; ``now`` is loop time in seconds.
"""

from __future__ import annotations

from collections.abc import Collection

from actors.seat_book import SeatBook, SeatEntry

RETIRED_EMPTY_S = 10.0
SUCCESSOR_WITHIN_S = 20.0


class ReleaseBook:
    """See the rules at the top of this file.

    Attributes:
        release: What is deployed; empty while nobody has said.

    Args:
        seats: Of all actors.
    """

    def __init__(self, seats: SeatBook) -> None:
        self._seats = seats
        self._to_replace = 0
        self._has_older = False
        self._draining: dict[str, float] = {}
        self.release = ""

    def deployed(self, release: str) -> bool:
        """This is deployed now; False when it was known, or something newer is."""
        if release <= self.release:
            return False
        self.release = release
        self._to_replace = sum(not entry.retired for _, entry in self._seats)
        self._has_older = self._to_replace > 0
        return True

    def drained(self, nodes: Collection[str], *, now: float, least: int) -> None:
        """These nodes are drained, and no others; again and again."""
        known = self._draining
        self._draining = {node: known.get(node, now) for node in nodes}
        if not nodes:
            return
        there = [entry for _, entry in self._seats if not entry.retired]
        if any(entry.node in nodes and entry.node not in known for entry in there):
            self._to_replace = max(self._to_replace, len(there))
        self._has_older |= any(entry.node in nodes for entry in there)
        if self._has_older:
            self._retire_older(least, now)

    @property
    def current(self) -> int:
        """How many actors there are of what is deployed, on nodes that stay."""
        return sum(not self._is_old(entry) for _, entry in self._seats)

    def pool_size(self, least: int) -> int:
        """How many of them there are to be at least."""
        if self._to_replace and self.current >= self._to_replace:
            self._to_replace = 0
        return max(least, self._to_replace)

    def reported(self, entry: SeatEntry, release: str, least: int, *, now: float) -> None:
        """An actor has said of what release it is."""
        entry.release = release
        if self._is_old(entry) and not entry.retired:
            self._has_older = True
        if self._has_older:
            self._retire_older(least, now)

    def gone(self, *, now: float) -> list[str]:
        """Retired actors that can be let go."""
        return [
            name
            for name in self._seats.retired
            if (entry := self._seats.get(name)) is not None
            and entry.empty_since is not None
            and now - entry.empty_since >= RETIRED_EMPTY_S
        ]

    def _is_old(self, entry: SeatEntry) -> bool:
        return entry.release < self.release or entry.node in self._draining

    def _is_due(self, entry: SeatEntry, now: float) -> bool:
        since = self._draining.get(entry.node)
        return since is not None and now - since >= SUCCESSOR_WITHIN_S

    def _retire_older(self, least: int, now: float) -> None:
        older = sorted(
            (entry.taken, entry.order, name, self._is_due(entry, now))
            for name, entry in self._seats
            if self._is_old(entry) and not entry.retired
        )
        current = self.current
        keep = max(0, self.pool_size(least) - current)
        most = max(0, len(older) - keep)
        going = older[:most] + [row for row in older[most:] if row[3] and current]
        for _, _, name, _ in going:
            self._seats.retire(name)
        self._has_older = len(going) < len(older)
