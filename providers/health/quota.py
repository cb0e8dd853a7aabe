"""The limits of one credential (streams at once, requests a minute), leased to workers.

Rules
1. The sum of what all workers may use never exceeds the limit, whichever messages are lost, late,
   doubled or reordered, and whoever dies.
2. So a worker gives up *first* what it no longer needs, then says what it keeps, and may use more
   only after the answer to its newest word. The desk counts what it granted until it is told less.
3. Each worker that wants some gets at least an even share of the limit, and what nobody else wants
   of theirs. What a worker keeps beyond its share is asked back once another one wants it; it gives
   back only what is not in use.
4. A worker that says nothing for ``LEASE_S`` may use nothing new after that, and the desk counts it
   no more ``GRACE_S`` later.
5. A limit that shrinks (a 429, a header) is reached by asking back; nothing in use is cut.

Units are streams for concurrency, and requests a minute for a rate.
"""

from __future__ import annotations

from dataclasses import dataclass

LEASE_S = 10.0
GRACE_S = 5.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What a worker tells the desk.

    Attributes:
        worker: Its name.
        number: Ascending.
        kept: What it may use from now on, in use included.
        in_use: Of that, and what it uses beyond it: what has begun is never cut.
        more: What it would like in addition.
    """

    worker: str
    number: int
    kept: int
    in_use: int
    more: int


@dataclass(frozen=True, slots=True)
class Lease:
    """The desk's answer to one wish.

    Attributes:
        number: Of the wish.
        added: What the worker may use in addition to what it kept.
        asked_back: What it should give up when it can.
        fullness: Share of the limit in use over all workers, 0 to 1 (or above, after a cut).
    """

    number: int
    added: int
    asked_back: int
    fullness: float


@dataclass(slots=True)
class _Holder:
    number: int
    holds: int
    in_use: int
    more: int
    heard_s: float
    lease: Lease


class QuotaDesk:
    """Where the limit of one credential is divided.

    Attributes:
        limit: Units in all; may be changed at any time.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._holders: dict[str, _Holder] = {}

    @property
    def leased(self) -> int:
        """Units that workers may use."""
        return sum(holder.holds for holder in self._holders.values())

    @property
    def workers(self) -> int:
        """How many have said something lately, as far as is known."""
        return len(self._holders)

    @property
    def fullness(self) -> float:
        """Share of the limit in use, as far as is told."""
        in_use = sum(holder.in_use for holder in self._holders.values())
        return in_use / self.limit if self.limit > 0 else 1.0

    def receive(self, wish: Wish, *, now: float) -> Lease | None:
        """Answer a wish; None for one that is older than another of the same worker."""
        self._forget(now)
        known = self._holders.get(wish.worker)
        if known is not None and wish.number <= known.number:
            return known.lease if wish.number == known.number else None
        others = [holder for name, holder in self._holders.items() if name != wish.worker]
        elsewhere = sum(max(holder.holds, holder.in_use) for holder in others)
        free = self.limit - elsewhere - wish.kept
        wanting = 1 + sum(1 for holder in others if holder.more or holder.in_use)
        share = max(1, self.limit // wanting)
        short = sum(min(holder.more, max(0, share - holder.holds)) for holder in others)
        added = max(0, min(wish.more, free, max(share - wish.kept, free - short)))
        needed = max(short - max(0, free), -free)
        asked_back = max(
            0, min(needed, wish.kept - min(share, wish.kept) if free >= 0 else wish.kept)
        )
        in_use = sum(holder.in_use for holder in others) + wish.in_use
        fullness = in_use / self.limit if self.limit > 0 else 1.0
        lease = Lease(wish.number, added, asked_back, fullness)
        self._holders[wish.worker] = _Holder(
            wish.number, wish.kept + added, wish.in_use, wish.more - added, now, lease
        )
        return lease

    def _forget(self, now: float) -> None:
        for name, holder in list(self._holders.items()):
            if now - holder.heard_s > LEASE_S + GRACE_S:
                del self._holders[name]


class QuotaPurse:
    """What one worker may use.

    Attributes:
        held: Units it may use, in use included.
        in_use: Units in use.
        fullness: Of the whole credential, at the last answer.
        told_in_use: Units that it said were in use here, in its newest wish.
    """

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._number = 0
        self._asked_back = 0
        self._is_answered = True
        self._asked_at_s = float("-inf")
        self._sent_s = float("-inf")
        self.held = 0
        self.in_use = 0
        self.fullness = 0.0
        self.told_in_use = 0

    def take(self, *, now: float) -> bool:
        """Use one unit; False when there is none, or the lease has run out."""
        if self.in_use >= self.held or not self.is_leased(now=now):
            return False
        self.in_use += 1
        return True

    def is_leased(self, *, now: float) -> bool:
        """Whether the desk has answered lately."""
        return now - self._sent_s <= LEASE_S

    def give_back(self) -> None:
        """One unit is not in use any more."""
        self.in_use = max(0, self.in_use - 1)

    def wish(self, want: int, *, now: float, over: int = 0) -> Wish:
        """Give up what is not needed, and say what is.

        Args:
            want: Units that it would like to have, in use included.
            now: Seconds; the lease counts from when it was asked for.
            over: Units that it uses beyond what it holds.
        """
        spare = max(0, self.held - max(want, self.in_use))
        spare = max(spare, min(self._asked_back, self.held - self.in_use))
        self.held -= max(0, spare)
        self._asked_back = 0
        self._number += 1
        self._is_answered = False
        self._asked_at_s = now
        self.told_in_use, more = self.in_use + over, max(0, want - self.held)
        return Wish(self._worker, self._number, self.held, self.told_in_use, more)

    def answered(self, lease: Lease) -> bool:
        """Take the answer to the newest wish; False for another one, or a doubled one."""
        if lease.number != self._number or self._is_answered:
            return False
        self._is_answered = True
        self.held += lease.added
        self._asked_back = lease.asked_back
        self._sent_s = self._asked_at_s
        self.fullness = lease.fullness
        return True
