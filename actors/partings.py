"""Has CallActors forget a call that has left them.

One that was only slow, or hung and goes on, has the call still: without a word it would keep its
seat for minutes, as for a call whose stream may come back, and then write down that it was lost.
"""

from __future__ import annotations

import asyncio
import contextlib

from actors.errors import MindLostError
from actors.mind_calls import MOVED_ON
from actors.mind_pool import MindPool
from actors.wire import CloseCall, OpenCall


class Partings:
    """Of one call.

    Args:
        pool: The CallActors.
        timeout_s: How long each has to answer; one that hangs reads it when it goes on.
    """

    def __init__(self, pool: MindPool, timeout_s: float) -> None:
        self._pool = pool
        self._timeout_s = timeout_s
        self._telling: set[asyncio.Task[None]] = set()

    async def tell(self, actor: str, call: OpenCall) -> None:
        """The call has left this actor, which had it under this epoch. Never raises."""
        farewell = CloseCall(call.tenant_id, call.call_id, call.epoch, False, MOVED_ON)
        with contextlib.suppress(MindLostError, TimeoutError):
            await asyncio.wait_for(self._pool.close_call(actor, farewell), self._timeout_s)

    def begin(self, actor: str, call: OpenCall) -> None:
        """The same; nobody waits for it."""
        task = asyncio.get_running_loop().create_task(self.tell(actor, call))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)
