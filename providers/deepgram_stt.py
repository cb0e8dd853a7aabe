"""Deepgram Flux speech-to-text: a pool of sockets, connected before they are needed.

Rules:
1. A socket serves one stream and is never used twice; the place of one that was kept ready is
   refilled in the background. Sockets are alike when their addresses are: all English is one kind.
2. At most ``max_streams`` sockets are in use or ready at a time. A new stream that finds no place
   takes the one of an idle socket of another kind; when there is none it is refused.
3. Keyterms are told to a socket when its stream begins, so that a ready one serves any call.
4. After ``close`` or a failure nothing more is delivered.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine

from providers.deepgram_errors import PROVIDER
from providers.deepgram_socket import Connection, FluxSocket, connect, open_socket
from providers.deepgram_stream import FluxStream, Sink
from providers.deepgram_wire import check_config, socket_url, usable_keyterms
from providers.errors import ProviderBusy, ProviderError, ProviderUnavailable
from providers.settings import DEEPGRAM_STREAMS, DeepgramConfig
from voice.ports import RecogniseRequest, RecogniserStream

_log = logging.getLogger(__name__)

# A ready socket that the service closed is replaced after this pause; a failed try lengthens it.
_REPLACE_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 15.0

Connect = Callable[[str, str, float], Awaitable[Connection]]


class DeepgramRecogniser:
    """Speech-to-text by Deepgram Flux.

    Args:
        config: Key, address, thresholds, limits.
        connect: Opens a connection: address, key, seconds; to be replaced in tests.

    Raises:
        ProviderRefused: The key is missing.
        ProviderRejected: A setting makes no sense; names it.
    """

    def __init__(self, config: DeepgramConfig, connect: Connect = connect) -> None:
        check_config(config)
        self._config = config
        self._connect = connect
        self._kinds: dict[str, _Kind] = {}
        self._streams: set[FluxStream] = set()
        self._opening = 0  # for the pool, not for a stream
        self._tasks: set[asyncio.Task[None]] = set()
        self._closings: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def name(self) -> str:
        """Always ``deepgram``."""
        return PROVIDER

    @property
    def live(self) -> int:
        """Places that are taken now, by streams and by sockets that are ready or being opened."""
        ready = sum(len(kind.ready) for kind in self._kinds.values())
        return len(self._streams) + ready + self._opening

    async def warm(self, language: str, count: int) -> None:
        """Have ``count`` sockets of this language ready, now and after each use.

        Never more than fit under ``max_streams``.

        Raises:
            ProviderError: No connection, the key is refused, or the model does not hear it.
        """
        self._refuse_when_closed()
        kind = self._kind(language)
        kind.wanted = max(count, kind.wanted)
        missing = min(count - len(kind.ready), self._config.max_streams - self.live)
        results = await asyncio.gather(
            *(self._open_ready(kind) for _ in range(missing)), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def open(self, request: RecogniseRequest, sink: Sink) -> RecogniserStream:
        """Start a stream; see ``voice.ports.Recogniser``.

        Does not wait for a connection: when there is none ready, audio is kept until there is, and
        a failure comes through ``sink``.

        Raises:
            ProviderBusy: ``max_streams`` are in use.
            ProviderRejected: The model does not hear the language.
        """
        self._refuse_when_closed()
        kind = self._kind(request.language)
        ready = kind.ready.popleft() if kind.ready else None
        if ready is None:
            self._make_place()
        keyterms = usable_keyterms(request.phrases)
        if len(keyterms) < len(request.phrases):
            dropped = len(request.phrases) - len(keyterms)
            _log.warning("call %s: %d hints are not taken by Deepgram", request.call_id, dropped)
        stream = FluxStream(self._config, kind, sink)
        self._streams.add(stream)
        stream.start(request.call_id, keyterms, ready)
        self.refill(kind)
        return stream

    async def aclose(self) -> None:
        """Close every stream and every socket."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(stream.close() for stream in list(self._streams)))
        for kind in self._kinds.values():
            while kind.ready:
                self.release(kind.ready.popleft())
        await asyncio.gather(*self._closings, return_exceptions=True)

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise ProviderUnavailable("closed", PROVIDER)

    def _kind(self, language: str) -> _Kind:
        url = socket_url(self._config, language)
        if url not in self._kinds:
            self._kinds[url] = _Kind(self, url)
        return self._kinds[url]

    def _make_place(self) -> None:
        """Give up an idle socket of any kind if every place is taken."""
        if self.live < self._config.max_streams:
            return
        for kind in self._kinds.values():
            if kind.ready:
                self.release(kind.ready.popleft())
                return
        raise ProviderBusy("every socket is in use", PROVIDER, DEEPGRAM_STREAMS)

    async def connect(self, url: str) -> FluxSocket:
        """A new socket. Raises ``ProviderError``."""
        timeout_s = self._config.connect_timeout_s
        connection = await self._connect(url, self._config.api_key, timeout_s)
        return await open_socket(connection, timeout_s)

    async def _open_ready(self, kind: _Kind) -> None:
        self._opening += 1
        try:
            socket = await self.connect(kind.url)
        finally:
            self._opening -= 1
        kind.ready.append(socket)
        socket.watch(lambda _error: self._lost(kind, socket))

    def _lost(self, kind: _Kind, socket: FluxSocket) -> None:
        """A ready socket is gone: replace it after a pause."""
        if socket in kind.ready:
            kind.ready.remove(socket)
        self.release(socket)
        self.refill(kind, _REPLACE_PAUSE_S)

    def release(self, socket: FluxSocket) -> asyncio.Task[None]:
        """Close a socket, whoever waits for it."""
        task = asyncio.get_running_loop().create_task(socket.aclose())
        self._closings.add(task)
        task.add_done_callback(self._closings.discard)
        return task

    def stream_ended(self, stream: FluxStream, kind: _Kind) -> None:
        """Its place is free."""
        self._streams.discard(stream)
        self.refill(kind)

    def refill(self, kind: _Kind, pause_s: float = 0.0) -> None:
        """Have as many ready as were wished for, in the background."""
        if len(kind.ready) < kind.wanted and not kind.is_refilling and not self._closed:
            kind.is_refilling = True
            self._spawn(self._refill_now(kind, pause_s))

    async def _refill_now(self, kind: _Kind, pause_s: float) -> None:
        try:
            await asyncio.sleep(max(pause_s, kind.pause_s))
            while len(kind.ready) < kind.wanted and self.live < self._config.max_streams:
                await self._open_ready(kind)
                kind.pause_s = 0.0
        except ProviderError as error:
            # Nobody waits for this one; the next stream meets the same error and reports it. Each
            # failure is followed by a longer pause: a service that is away must not cost a core.
            level = logging.DEBUG if kind.pause_s else logging.WARNING
            kind.pause_s = min(max(2 * kind.pause_s, _REPLACE_PAUSE_S), _LONGEST_PAUSE_S)
            _log.log(level, "no spare socket: %s", error)
        finally:
            kind.is_refilling = False

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Kind:
    """The sockets of one address; the ``SocketSource`` of its streams."""

    def __init__(self, pool: DeepgramRecogniser, url: str) -> None:
        self.url = url
        self.ready: deque[FluxSocket] = deque()
        self.wanted = 0
        self.pause_s = 0.0
        self.is_refilling = False
        self._pool = pool

    async def next_socket(self) -> FluxSocket:
        """See ``SocketSource``."""
        if self.ready:
            socket = self.ready.popleft()
            self._pool.refill(self)
            return socket
        return await self._pool.connect(self.url)

    def release(self, socket: FluxSocket) -> asyncio.Task[None]:
        """See ``SocketSource``."""
        return self._pool.release(socket)

    def ended(self, stream: FluxStream) -> None:
        """See ``SocketSource``."""
        self._pool.stream_ended(stream, self)
