"""One call's recognition by Google, over as many of its streams as it takes.

Rules:
1. Audio goes into a ring and from there, in chunks of 100 ms, to the running stream. A stream that
   breaks is followed by another one, which is told again what the last final words do not cover.
2. The service ends a stream after five minutes. It is replaced before that: at the first pause
   after ``reopen_after_s``, or at ``reopen_latest_s`` whoever is speaking.
3. A stream that was ended because no audio came is opened again when there is some.
4. A retryable break is followed by another stream as long as it helps: ``_MOST_IN_A_ROW`` one after
   the other that bring the transcription no further are a failure; one is not, since a connection
   that breaks takes all of its streams along. So is a first connection that cannot be had, and a
   stream that is refused, or told to come back later.
5. The service is silent while the caller is, so its silence is no fault: ``providers.failover``
   notices one that hangs by the caller's voice.
6. After ``close`` or a failure nothing more is delivered.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Protocol

from providers.errors import ProviderBusy, ProviderError, ProviderTimeout, ProviderUnavailable
from providers.google_errors import PROVIDER, StreamEnded
from providers.google_messages import SpeechUpdate
from providers.google_settings import GoogleSpeechConfig
from providers.google_turns import TurnReader
from providers.ring_stream import RingStream, Sink
from voice.ports import SAMPLE_RATE_HZ, RecogniseRequest

_log = logging.getLogger(__name__)

CHUNK_BYTES = SAMPLE_RATE_HZ // 10
# The service refuses messages with more than 25,600 bytes of audio, some models with 15 kB.
MOST_BYTES = 8_000
_MOST_IN_A_ROW = 3
_FIRST_PAUSE_S = 0.1
# The service ends a stream without audio after five seconds at the earliest.
_LIFE_S = 4.0


class SpeechLine(Protocol):
    """A connection that carries many streams."""

    def recognise(
        self, language: str, phrases: tuple[str, ...], audio: AsyncIterator[bytes]
    ) -> AsyncGenerator[SpeechUpdate, None]:
        """Open a stream; ends with ``audio``. Closing it cancels. Raises ``ProviderError``."""


class LineSource(Protocol):
    """Where a stream has its connection from."""

    async def line(self) -> SpeechLine:
        """One that stands. Raises ``ProviderError``."""

    def ended(self, stream: GoogleStream) -> None:
        """The stream has let go of everything."""


class GoogleStream(RingStream):
    """A ``RecogniserStream`` of Google.

    Args:
        config: Ages and the length of the ring.
        source: Gives connections.
        sink: Takes the events, on the loop's thread.
    """

    def __init__(self, config: GoogleSpeechConfig, source: LineSource, sink: Sink) -> None:
        super().__init__(PROVIDER, config.replay_s, CHUNK_BYTES, sink)
        self._config = config
        self._source = source
        self._turns = TurnReader()
        self._reading: asyncio.Task[ProviderError] | None = None
        self._is_due = False  # the running stream has its time: at the next pause
        self._over: ProviderError | None = None  # why we ended the running stream ourselves
        self._was_well = False  # the stream before had its time, and nothing was wrong with it
        self._number = 0  # of the running stream
        self._has_line = False  # there was a connection once

    def start(self, request: RecogniseRequest, language: str) -> None:
        """Begin; audio may be written.

        Args:
            request: Of the call.
            language: The service's own tag.
        """
        self._begin(self._run(request, language))

    async def _run(self, request: RecogniseRequest, language: str) -> None:
        in_a_row = 0
        while True:
            progress_s = self._turns.progress_s
            error = await self._listen(request, language)
            has_helped = self._was_well or self._turns.progress_s > progress_s
            in_a_row = 0 if has_helped else in_a_row + 1
            is_hopeless = in_a_row >= (_MOST_IN_A_ROW if self._has_line else 1)
            is_told_off = isinstance(error, ProviderBusy) or error.retry_after_s is not None
            if not error.retryable or is_told_off or is_hopeless:
                self._fail(error)
                return
            _log.info("call %s: another stream, since %s", request.call_id, error)
            if isinstance(error, StreamEnded):
                await self._new_audio()
            if in_a_row:
                await asyncio.sleep(_FIRST_PAUSE_S * 2 ** (in_a_row - 1))

    async def _new_audio(self) -> None:
        """Wait until there is audio that no stream has been sent."""
        while self._ring.end - self._sent < CHUNK_BYTES:
            self._wake.clear()
            await self._wake.wait()

    def _let_go(self) -> None:
        self._source.ended(self)

    async def _listen(self, request: RecogniseRequest, language: str) -> ProviderError:
        """Use one stream until it ends; returns why."""
        try:
            line = await self._source.line()
        except ProviderError as error:
            self._was_well = False
            return error
        self._has_line = True
        restart = self._turns.restart(
            oldest_s=self._ring.start / SAMPLE_RATE_HZ,
            sent_s=self._sent / SAMPLE_RATE_HZ,
            is_due=self._was_well,
        )
        self._sent = max(round(restart.at_s * SAMPLE_RATE_HZ), self._ring.start)
        self._is_due, self._over = False, None
        if restart.final is not None:
            self._say(restart.final)
        config, began_at = self._config, self._loop.time()
        timers = [
            self._loop.call_at(began_at + config.reopen_after_s, self._due),
            self._loop.call_at(began_at + config.reopen_latest_s, self._replace),
        ]
        reading = self._reading = self._loop.create_task(self._read(line, request, language))
        try:
            await asyncio.wait([reading])
        finally:
            for timer in timers:
                timer.cancel()
            self._reading = None
            self._number += 1
            if not reading.done():
                reading.cancel()
                await asyncio.wait([reading])
        return self._why(None if reading.cancelled() else reading.result(), began_at)

    def _why(self, ended: ProviderError | None, began_at: float) -> ProviderError:
        """Why a stream is over, and whether it was well until then."""
        why = self._over or ended or ProviderUnavailable("cancelled", PROVIDER)
        has_lived = self._over is not None or self._loop.time() - began_at >= _LIFE_S
        self._was_well = isinstance(why, StreamEnded) and has_lived
        return why

    async def _read(
        self, line: SpeechLine, request: RecogniseRequest, language: str
    ) -> ProviderError:
        try:
            updates = line.recognise(language, request.phrases, self._chunks())
            async with contextlib.aclosing(updates):
                async for update in updates:
                    self._heard(update)
        except ProviderError as error:
            return error
        return StreamEnded("the service ended the stream", PROVIDER)

    async def _chunks(self) -> AsyncIterator[bytes]:
        """What is to be sent to the running stream, as it comes."""
        number = self._number
        while number == self._number:
            while (waiting := self._ring.end - self._sent) >= CHUNK_BYTES:
                if self._sent < self._ring.start:
                    self._end(ProviderTimeout("it takes no audio", PROVIDER))
                    return
                size = min(waiting - waiting % CHUNK_BYTES, MOST_BYTES)
                chunk = self._ring.read(self._sent, size)
                self._sent += size
                yield chunk
            self._wake.clear()
            await self._wake.wait()
            if number != self._number:
                self._wake.set()  # it was meant for the stream after this one

    def _heard(self, update: SpeechUpdate) -> None:
        for event in self._turns.receive(update, sent_s=self._sent / SAMPLE_RATE_HZ):
            self._say(event)
        self._ring.forget(int(self._turns.final_s * SAMPLE_RATE_HZ))
        if self._is_due:
            self._due()

    def _due(self) -> None:
        self._is_due = True
        if self._turns.is_quiet:
            self._replace()

    def _replace(self) -> None:
        self._end(StreamEnded("it had its time", PROVIDER))

    def _end(self, why: ProviderError) -> None:
        if self._reading is not None and self._over is None:
            self._over = why
            self._reading.cancel()
