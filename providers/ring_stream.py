"""A stream of recognition whose audio waits in a ring until its task has sent it.

What the streams of services have in common: audio comes in at any time and is kept, one task sends
it for as long as it takes, and after ``close`` or a failure nothing more is delivered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine

from providers.audio_ring import AudioRing
from providers.errors import ProviderError, ProviderUnavailable
from providers.traces import trace_of
from voice.ports import SAMPLE_RATE_HZ, RecogniserEvent, RecogniserFailed

_log = logging.getLogger(__name__)

Sink = Callable[[RecogniserEvent], None]


class RingStream:
    """A ``RecogniserStream``; whoever extends it sends what is in the ring.

    Args:
        provider: Short name, for errors.
        replay_s: How much audio is kept to be told again.
        chunk_bytes: How much is worth waking the task for.
        sink: Takes the events, on the loop's thread.
    """

    def __init__(self, provider: str, replay_s: float, chunk_bytes: int, sink: Sink) -> None:
        self._provider = provider
        self._chunk_bytes = chunk_bytes
        self._sink: Sink | None = sink
        self._ring = AudioRing(round(replay_s * SAMPLE_RATE_HZ))
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._sent = 0  # position in the ring
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def write(self, ulaw: bytes) -> None:
        """See ``voice.ports.RecogniserStream``; dropped after a failure or ``close``."""
        if self._sink is None:
            return
        self._ring.append(ulaw)
        if self._ring.end - self._sent >= self._chunk_bytes:
            self._send_due()

    def _send_due(self) -> None:
        """There is a chunk to be sent; here by the task."""
        self._wake.set()

    async def close(self) -> None:
        """See ``voice.ports.RecogniserStream``; returns when its task is over."""
        self._sink = None
        task, is_first, self._closed = self._task, not self._closed, True
        if task is None:
            return
        if is_first:
            task.cancel()
        await asyncio.wait([task])

    def _begin(self, work: Coroutine[object, object, None]) -> None:
        self._task = self._loop.create_task(work)
        # Not a ``finally`` in the task: one that is cancelled at once never gets there.
        self._task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (bug := task.exception()) is not None:
            _log.error("a stream broke: %s", trace_of(bug))
            self._fail(ProviderUnavailable(f"broke: {type(bug).__name__}", self._provider))
        # A task that was cancelled holds its frames, and they hold us.
        self._task = None
        self._sink = None
        self._ring.release()
        self._let_go()

    def _let_go(self) -> None:
        """The task is over: give back what is held."""
        raise NotImplementedError

    def _say(self, event: RecogniserEvent) -> None:
        if self._sink is not None:
            self._sink(event)

    def _fail(self, error: ProviderError) -> None:
        sink, self._sink = self._sink, None
        if sink is not None:
            sink(RecogniserFailed(str(error), error.retryable, error))
