"""One call's recognition by Deepgram, over as many sockets as it takes.

Rules:
1. Audio goes into a ring and from there, in chunks of 80 ms, to the socket. A socket that breaks is
   replaced by another, which is told again what the last final words do not cover.
2. A retryable break is followed by another socket as long as it helps: ``_MOST_IN_A_ROW`` sockets
   one after the other that bring the transcription no further are a failure. So is the first
   socket that cannot be opened, any later one that is refused or does not come in time, and a new
   one that is silent.
3. A service that says nothing for ``stall_timeout_s`` although audio goes to it has broken: it
   reports on every quarter of a second, silence included.
4. After ``close`` or a failure nothing more is delivered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from providers.deepgram_audio import AudioRing
from providers.deepgram_errors import PROVIDER
from providers.deepgram_messages import TurnInfo
from providers.deepgram_socket import FluxSocket
from providers.deepgram_turns import TurnReader
from providers.deepgram_wire import CHUNK_BYTES, configure_keyterms
from providers.errors import ProviderError, ProviderTimeout, ProviderUnavailable
from providers.settings import DeepgramConfig
from providers.traces import trace_of
from voice.ports import SAMPLE_RATE_HZ, RecogniserEvent, RecogniserFailed

_log = logging.getLogger(__name__)

_MOST_IN_A_ROW = 3
_FIRST_PAUSE_S = 0.1
# Less audio than this may honestly go unanswered.
_UNANSWERED_BYTES = SAMPLE_RATE_HZ

Sink = Callable[[RecogniserEvent], None]


class SocketSource(Protocol):
    """Where a stream has its sockets from."""

    async def next_socket(self) -> FluxSocket:
        """One that may be used, kept ready or newly opened. Raises ``ProviderError``."""

    def release(self, socket: FluxSocket) -> asyncio.Task[None]:
        """Close a socket, whoever waits for it."""

    def ended(self, stream: FluxStream) -> None:
        """The stream has let go of everything."""


class FluxStream:
    """A ``RecogniserStream`` of Deepgram.

    Args:
        config: Deadlines and the length of the ring.
        source: Gives and takes sockets.
        sink: Takes the events, on the loop's thread.
    """

    def __init__(self, config: DeepgramConfig, source: SocketSource, sink: Sink) -> None:
        self._config = config
        self._source = source
        self._sink: Sink | None = sink
        self._ring = AudioRing(round(config.replay_s * SAMPLE_RATE_HZ))
        self._turns = TurnReader()
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._ready: FluxSocket | None = None
        self._socket: FluxSocket | None = None
        self._sent = 0  # position in the ring
        self._unanswered_bytes = 0
        self._stall: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def start(self, call_id: str, keyterms: tuple[str, ...], ready: FluxSocket | None) -> None:
        """Begin, with the ``ready`` socket or with one of the source; audio may be written."""
        self._ready = ready
        self._task = self._loop.create_task(self._run(call_id, keyterms))
        # Not a ``finally`` in the task: one that is cancelled at once never gets there.
        self._task.add_done_callback(self._finished)

    def write(self, ulaw: bytes) -> None:
        """See ``voice.ports.RecogniserStream``; dropped after a failure or ``close``."""
        if self._sink is None:
            return
        self._ring.append(ulaw)
        if self._ring.end - self._sent >= CHUNK_BYTES:
            self._wake.set()

    async def close(self) -> None:
        """See ``voice.ports.RecogniserStream``; returns when the socket is closed."""
        self._sink = None
        task, is_first, self._closed = self._task, not self._closed, True
        if task is None:
            return
        if is_first:
            task.cancel()
        await asyncio.wait([task])

    async def _run(self, call_id: str, keyterms: tuple[str, ...]) -> None:
        in_a_row = 0
        try:
            while True:
                progress_s, is_new = self._turns.progress_s, self._ready is None
                error = await self._listen(keyterms)
                in_a_row = 0 if self._turns.progress_s > progress_s else in_a_row + 1
                is_silent = in_a_row > 0 and is_new and isinstance(error, ProviderTimeout)
                if not error.retryable or is_silent or in_a_row >= _MOST_IN_A_ROW:
                    self._fail(error)
                    return
                _log.info("call %s: another socket, since %s", call_id, error)
                if in_a_row:
                    await asyncio.sleep(_FIRST_PAUSE_S * 2 ** (in_a_row - 1))
        except ProviderError as error:
            self._fail(error)

    def _finished(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (bug := task.exception()) is not None:
            _log.error("a stream broke: %s", trace_of(bug))
            self._fail(ProviderUnavailable(f"broke: {type(bug).__name__}", PROVIDER))
        self._sink = None
        if self._ready is not None:
            self._source.release(self._ready)
        self._source.ended(self)

    async def _listen(self, keyterms: tuple[str, ...]) -> ProviderError:
        """Use one socket until it breaks; returns why. Raises ``ProviderError``: do not go on."""
        try:
            socket = self._ready or await self._source.next_socket()
        except ProviderUnavailable as error:
            if self._turns.progress_s == 0.0:
                raise
            return error
        self._ready, self._socket = None, socket
        try:
            await self._send_until_broken(socket, keyterms)
        finally:
            self._disarm()
            self._socket = None
            closing = self._source.release(socket)
            if self._closed:
                await asyncio.shield(closing)
        return socket.error or ProviderUnavailable("closed", PROVIDER)

    async def _send_until_broken(self, socket: FluxSocket, keyterms: tuple[str, ...]) -> None:
        restart = self._turns.restart(self._ring.start / SAMPLE_RATE_HZ)
        self._sent = max(round(restart.at_s * SAMPLE_RATE_HZ), self._ring.start)
        self._unanswered_bytes = 0
        socket.listen(self._heard, self._broke)
        if restart.final is not None:
            self._say(restart.final)
        if keyterms:
            await socket.send(configure_keyterms(keyterms))
        while socket.error is None:
            await self._send_chunks(socket)

    async def _send_chunks(self, socket: FluxSocket) -> None:
        while self._ring.end - self._sent >= CHUNK_BYTES and socket.error is None:
            if self._sent < self._ring.start:
                socket.abort(ProviderTimeout("it takes no audio", PROVIDER))
                return
            chunk = self._ring.read(self._sent, CHUNK_BYTES)
            self._sent += CHUNK_BYTES
            self._unanswered_bytes += CHUNK_BYTES
            if self._stall is None:
                self._stall = self._loop.call_later(self._config.stall_timeout_s, self._stalled)
            await socket.send(chunk)
        if socket.error is None:
            self._wake.clear()
            await self._wake.wait()

    def _heard(self, info: TurnInfo) -> None:
        self._disarm()
        self._unanswered_bytes = 0
        for event in self._turns.receive(info, sent_s=self._sent / SAMPLE_RATE_HZ):
            self._say(event)
        self._ring.forget(int(self._turns.final_s * SAMPLE_RATE_HZ))

    def _broke(self, _error: ProviderError) -> None:
        self._wake.set()

    def _stalled(self) -> None:
        self._stall = None
        if self._socket is None:
            return
        if self._unanswered_bytes >= _UNANSWERED_BYTES:
            self._socket.abort(ProviderTimeout("it listens and says nothing", PROVIDER))

    def _disarm(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _say(self, event: RecogniserEvent) -> None:
        if self._sink is not None:
            self._sink(event)

    def _fail(self, error: ProviderError) -> None:
        sink, self._sink = self._sink, None
        if sink is not None:
            sink(RecogniserFailed(str(error), error.retryable))
