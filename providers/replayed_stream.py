"""One call's recognition over as many sockets as it takes: audio that was lost is told again.

Rules:
1. Audio goes into a ring and from there, in chunks of 80 ms, to the socket. A socket that breaks is
   replaced by another, which is told again what the last final words do not cover.
2. A retryable break is followed by another socket as long as it helps: ``_MOST_IN_A_ROW`` sockets
   one after the other that bring the transcription no further are a failure. So is the first
   socket that cannot be opened, any later one that is refused or does not come in time, and a
   service that asks to be left alone.
3. An answer that is owed and does not come within ``stall_timeout_s`` is a break. Of a service that
   owes nothing nothing is expected: it may be silent for as long as the caller is.
4. A service that ``reports_silence`` owes an answer to all audio, but less than
   ``_UNANSWERED_BYTES`` may honestly go without one. A new socket of it that is silent is a
   failure.
5. After ``close`` or a failure nothing more is delivered.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from providers.errors import ProviderBusy, ProviderError, ProviderTimeout, ProviderUnavailable
from providers.hearing import Hearing
from providers.ring_stream import RingStream, Sink
from providers.websocket import MessageSocket
from voice.ports import SAMPLE_RATE_HZ

_log = logging.getLogger(__name__)

M = TypeVar("M")

CHUNK_BYTES = 640  # 80 ms of mu-law, which Deepgram strongly recommends
_MOST_IN_A_ROW = 3
_FIRST_PAUSE_S = 0.1
_UNANSWERED_BYTES = SAMPLE_RATE_HZ


class SocketSource(Protocol[M]):
    """Where a stream has its sockets from."""

    async def next_socket(self) -> MessageSocket[M]:
        """One that may be used, kept ready or newly opened. Raises ``ProviderError``."""

    def release(self, socket: MessageSocket[M]) -> asyncio.Task[None]:
        """Close a socket, whoever waits for it."""

    def ended(self, stream: ReplayedStream[M]) -> None:
        """The stream has let go of everything."""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Of one stream: whose it is, how long an answer may take, how much is told again.

    Attributes:
        reports_silence: The service answers all audio, whether anybody speaks in it or not.
    """

    provider: str
    stall_timeout_s: float
    replay_s: float
    reports_silence: bool = False


class ReplayedStream(RingStream, Generic[M]):
    """A ``RecogniserStream`` over sockets that may break.

    Args:
        limits: Deadlines and the length of the ring.
        hearing: Understands what comes; belongs to this stream.
        source: Gives and takes sockets.
        sink: Takes the events, on the loop's thread.
    """

    def __init__(
        self, limits: StreamLimits, hearing: Hearing[M], source: SocketSource[M], sink: Sink
    ) -> None:
        super().__init__(limits.provider, limits.replay_s, CHUNK_BYTES, sink)
        self._limits = limits
        self._hearing = hearing
        self._source = source
        self._ready: MessageSocket[M] | None = None
        self._socket: MessageSocket[M] | None = None
        self._owed = ""
        self._owed_from = 0  # position in the ring
        self._is_waiting = False  # the task has sent everything, and waits for more
        self._stall: asyncio.TimerHandle | None = None

    def start(self, call_id: str, ready: MessageSocket[M] | None) -> None:
        """Begin, with the ``ready`` socket or with one of the source; audio may be written."""
        self._ready = ready
        self._begin(self._run(call_id))

    async def _run(self, call_id: str) -> None:
        in_a_row = 0
        try:
            while True:
                progress_s, is_new = self._hearing.progress_s, self._ready is None
                error = await self._listen()
                in_a_row = 0 if self._hearing.progress_s > progress_s else in_a_row + 1
                is_silent = in_a_row > 0 and is_new and isinstance(error, ProviderTimeout)
                is_hopeless = in_a_row >= _MOST_IN_A_ROW or (
                    is_silent and self._limits.reports_silence
                )
                is_told_off = isinstance(error, ProviderBusy) or error.retry_after_s is not None
                if not error.retryable or is_told_off or is_hopeless:
                    self._fail(error)
                    return
                _log.info("call %s: another socket, since %s", call_id, error)
                if in_a_row:
                    await asyncio.sleep(_FIRST_PAUSE_S * 2 ** (in_a_row - 1))
        except ProviderError as error:
            self._fail(error)

    def _let_go(self) -> None:
        if self._ready is not None:
            self._source.release(self._ready)
        self._source.ended(self)

    async def _listen(self) -> ProviderError:
        """Use one socket until it breaks; returns why. Raises ``ProviderError``: do not go on."""
        try:
            socket = self._ready or await self._source.next_socket()
        except ProviderUnavailable as error:
            if self._hearing.progress_s == 0.0:
                raise
            return error
        self._ready, self._socket = None, socket
        try:
            await self._send_until_broken(socket)
        finally:
            self._expect("")
            self._socket = None
            closing = self._source.release(socket)
            if self._closed:
                await asyncio.shield(closing)
        return socket.error or ProviderUnavailable("closed", self._provider)

    async def _send_until_broken(self, socket: MessageSocket[M]) -> None:
        restart = self._hearing.restart(self._ring.start / SAMPLE_RATE_HZ)
        self._sent = max(round(restart.at_s * SAMPLE_RATE_HZ), self._ring.start)
        socket.listen(self._heard, self._broke)
        if restart.final is not None:
            self._say(restart.final)
        for message in self._hearing.opening():
            await socket.send(message)
        while socket.error is None:
            await self._send_chunks(socket)

    async def _send_chunks(self, socket: MessageSocket[M]) -> None:
        while self._ring.end - self._sent >= CHUNK_BYTES and socket.error is None:
            if self._sent < self._ring.start:
                socket.abort(ProviderTimeout("it takes no audio", self._provider))
                return
            for message in self._next_packet():
                await socket.send(message)
            self._settle_sent()
        if socket.error is None:
            self._wake.clear()
            self._is_waiting = True
            try:
                await self._wake.wait()
            finally:
                self._is_waiting = False

    def _send_due(self) -> None:
        """At once where the task has nothing to do and the socket takes it, else by the task."""
        socket = self._socket
        is_ready = self._is_waiting and not self._wake.is_set() and socket is not None
        if not is_ready or socket is None or not socket.takes_now or self._sent < self._ring.start:
            self._wake.set()
            return
        for message in self._next_packet():
            socket.send_now(message)
        self._settle_sent()
        if self._ring.end - self._sent >= CHUNK_BYTES:
            self._wake.set()

    def _next_packet(self) -> tuple[str | bytes, ...]:
        chunk = self._ring.read(self._sent, CHUNK_BYTES)
        self._sent += CHUNK_BYTES
        return self._hearing.packet(chunk, self._sent / SAMPLE_RATE_HZ)

    def _settle_sent(self) -> None:
        # Of a service that answers all audio, what is final is forgotten when it answers.
        if not self._limits.reports_silence or self._hearing.owed != self._owed:
            self._settle()

    def _heard(self, message: M) -> None:
        for event in self._hearing.receive(message):
            self._say(event)
        self._settle()

    def _settle(self) -> None:
        self._ring.forget(int(self._hearing.final_s * SAMPLE_RATE_HZ))
        if self._socket is not None and self._socket.error is None:
            self._expect(self._hearing.owed)

    def _expect(self, owed: str) -> None:
        """Wait for this from now on; for the same as before no longer than before."""
        if owed == self._owed:
            return
        self._owed = owed
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
        if owed:
            self._owed_from = self._sent - CHUNK_BYTES
            self._stall = self._loop.call_later(self._limits.stall_timeout_s, self._stalled)

    def _broke(self, _error: ProviderError) -> None:
        self._wake.set()

    def _stalled(self) -> None:
        self._stall = None
        unanswered = self._sent - self._owed_from
        if self._limits.reports_silence and unanswered < _UNANSWERED_BYTES:
            self._owed = ""  # waited for again from the next chunk on
        elif self._socket is not None:
            said = "it listens and does not answer"
            self._socket.abort(ProviderTimeout(said, self._provider))
