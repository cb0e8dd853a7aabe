"""So many at a time: work of a crowd is spread over several steps of the event loop.

A hundred turns that end in the same instant are a hundred small pieces of work in one step, and
nothing else of the loop, the audio of other calls for one, goes on meanwhile. Whoever comes alone
passes at once, without giving up the loop.
"""

from __future__ import annotations

import asyncio
from collections import deque


class Turnstile:
    """Lets so many pass in each step of the loop, in the order in which they came.

    Args:
        each_step: At least 1.
    """

    def __init__(self, each_step: int) -> None:
        self._each_step = each_step
        self._left = each_step
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_counting = False

    async def passed(self) -> None:
        """Returns at once, or in a later step; who is cancelled meanwhile holds up nobody."""
        loop = asyncio.get_running_loop()
        if not self._is_counting:
            self._is_counting = True
            loop.call_soon(self._next_step, loop)
        if self._left and not self._waiting:
            self._left -= 1
            return
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiting.append(waiter)
        await waiter

    def _next_step(self, loop: asyncio.AbstractEventLoop) -> None:
        self._left = self._each_step
        while self._waiting and self._left:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                self._left -= 1
        self._is_counting = self._left < self._each_step
        if self._is_counting:
            loop.call_soon(self._next_step, loop)
