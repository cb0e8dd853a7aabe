"""An event loop whose clock jumps to the next timer: an hour of a call in a moment.

Exactly one thing advances time: the selector. When nothing is ready, the loop would sleep until the
next timer; here the clock jumps there instead. Threads and real sockets do not stop the clock, so
tests on this loop use neither.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now_s = 1_000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("deadlock: no timer, no socket, nothing will ever happen")
        if not ready and timeout:
            self.now_s += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A selector loop on virtual time, starting at 1,000 s."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s

    def stand_still(self, for_s: float) -> None:
        """The process is held: time goes on, and nothing runs."""
        self._jumping.now_s += for_s


def run(coroutine: Coroutine[Any, Any, T], *, limit_s: float = 3_600.0) -> T:
    """Run ``coroutine`` on virtual time; fails after ``limit_s`` virtual seconds."""
    loop = VirtualTimeLoop()
    try:
        return loop.run_until_complete(asyncio.wait_for(coroutine, limit_s))
    finally:
        pending = asyncio.all_tasks(loop)
        for task in pending:
            task.cancel()
        if pending:
            loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
