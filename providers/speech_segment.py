"""One segment of speech on its way over a shared socket: audio, marks, deadlines."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable

from providers.audio_bounds import check_length
from providers.errors import ProviderError, ProviderTimeout, ProviderUnavailable
from voice.ports import SpeechChunk, TextMark


class SpeechSegment:
    """One context: audio as it arrives, then the end or an error.

    Args:
        context_id: Its name on the socket.
        text: What is spoken; marks refer to it.
        provider: Short name, for errors.
        first_byte_timeout_s: From now to the first audio.
        stall_timeout_s: Between two pieces of it.
        drop: Tells the socket that nobody listens any more, and whether the service is to blame.
        fresh: See below.

    Attributes:
        heard: Some audio has arrived.
        fresh: Its socket was opened for it, so a failure is no leftover of an idle socket.
        samples: How much audio has arrived.
    """

    def __init__(
        self,
        context_id: str,
        text: str,
        *,
        provider: str,
        first_byte_timeout_s: float,
        stall_timeout_s: float,
        drop: Callable[[SpeechSegment, bool], None],
        fresh: bool,
    ) -> None:
        self.context_id = context_id
        self.heard = False
        self.fresh = fresh
        self.samples = 0
        self._text = text
        self._provider = provider
        self._first_byte_timeout_s = first_byte_timeout_s
        self._stall_timeout_s = stall_timeout_s
        self._drop = drop
        self._loop = asyncio.get_running_loop()
        self._chunks: deque[SpeechChunk] = deque()
        self._ended = False
        self._error: ProviderError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._progress_s = self._loop.time()

    async def next_chunk(self) -> SpeechChunk | None:
        """The next audio; None after the last.

        Raises:
            ProviderError: The segment failed, or the service kept it waiting too long.
        """
        while not self._chunks:
            if self._error is not None:
                raise self._error
            if self._ended:
                return None
            wait_s = self._stall_timeout_s if self.heard else self._first_byte_timeout_s
            timer = self._loop.call_at(self._progress_s + wait_s, self._expire)
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                timer.cancel()
                self._waiter = None
        return self._chunks.popleft()

    def abandon(self) -> None:
        """Nobody listens any more. Does nothing to a segment that is over."""
        if not self._ended:
            self._ended = True
            self._drop(self, False)

    def push(self, ulaw: bytes, marks: tuple[TextMark, ...]) -> None:
        """More audio. Raises ``ProviderProtocolError``: more than the text can take."""
        check_length(self.samples + len(ulaw), self._text, self._provider)
        self.samples += len(ulaw)
        self._progress_s = self._loop.time()
        self.heard = True
        self._chunks.append(SpeechChunk(ulaw, marks))
        self._wake()

    def finish(self, marks: tuple[TextMark, ...] = ()) -> None:
        """The service is done with this context; ``marks`` are the last."""
        if not self.heard:
            self.fail(ProviderUnavailable("the segment ended without audio", self._provider))
            return
        if marks and not self._ended:
            self._chunks.append(SpeechChunk(b"", marks))
        self._ended = True
        self._wake()

    def fail(self, error: ProviderError) -> None:
        """No more will come; audio that has arrived is still handed out."""
        if not self._ended:
            self._ended = True
            self._error = error
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _expire(self) -> None:
        what = "the audio stopped" if self.heard else "no audio in time"
        self._drop(self, True)
        self.fail(ProviderTimeout(what, self._provider))


async def audio_of(
    segment: SpeechSegment, again: Callable[[], Awaitable[SpeechSegment]]
) -> AsyncGenerator[SpeechChunk, None]:
    """The audio of a segment as it comes; closing it early abandons the segment.

    Args:
        segment: Just begun.
        again: Begins it once more. Used once, and never after something was heard: an idle socket
            may have been closed over there the moment it was taken.

    Raises:
        ProviderError: The segment failed.
    """
    try:
        while True:
            try:
                chunk = await segment.next_chunk()
            except ProviderUnavailable:
                if segment.heard or segment.fresh:
                    raise
                segment.abandon()
                segment = await again()
                segment.fresh = True
                continue
            if chunk is None:
                return
            if chunk.ulaw or chunk.marks:
                yield chunk
    finally:
        segment.abandon()
