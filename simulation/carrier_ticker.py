"""One clock for all calls of a process: every 20 ms, on absolute deadlines.

Rules
- Calls are spread over a few slots inside the 20 ms, since real calls do not beat in step, and a
  burst of all of them would be the server's problem and not the phone network's.
- A deadline is computed from the start, never from the last wake-up: lateness does not add up.
- After a stall every missed deadline is kept, one after the other, as a phone network would.
- Lateness is measured at each tick, against the deadline.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

FRAME_S = 0.02
DEFAULT_SLOTS = 4
_BINS_PER_S = 20_000
_BINS = 4_000

Tick = Callable[[float, float], None]


class Lateness:
    """How late ticks were: counts in bins of 0.05 ms up to 200 ms, and the worst."""

    def __init__(self) -> None:
        self._counts = [0] * (_BINS + 1)
        self.total = 0
        self.max_s = 0.0
        self._sum_s = 0.0

    def add(self, lateness_s: float) -> None:
        """Count one tick; never negative, since nothing ticks early."""
        index = int(lateness_s * _BINS_PER_S)
        self._counts[min(_BINS, index)] += 1
        self.total += 1
        self._sum_s += lateness_s
        if lateness_s > self.max_s:
            self.max_s = lateness_s

    @property
    def mean_s(self) -> float:
        """Mean lateness; 0 when nothing was counted."""
        return self._sum_s / self.total if self.total else 0.0

    def quantile_s(self, q: float) -> float:
        """The lateness that a share ``q`` of ticks did not exceed (upper edge of its bin)."""
        wanted = math.ceil(q * self.total)
        seen = 0
        for index, count in enumerate(self._counts):
            seen += count
            if count and seen >= wanted:
                return self.max_s if index == _BINS else min(self.max_s, (index + 1) / _BINS_PER_S)
        return 0.0


class _Slot:
    def __init__(self, next_due_s: float) -> None:
        self.next_due_s = next_due_s
        self.ticks: list[Tick] = []


class Ticker:
    """Calls every registered tick as ``tick(due_s, now)`` each 20 ms until it is removed.

    Args:
        slots: Over how many moments inside the 20 ms the calls are spread.
    """

    def __init__(self, slots: int = DEFAULT_SLOTS) -> None:
        self._loop = asyncio.get_running_loop()
        start_s = self._loop.time()
        self._slots = [_Slot(start_s + FRAME_S * (1 + index / slots)) for index in range(slots)]
        self._timer: asyncio.TimerHandle | None = None
        self.lateness = Lateness()

    def add(self, tick: Tick) -> None:
        """Call ``tick`` from the next deadline of the emptiest slot on."""
        slot = min(self._slots, key=lambda each: len(each.ticks))
        if not slot.ticks:
            now = self._loop.time()
            missed = math.ceil((now - slot.next_due_s) / FRAME_S)
            slot.next_due_s += max(0, missed) * FRAME_S
        # A new list: the one being walked through stays as it is.
        slot.ticks = [*slot.ticks, tick]
        self._arm()

    def remove(self, tick: Tick) -> None:
        """Call it no more; unknown ticks are ignored."""
        for slot in self._slots:
            if tick in slot.ticks:
                slot.ticks = [each for each in slot.ticks if each != tick]

    def _arm(self) -> None:
        busy = [slot.next_due_s for slot in self._slots if slot.ticks]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if busy:
            self._timer = self._loop.call_at(min(busy), self._wake)

    def _wake(self) -> None:
        self._timer = None
        time = self._loop.time
        for slot in self._slots:
            while slot.ticks and slot.next_due_s <= time():
                due_s = slot.next_due_s
                slot.next_due_s = due_s + FRAME_S
                for tick in slot.ticks:
                    now = time()
                    tick(due_s, now)
                    self.lateness.add(now - due_s)
        self._arm()
