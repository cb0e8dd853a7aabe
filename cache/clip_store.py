"""Clips from memory, from disk, or made now: once, however many calls ask at the same time.

Rules:
1. The same key in progress is made once; everybody who asked gets that result, or that error.
2. Whoever gives up waiting does not take the clip from the others: making goes on while somebody
   waits, and stops when nobody does.
3. An error is told to those who waited and is not kept: the next one who asks tries again.
4. The disk is an aid: a broken file is said in the log and made anew, a failing disk likewise.
5. A clip in memory stays on disk: the phrases that need no provider are there for the next process.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cache.clip_file import ClipFolder
from cache.clips import Clip, ClipCache
from cache.errors import ClipFileBroken

_log = logging.getLogger(__name__)

_SWEEP_EVERY_S = 3_600.0

Maker = Callable[[], Awaitable[Clip]]
RunBlocking = Callable[[Callable[[], Clip | None]], Awaitable[Clip | None]]


@dataclass(slots=True)
class _InProgress:
    task: asyncio.Task[Clip]
    waiters: int = 0


class ClipStore:
    """A ``ClipCache`` with single flight and, if wanted, a folder behind it.

    Args:
        memory: The cache in memory.
        folder: Clips on disk; None keeps them in memory only.
        run_blocking: Runs disk work off the loop (``asyncio.to_thread``).
    """

    def __init__(
        self,
        memory: ClipCache,
        folder: ClipFolder | None = None,
        *,
        run_blocking: RunBlocking = asyncio.to_thread,
    ) -> None:
        self.memory = memory
        self._folder = folder
        self._run_blocking = run_blocking
        self._in_progress: dict[bytes, _InProgress] = {}
        self._disk_failed = False

    def get(self, key: bytes) -> Clip | None:
        """The clip if it is in memory; costs microseconds."""
        return self.memory.get(key)

    async def recall(self, key: bytes) -> Clip | None:
        """The clip from memory or disk."""
        clip = self.memory.get(key)
        if clip is None and (clip := await self._from_disk(key)) is not None:
            self.memory.put(key, clip)
        return clip

    async def keep(self, key: bytes, clip: Clip) -> None:
        """Keep a clip that was made elsewhere: in memory at once, then on disk."""
        self.memory.put(key, clip)
        await self._to_disk(key, clip)

    async def bound(self, most_bytes: int) -> None:
        """Keep the folder from growing for ever, now and every hour; ends when it is cancelled."""
        while True:
            await self.sweep(most_bytes)
            await asyncio.sleep(_SWEEP_EVERY_S)

    async def sweep(self, most_bytes: int) -> None:
        """Remove what was not used for longest; what is in memory is in use."""
        folder, held = self._folder, self.memory.keys
        if folder is None:
            return

        def work() -> None:
            folder.used(held)
            if removed := folder.sweep(most_bytes):
                _log.info("%d clips that were not used for longest are removed", removed)

        try:
            await self._run_blocking(work)
        except OSError as error:
            self._disk_broke(error)

    async def get_or_make(self, key: bytes, maker: Maker, *, pin: bool = False) -> Clip:
        """The clip from memory, disk, or ``maker``.

        Args:
            key: Of ``cache.clip_key``.
            maker: Makes the whole clip; called at most once for one key at a time.
            pin: Keep it in memory for good (greetings, stock phrases).

        Raises:
            Exception: Whatever ``maker`` raised; nothing is kept.
            ClipTooLarge: It was to be pinned and does not fit.
        """
        clip = self.memory.get(key)
        if clip is None:
            clip = await self._join(key, maker)
        if pin:
            self.memory.put(key, clip, pin=True)
        return clip

    async def _join(self, key: bytes, maker: Maker) -> Clip:
        work = self._in_progress.get(key)
        if work is None:
            task = asyncio.get_running_loop().create_task(self._obtain(key, maker))
            work = self._in_progress[key] = _InProgress(task)
            task.add_done_callback(lambda _task: self._finished(key, work))
        work.waiters += 1
        try:
            # The shield lets one waiter leave without taking the clip from the others.
            return await asyncio.shield(work.task)
        finally:
            work.waiters -= 1
            if not work.waiters and not work.task.done():
                work.task.cancel()
                self._finished(key, work)

    def _finished(self, key: bytes, work: _InProgress) -> None:
        if self._in_progress.get(key) is work:
            del self._in_progress[key]
        if work.task.done() and not work.task.cancelled():
            # Read it, so that an error whose last waiter has left is not reported as lost.
            work.task.exception()

    async def _obtain(self, key: bytes, maker: Maker) -> Clip:
        clip = await self._from_disk(key)
        if clip is None:
            clip = await maker()
            await self._to_disk(key, clip)
        self.memory.put(key, clip)
        return clip

    async def _from_disk(self, key: bytes) -> Clip | None:
        folder = self._folder
        if folder is None:
            return None
        try:
            return await self._run_blocking(lambda: folder.read(key))
        except ClipFileBroken as error:
            _log.warning("clip %s is made anew: %s", key.hex(), error.message)
        except OSError as error:
            self._disk_broke(error)
        return None

    async def _to_disk(self, key: bytes, clip: Clip) -> None:
        folder = self._folder
        if folder is None:
            return
        try:
            await self._run_blocking(lambda: folder.write(key, clip))
        except OSError as error:
            self._disk_broke(error)
        else:
            self._disk_failed = False

    def _disk_broke(self, error: OSError) -> None:
        if not self._disk_failed:
            _log.error("the clip folder cannot be used, clips stay in memory: %s", error)
        self._disk_failed = True
