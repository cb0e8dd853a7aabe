"""What a load run says of itself while it goes on: one line, written over and over.

The callers share this thread, so a line is written twice a second at most, and nowhere but to a
terminal.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from simulation.caller_events import CallEnded, CallerEvent, CallStarted, TurnMeasured

EVERY_S = 0.5
_CLEAR = "\r\x1b[2K"


class LoadProgress:
    """Counts what callers report.

    Args:
        calls: Calls of the run.
        out: Where the line goes; nothing is written unless it is a terminal.
        clock: Seconds; to be replaced in tests.
    """

    def __init__(
        self, calls: int, out: TextIO, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._calls = calls
        self._out = out
        self._clock = clock
        self._next_s = float("-inf")
        self._is_shown = out.isatty()
        self._up: set[int] = set()
        self._over = 0
        self._turns = 0

    def take(self, event: CallerEvent) -> None:
        """An event of a caller."""
        match event:
            case CallStarted(call=call):
                self._up.add(call)
            case CallEnded(call=call):
                self._up.discard(call)
                self._over += 1
            case TurnMeasured():
                self._turns += 1
            case _:
                return
        now = self._clock()
        if self._is_shown and now >= self._next_s:
            self._next_s = now + EVERY_S
            self._out.write(_CLEAR + self.line())
            self._out.flush()

    def line(self) -> str:
        """Where the run is."""
        return f"{self._over} of {self._calls} calls over, {len(self._up)} up, {self._turns} turns"

    def clear(self) -> None:
        """Take the line away."""
        if self._is_shown:
            self._out.write(_CLEAR)
            self._out.flush()
