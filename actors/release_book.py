"""Which CallActors are of what is deployed, and which of older releases are to go.

Rules
1. A release is a word; of two, the larger one is the newer (``cluster.release``).
2. When something newer is deployed, as many actors of it are wanted as there are of older ones.
   Each that has reported retires one of those, the emptiest first: the cluster is never smaller
   than it was, and what does not start retires nobody.
3. An actor that is newer than what is known here is as good as current: a directory that was
   started again learns from its replicas what is deployed, and until then it retires nobody.
4. A retired actor is let go once it has been empty for ``RETIRED_EMPTY_S``: nobody is on the way
   there any more.

The machine reads no clock and does no I/O; ``now`` is loop time in seconds.
"""

from __future__ import annotations

from actors.seat_book import SeatBook, SeatEntry

RETIRED_EMPTY_S = 10.0


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
        self.release = ""

    def deployed(self, release: str) -> bool:
        """This is deployed now; False when it was known, or something newer is."""
        if release <= self.release:
            return False
        self.release = release
        self._to_replace = sum(not entry.retired for _, entry in self._seats)
        self._has_older = self._to_replace > 0
        return True

    @property
    def current(self) -> int:
        """How many actors there are of what is deployed."""
        return sum(entry.release >= self.release for _, entry in self._seats)

    def pool_size(self, least: int) -> int:
        """How many of them there are to be at least."""
        if self._to_replace and self.current >= self._to_replace:
            self._to_replace = 0
        return max(least, self._to_replace)

    def reported(self, entry: SeatEntry, release: str, least: int) -> None:
        """An actor has said of what release it is."""
        entry.release = release
        if release < self.release and not entry.retired:
            self._has_older = True
        if self._has_older:
            self._retire_older(least)

    def gone(self, *, now: float) -> list[str]:
        """Retired actors that can be let go."""
        return [
            name
            for name in self._seats.retired
            if (entry := self._seats.get(name)) is not None
            and entry.empty_since is not None
            and now - entry.empty_since >= RETIRED_EMPTY_S
        ]

    def _retire_older(self, least: int) -> None:
        older = sorted(
            (entry.taken, entry.order, name)
            for name, entry in self._seats
            if entry.release < self.release and not entry.retired
        )
        keep = max(0, self.pool_size(least) - self.current)
        going = older[: max(0, len(older) - keep)]
        for _, _, name in going:
            self._seats.retire(name)
        self._has_older = len(going) < len(older)
