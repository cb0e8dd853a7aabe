"""Segments that are worth keeping: spoken once, heard by every call that asks meanwhile.

Rules
1. Whoever asks first has it spoken; whoever asks before it is finished hears the same audio from
   its beginning, as it is made. Nobody waits for the whole of it.
2. It is spoken to its end though its callers interrupt it: it was paid for when it was asked for,
   and somebody else will want it.
3. It is kept when it is whole and was spoken by the voice that was meant. A failure is told to all
   who listen, and is not kept.
4. The disk is looked at first, and not waited for when it is slow.
5. What may be wanted soon is made ahead, one at a time; who asks for it meanwhile hears it as well.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Final

from cache.clip_store import ClipStore
from cache.clips import Clip
from providers.errors import ProviderTimeout
from voice.ports import SpeechChunk, TextMark

logger = logging.getLogger(__name__)

DISK_WITHIN_S: Final = 0.05
SPOKEN_WITHIN_S: Final = 60.0
MOST_AHEAD: Final = 32

Speak = Callable[[], AsyncIterator[SpeechChunk]]


class _InProgress:
    """One segment as it is made."""

    def __init__(self) -> None:
        self._chunks: list[SpeechChunk] = []
        self._news = asyncio.Event()
        self._is_over = False
        self._error: Exception | None = None

    def add(self, chunk: SpeechChunk) -> None:
        self._chunks.append(chunk)
        self._tell()

    def end(self, error: Exception | None = None) -> None:
        self._is_over, self._error = True, error
        self._tell()

    def clip(self) -> Clip:
        """All of it."""
        marks = tuple((mark.chars, mark.at_s) for chunk in self._chunks for mark in chunk.marks)
        return Clip(b"".join(chunk.ulaw for chunk in self._chunks), marks)

    async def heard(self) -> AsyncGenerator[SpeechChunk, None]:
        """From the beginning to the end, as it comes. Raises what the voice raised."""
        index = 0
        while True:
            news = self._news
            while index < len(self._chunks):
                yield self._chunks[index]
                index += 1
            if self._is_over:
                if self._error is not None:
                    raise self._error
                return
            if news is self._news:
                await news.wait()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


class SharedSpeech:
    """See the top of this file.

    Args:
        store: Keeps what was spoken.
    """

    def __init__(self, store: ClipStore) -> None:
        self._store = store
        self._in_progress: dict[bytes, _InProgress] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ahead: deque[tuple[bytes, Speak, Callable[[], bool]]] = deque()
        self._preparing: asyncio.Task[None] | None = None

    def stream(
        self, key: bytes, speak: Speak, is_as_meant: Callable[[], bool] = lambda: True
    ) -> AsyncGenerator[SpeechChunk, None]:
        """The segment from its beginning.

        Args:
            key: Of ``cache.clip_key``.
            speak: Speaks it; not asked when somebody else has already, or the disk has it.
            is_as_meant: Asked at the end: whether the voice of ``key`` has spoken.
        """
        work = self._in_progress.get(key)
        if work is None:
            work = self._in_progress[key] = _InProgress()
            making = self._make(key, work, speak, is_as_meant)
            task = asyncio.get_running_loop().create_task(making)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return work.heard()

    def prepare(self, key: bytes, speak: Speak, is_as_meant: Callable[[], bool]) -> bool:
        """Have it in memory, though nobody listens yet: one after the other, in the background.

        Arguments as of :meth:`stream`; False when too many are waiting already.
        """
        if len(self._ahead) >= MOST_AHEAD:
            return False
        self._ahead.append((key, speak, is_as_meant))
        if self._preparing is None or self._preparing.done():
            self._preparing = asyncio.get_running_loop().create_task(self._prepare_all())
        return True

    async def _prepare_all(self) -> None:
        while self._ahead:
            key, speak, is_as_meant = self._ahead.popleft()
            if key not in self._in_progress:
                work = self._in_progress[key] = _InProgress()
                await self._make(key, work, speak, is_as_meant)

    async def aclose(self) -> None:
        """Stop speaking; whoever listens is told."""
        self._ahead.clear()
        tasks = [*self._tasks, *([self._preparing] if self._preparing is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _make(
        self, key: bytes, work: _InProgress, speak: Speak, is_as_meant: Callable[[], bool]
    ) -> None:
        try:
            known = await self._from_disk(key)
            if known is not None:
                marks = tuple(TextMark(chars, at_s) for chars, at_s in known.marks)
                work.add(SpeechChunk(known.ulaw, marks))
                work.end()
                return
            async with asyncio.timeout(SPOKEN_WITHIN_S):
                await _spoken(speak(), work)
        except TimeoutError:
            work.end(ProviderTimeout("did not come to the end of a sentence"))
        except asyncio.CancelledError:
            work.end(ProviderTimeout("the process ends"))
            raise
        except Exception as error:  # noqa: BLE001 - told to those who listen
            work.end(error)
        else:
            work.end()
            clip = work.clip()
            if clip.ulaw and is_as_meant():
                await self._store.keep(key, clip)
        finally:
            if self._in_progress.get(key) is work:
                del self._in_progress[key]

    async def _from_disk(self, key: bytes) -> Clip | None:
        try:
            async with asyncio.timeout(DISK_WITHIN_S):
                return await self._store.recall(key)
        except TimeoutError:
            logger.warning("a kept clip was not waited for: the clip folder is slow")
            return None


async def _spoken(chunks: AsyncIterator[SpeechChunk], work: _InProgress) -> None:
    try:
        async for chunk in chunks:
            work.add(chunk)
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()
