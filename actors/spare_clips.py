"""What is heard often is rendered in an agent's other voices too, for the day its own one fails.

In the background, one segment at a time. A voice that fails is asked again when the segment was
heard as often again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from typing import Final

from cache.errors import CacheError
from providers.errors import ProviderError

logger = logging.getLogger(__name__)

HEARD_OFTEN: Final = 5
MOST_COUNTED: Final = 2_000
MOST_WAITING: Final = 100


class SpareClips:
    """Counts what is heard, and renders what is heard often.

    Args:
        render: Has a text spoken and kept in every voice of the agent. Raises ``ProviderError``.
    """

    def __init__(self, render: Callable[[str], Awaitable[None]]) -> None:
        self._render = render
        self._heard: OrderedDict[str, int] = OrderedDict()
        self._waiting: deque[str] = deque(maxlen=MOST_WAITING)
        self._task: asyncio.Task[None] | None = None

    def heard(self, text: str) -> None:
        """A kept segment was played; costs microseconds."""
        times = self._heard.pop(text, 0) + 1
        self._heard[text] = times % HEARD_OFTEN
        if len(self._heard) > MOST_COUNTED:
            self._heard.popitem(last=False)
        if times >= HEARD_OFTEN and text not in self._waiting:
            self._waiting.append(text)
            if self._task is None or self._task.done():
                self._task = asyncio.get_running_loop().create_task(self._work())

    async def aclose(self) -> None:
        """Render nothing more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        while self._waiting:
            try:
                await self._render(self._waiting[0])
            except (ProviderError, CacheError) as error:
                logger.info("a segment is not there in a spare voice: %s", error)
            self._waiting.popleft()
