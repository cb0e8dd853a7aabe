"""Calls between their lease and their seat, in one place: a CallActor, or the ears of all replicas.

Two parties tell of the same call: the replica that has spent a lease on it, and whoever seats it.
They tell at different times, in either order and possibly twice, so a call is followed by its id.

Rules
1. Told as spent and not yet seated: *on its way*. It counts as a seat for at most
   ``SPENT_COUNTS_S``: its caller may have hung up before the stream came.
2. Seated and not yet told as spent: *early*. Its lease still stands in the last report of some
   replica although it is used up, so it is set off against the leases held; also for at most
   ``SPENT_COUNTS_S``, for it may have sat down without a lease.
3. Told and seated, in whichever order: done. What is told again changes nothing.

The machine reads no clock and does no I/O; ``now`` is loop time in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable

SPENT_COUNTS_S = 5.0
REMEMBERED_S = 70.0  # longer than a stream token is valid: nobody tells of a call after that


class SeatLedger:
    """Who is on the way to this place, and who was here before it was told."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}  # oldest first, as all of these
        self._seated: dict[str, float] = {}
        self._on_way: dict[str, float] = {}
        self._early: dict[str, float] = {}
        self._unnamed = 0

    @property
    def on_way(self) -> int:
        """Calls that need a seat here and have none yet."""
        return len(self._on_way)

    def owed(self, held: int) -> int:
        """Seats that are promised and not taken, when replicas hold ``held`` leases by report."""
        return max(0, held + len(self._on_way) - len(self._early))

    def spent(self, call_id: str, *, now: float) -> None:
        """A lease was spent on this call."""
        if call_id in self._told:
            return
        self._told[call_id] = now
        if call_id in self._seated:
            self._early.pop(call_id, None)
        else:
            self._on_way[call_id] = now

    def spent_unnamed(self, count: int, *, now: float) -> None:
        """So many leases were spent on calls that an older replica does not name."""
        for _ in range(count):
            self._unnamed += 1
            self.spent(f"unnamed {self._unnamed}", now=now)

    def seated(self, call_ids: Iterable[str], *, now: float, is_first: bool) -> bool:
        """These calls have sat down lately; True when one of them is early.

        Nothing is set off for them when their teller is new here (``is_first``): their leases may
        have been told as spent before, to somebody who is gone.
        """
        any_early = False
        for call_id in call_ids:
            if call_id in self._seated:
                continue
            self._seated[call_id] = now
            if call_id in self._told:
                self._on_way.pop(call_id, None)
            elif not is_first:
                self._early[call_id] = now
                any_early = True
        return any_early

    def forget_old(self, *, now: float) -> None:
        """Drop what does not count any more."""
        for calls, kept_s in (
            (self._on_way, SPENT_COUNTS_S),
            (self._early, SPENT_COUNTS_S),
            (self._told, REMEMBERED_S),
            (self._seated, REMEMBERED_S),
        ):
            while calls and now - next(iter(calls.values())) >= kept_s:
                del calls[next(iter(calls))]
