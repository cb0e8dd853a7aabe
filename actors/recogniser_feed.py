"""The recogniser of one call: opened in the background, reopened when it fails.

Audio that arrives while no stream is open waits in a ring of ``RING_S`` seconds and is handed to
the next stream first, so that the words spoken in between are not lost.
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
MAX_FAILURES_IN_A_ROW = 4
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
        self._failures = 0
        self._closed = False
        self._generation = 0
        self._samples = 0
        self._stream_began_s = 0.0

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
        if self._opening is not None and not self._opening.done():
            self._opening.cancel()
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()

    async def _open(self) -> None:
        while not self._closed:
            await asyncio.sleep(RETRY_AFTER_S[min(self._failures, len(RETRY_AFTER_S) - 1)])
            self._generation += 1
            sink = functools.partial(self._heard, self._generation)
            try:
                stream = await self._recogniser.open(self._request, sink)
            except ProviderError as error:
                if self._give_up(str(error), retryable=error.retryable):
                    return
                continue
            if self._closed:
                await stream.close()
                return
            waiting = bytes(self._waiting)
            self._waiting.clear()
            self._stream_began_s = (self._samples - len(waiting)) / SAMPLE_RATE_HZ
            self._stream = stream
            if waiting:
                stream.write(waiting)
            return

    def _give_up(self, message: str, *, retryable: bool) -> bool:
        """Count a failure; True when there is no point in another try."""
        self._failures += 1
        logger.warning("call %s: recogniser: %s", self._request.call_id, message)
        if retryable and self._failures < MAX_FAILURES_IN_A_ROW:
            return False
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
                self._stream = None
                if not self._give_up(message, retryable=retryable):
                    self.start()
            case SpeechNoticed():
                pass  # our own detector is quicker
