"""How an ingress replica that is to go loses its calls: it waits, then moves them, then closes.

Rules
1. A replica that retires gets nobody new. For ``wait_s`` its calls may end by themselves.
2. Then each is asked to go elsewhere, ``moves_a_second`` of them at most, so that the replicas that
   take them are not asked by all at once. A call leaves between two turns, when nobody speaks.
3. A call that was asked and is still there ``move_s`` later is closed, whoever speaks: the carrier
   then asks for a new stream as after any loss.
4. Who was asked and who was closed is told once. Calls that come in late are treated likewise, and
   so is one that has gone and comes back: HAProxy may send it here once more.
5. When nobody is left, and front and HAProxy have had ``least_s`` to learn that this replica is
   gone, it may end.
6. One that must be gone by a time begins to move so much earlier that a call still has ``move_s``.

The same holds for the calls whose carrier reaches them through a node that is to go, whichever
replica they are on: they wait, are moved, are closed.

Synchronous; ``now`` is loop time in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

Phase = Literal["serving", "waiting", "moving", "over"]


@dataclass(frozen=True, slots=True)
class DrainTimes:
    """How long a retiring replica takes over what; seconds.

    Attributes:
        wait_s: Calls may end by themselves.
        move_s: A call has to find a pause between two turns.
        least_s: Not over before, so that nobody is still sent here.
        moves_a_second: Calls that are asked to go in a second.
        settle_s: Nobody is asked before, in whatever haste: who asked too early would come back.
    """

    wait_s: float = 60.0
    move_s: float = 45.0
    least_s: float = 10.0
    moves_a_second: float = 10.0
    settle_s: float = 0.0


@dataclass(frozen=True, slots=True)
class DrainStep:
    """What is to be done now.

    Attributes:
        move: Ids of calls that are to go elsewhere between two turns.
        close: Ids of calls whose socket is to be closed at once.
        is_over: The replica may end.
    """

    move: tuple[str, ...] = ()
    close: tuple[str, ...] = ()
    is_over: bool = False


class ReplicaDrain:
    """See the rules above.

    Args:
        times: Of this deployment.
    """

    def __init__(self, times: DrainTimes) -> None:
        self._times = times
        self._since: float | None = None
        self._move_from = math.inf
        self._asked: dict[str, float] = {}
        self._closed: set[str] = set()
        self._is_over = False
        self._credit = 1.0
        self._looked_at: float | None = None

    @property
    def is_retiring(self) -> bool:
        """Whether this replica is to go."""
        return self._since is not None

    def retire(self, *, now: float, within_s: float | None = None) -> bool:
        """This replica is to go; False when that was known. It is never taken back.

        Args:
            now: Loop time.
            within_s: It must be gone in so many seconds; None: nobody presses.
        """
        is_news = self._since is None
        if self._since is None:
            self._since = now
            self._move_from = now + max(self._times.wait_s, self._times.settle_s)
        if within_s is not None:
            earliest = self._since + self._times.settle_s
            self._move_from = min(
                self._move_from, max(earliest, now + within_s - self._times.move_s)
            )
        return is_news

    def phase(self, *, now: float) -> Phase:
        """For people."""
        if self._since is None:
            return "serving"
        if self._is_over:
            return "over"
        return "waiting" if now < self._move_from else "moving"

    def look(self, calls: Collection[str], *, now: float) -> DrainStep:
        """What is due.

        Args:
            calls: Ids of all calls in progress here.
            now: Loop time; several looks a second.
        """
        if self._since is None or self._is_over:
            return DrainStep(is_over=self._is_over)
        if not calls and now - self._since >= self._times.least_s:
            self._is_over = True
            return DrainStep(is_over=True)
        if now < self._move_from:
            return DrainStep()
        self._asked = {each: at for each, at in self._asked.items() if each in calls}
        self._closed &= self._asked.keys()
        return DrainStep(self._to_move(calls, now), self._to_close(calls, now))

    def _to_move(self, calls: Collection[str], now: float) -> tuple[str, ...]:
        before, self._looked_at = self._looked_at, now
        if before is not None:
            earned = (now - before) * self._times.moves_a_second
            self._credit = min(self._credit + earned, max(1.0, self._times.moves_a_second))
        found = [call_id for call_id in calls if call_id not in self._asked][: int(self._credit)]
        self._credit -= len(found)
        self._asked |= dict.fromkeys(found, now)
        return tuple(found)

    def _to_close(self, calls: Collection[str], now: float) -> tuple[str, ...]:
        found = [
            call_id
            for call_id in calls
            if now - self._asked.get(call_id, now) >= self._times.move_s
            and call_id not in self._closed
        ]
        self._closed.update(found)
        return tuple(found)
