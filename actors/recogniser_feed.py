"""The recogniser of one call: opened in the background, reopened when it fails.

Audio that arrives while no stream is open waits in a ring of ``RING_S`` seconds and is handed to
the next stream first, so that the words spoken in between are not lost. An opening that hangs for
``OPEN_WITHIN_S`` has failed. A stream that failed is closed too: only that gives its place back.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable

from dialogue.agent import Agent
from providers.errors import ProviderError
from voice import events as voice
from voice.ports import (
    SAMPLE_RATE_HZ,
    FinalTranscript,
    InterimTranscript,
    Recogniser,
    RecogniseRequest,
    RecogniserEvent,
    RecogniserFailed,
    RecogniserStream,
    SpeechNoticed,
)

logger = logging.getLogger(__name__)

RING_S = 8
OPEN_WITHIN_S = 5.0
MAX_FAILURES_IN_A_ROW = 4
CLOSE_WITHIN_S = 3.0
RETRY_AFTER_S = (0.0, 0.2, 0.5, 1.0)


class RecogniserFeed:
    """One call's recogniser.

    Args:
        recogniser: The service.
        agent: Language and hints.
        call_id: For logs.
        feed: Takes the words as events of the voice machine.
        on_lost: Called once when the service failed several times in a row.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        agent: Agent,
        call_id: str,
        feed: Callable[[voice.Input], None],
        *,
        on_lost: Callable[[str], None],
    ) -> None:
        self._recogniser = recogniser
        self._request = RecogniseRequest(call_id, agent.language, agent.hints)
        self._feed = feed
        self._on_lost = on_lost
        self._stream: RecogniserStream | None = None
        self._waiting = bytearray()
        self._opening: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._closed = False
        self._is_lost = False
        self._generation = 0
        self._samples = 0
        self._stream_began_s = 0.0

    @property
    def samples(self) -> int:
        """Caller audio taken so far; what came while no stream was open is handed on later."""
        return self._samples

    def start(self) -> None:
        """Begin to open the stream; audio may be written at once."""
        self._opening = asyncio.get_running_loop().create_task(self._open())

    def write(self, ulaw: bytes) -> None:
        """Caller audio; never blocks."""
        self._samples += len(ulaw)
        if self._stream is not None:
            self._stream.write(ulaw)
            return
        self._waiting += ulaw
        surplus = len(self._waiting) - RING_S * SAMPLE_RATE_HZ
        if surplus > 0:
            del self._waiting[:surplus]

    async def close(self) -> None:
        """Close the stream; no words are fed afterwards."""
        self._closed = True
        self._generation += 1
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening], timeout=CLOSE_WITHIN_S)
        self._close_stream()
        if self._closing:
            await asyncio.wait(self._closing)

    def _close_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            task = asyncio.get_running_loop().create_task(self._close_quietly(stream))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _close_quietly(self, stream: RecogniserStream) -> None:
        """Close within a bound; a service that cannot even close holds nobody up."""
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await stream.close()
        except (ProviderError, TimeoutError) as error:
            logger.warning(
                "call %s: recogniser not closed: %s", self._request.call_id, type(error).__name__
            )

    async def _open(self) -> None:
        while True:
            await asyncio.sleep(RETRY_AFTER_S[min(self._failures, len(RETRY_AFTER_S) - 1)])
            self._generation += 1
            generation = self._generation
            try:
                async with asyncio.timeout(OPEN_WITHIN_S):
                    stream = await self._recogniser.open(
                        self._request, functools.partial(self._heard, generation)
                    )
            except Exception as error:  # noqa: BLE001 - whatever it is, the call must not go deaf
                if self._give_up(*_reason(error)):
                    return
                continue
            if generation != self._generation:  # it failed before it was handed over
                await self._close_quietly(stream)
                if self._is_lost:
                    return
                continue
            waiting = bytes(self._waiting)
            self._waiting.clear()
            self._stream_began_s = (self._samples - len(waiting)) / SAMPLE_RATE_HZ
            self._stream = stream
            if waiting:
                stream.write(waiting)
            return

    def _give_up(self, message: str, retryable: bool) -> bool:
        """Count a failure; True when there is no point in another try."""
        self._failures += 1
        logger.warning("call %s: recogniser: %s", self._request.call_id, message)
        if retryable and self._failures < MAX_FAILURES_IN_A_ROW:
            return False
        self._is_lost = True
        self._on_lost(message)
        return True

    def _heard(self, generation: int, event: RecogniserEvent) -> None:
        if self._closed or generation != self._generation:
            return
        match event:
            case InterimTranscript(text=text, end_s=end_s):
                self._failures = 0
                self._feed(voice.InterimHeard(text, self._stream_began_s + end_s))
            case FinalTranscript(text=text, end_s=end_s):
                self._failures = 0
                self._feed(voice.FinalHeard(text, self._stream_began_s + end_s))
            case RecogniserFailed(message=message, retryable=retryable):
                self._generation += 1
                self._close_stream()
                is_lost = self._give_up(message, retryable)
                if not is_lost and (self._opening is None or self._opening.done()):
                    self.start()
            case SpeechNoticed():
                pass  # our own detector is quicker


def _reason(error: Exception) -> tuple[str, bool]:
    """What to say of a failed opening, and whether another try may help."""
    if isinstance(error, ProviderError):
        return str(error), error.retryable
    if isinstance(error, TimeoutError):
        return f"no stream within {OPEN_WITHIN_S:.0f} s", True
    logger.error("a recogniser broke", exc_info=error)
    return f"broke: {type(error).__name__}", True
