"""The open polls at the owner of the response cache: who waits, how often to ask, a whole copy.

Rules
1. A poll is answered when something changes, or after a while with nothing.
2. A whole copy is made once for all who ask within ``SNAPSHOT_GOOD_FOR_S``, as long as the log
   still has what was changed since.
3. The more ask, the less often they should.
"""

from __future__ import annotations

import asyncio
from typing import Final

from actors.cache_saver import Aside
from actors.long_work import gathered, used_up
from cache.deltas import state_slices
from cache.keeper import CacheKeeper
from cache.replica_reports import DELTAS

POLL_S: Final = 5.0
CALM_S: Final = 0.2
CALLS_A_SECOND: Final = 200
"""Polls that one actor answers without falling behind."""
SNAPSHOT_GOOD_FOR_S: Final = 30.0
_READERS_KEPT_S: Final = 30.0


class CachePolls:
    """Of one owner.

    Args:
        aside: Runs a function in a thread.
    """

    def __init__(self, aside: Aside) -> None:
        self._aside = aside
        self._open: set[asyncio.Future[None]] = set()
        self._readers: dict[str, float] = {}
        self._copy: tuple[float, CacheKeeper, int, bytes] | None = None
        self._copying = asyncio.Lock()

    @property
    def readers(self) -> int:
        """Processes that have asked lately."""
        return len(self._readers)

    @property
    def poll_s(self) -> float:
        """How long a poll is kept open."""
        return max(POLL_S, len(self._readers) / CALLS_A_SECOND)

    @property
    def calm_s(self) -> float:
        """How long to wait before the next one."""
        return max(CALM_S, len(self._readers) / CALLS_A_SECOND)

    def asked(self, reader: str) -> None:
        """This process is there."""
        self._readers[reader] = asyncio.get_running_loop().time()

    def forget_silent(self) -> None:
        """Processes that did not ask for a while are gone."""
        now = asyncio.get_running_loop().time()
        self._readers = {
            name: at for name, at in self._readers.items() if now - at < _READERS_KEPT_S
        }

    def wake(self) -> None:
        """Answer the open polls: something has changed."""
        for poll in self._open:
            if not poll.done():
                poll.set_result(None)

    async def until_news(self) -> None:
        """Return once something has changed, or after ``poll_s``."""
        poll: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._open.add(poll)
        try:
            async with asyncio.timeout(self.poll_s):
                await poll
        except TimeoutError:
            return
        finally:
            self._open.discard(poll)

    async def whole(self, keeper: CacheKeeper) -> tuple[int, bytes]:
        """Number and lines of a snapshot: deltas after it are still in the log."""
        async with self._copying:
            now = asyncio.get_running_loop().time()
            if self._copy is not None:
                made_at, of, last, lines = self._copy
                is_fresh = of is keeper and now - made_at < SNAPSHOT_GOOD_FOR_S
                if is_fresh and keeper.log.since(last, 1) is not None:
                    return last, lines
            last = keeper.log.last  # what changes while it is taken is told once more, as a delta
            state = await gathered(state_slices(keeper.cache))
            lines = await self._aside(lambda: used_up(state, DELTAS.lines))
            self._copy = (now, keeper, last, lines)
            return last, lines

    def forget_copy(self) -> None:
        """The owner has another state: nobody is given the one of before."""
        self._copy = None
