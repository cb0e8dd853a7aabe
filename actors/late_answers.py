"""How long an answer of a CallActor is waited for: one that is lost, and one that has much to do.

An actor that says nothing is lost after the actor timeout. One that answers others meanwhile is
behind with its work: to move its calls would be more work for everybody, and would not be quicker.
It is waited for ``MOST_LATE`` times as long.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from actors.errors import MindLostError
from actors.mind_pool import MindPool

T = TypeVar("T")
MOST_LATE = 3


class LateAnswers:
    """For one call.

    Args:
        pool: Knows who has answered anybody lately.
        timeout_s: After which an actor that says nothing is lost.
    """

    def __init__(self, pool: MindPool, timeout_s: float) -> None:
        self._pool = pool
        self._timeout_s = timeout_s

    async def wait(self, actor: str, asking: Awaitable[T]) -> T:
        """What this actor answers. Raises ``MindLostError`` when it does not."""
        task = asyncio.ensure_future(asking)
        try:
            for _ in range(MOST_LATE):
                done, _ = await asyncio.wait({task}, timeout=self._timeout_s)
                if done:
                    return task.result()
                if not self._pool.has_answered(actor, within_s=self._timeout_s):
                    break
        finally:
            if not task.done():  # nothing may read it while it is being closed
                task.cancel()
                await asyncio.wait({task})
        raise MindLostError(f"{actor}: no answer in {self._timeout_s} s")
