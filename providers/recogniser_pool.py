"""A recogniser over raw websockets: a pool of them, connected before they are needed.

Rules:
1. A socket serves one stream and is never used twice; the place of one that was kept ready is
   refilled in the background. Sockets are alike when their addresses are.
2. At most ``max_streams`` sockets are in use or ready at a time. A new stream that finds no place
   takes the one of an idle socket of another address; when there is none it is refused.
3. A ready socket older than ``ready_s`` is replaced: services end sessions nobody speaks in.
4. After ``close`` or a failure nothing more is delivered.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from typing import Generic, Protocol, TypeVar

from providers.errors import ProviderBusy, ProviderError, ProviderUnavailable
from providers.hearing import Hearing
from providers.replayed_stream import ReplayedStream, StreamLimits
from providers.ring_stream import Sink
from providers.websocket import MessageSocket
from voice.ports import RecogniseRequest, RecogniserStream

_log = logging.getLogger(__name__)

M = TypeVar("M")

# A ready socket that the service closed is replaced after this pause; a failed try lengthens it.
_REPLACE_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 15.0


class SocketService(Protocol[M]):
    """A service that recognises over websockets, as its pool knows it."""

    @property
    def limits(self) -> StreamLimits:
        """Of each stream."""

    @property
    def max_streams(self) -> int:
        """Sockets in this process, ready ones included."""

    @property
    def streams_setting(self) -> str:
        """The variable that says so."""

    @property
    def ready_s(self) -> float | None:
        """How long a socket may be kept ready; None for as long as it stays open."""

    def url(self, request: RecogniseRequest) -> str:
        """The address of a socket for this. Raises ``ProviderRejected``: not heard there."""

    async def open(self, url: str) -> MessageSocket[M]:
        """A socket that has been greeted. Raises ``ProviderError``."""

    def hearing(self, request: RecogniseRequest) -> Hearing[M]:
        """What is to understand one stream."""


class SocketRecogniser(Generic[M]):
    """Speech-to-text over pooled sockets; see ``voice.ports.Recogniser``.

    Args:
        service: Knows addresses and the protocol.
    """

    def __init__(self, service: SocketService[M]) -> None:
        self._service = service
        self._kinds: dict[str, _Kind[M]] = {}
        self._streams: set[ReplayedStream[M]] = set()
        self._opening = 0  # for the pool, not for a stream
        self._tasks: set[asyncio.Task[None]] = set()
        self._closings: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def name(self) -> str:
        """The provider's short name."""
        return self._service.limits.provider

    @property
    def live(self) -> int:
        """Places that are taken now, by streams and by sockets that are ready or being opened."""
        ready = sum(len(kind.ready) for kind in self._kinds.values())
        return len(self._streams) + ready + self._opening

    async def warm(self, language: str, count: int) -> None:
        """Have ``count`` sockets for this language ready, now and after each use.

        Never more than fit under ``max_streams``.

        Raises:
            ProviderError: No connection, the key is refused, or the language is not heard.
        """
        self._refuse_when_closed()
        kind = self._kind(self._service.url(RecogniseRequest("", language)))
        kind.wanted = max(count, kind.wanted)
        missing = min(count - len(kind.ready), self._service.max_streams - self.live)
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
            ProviderRejected: The service does not hear the language.
        """
        self._refuse_when_closed()
        kind = self._kind(self._service.url(request))
        hearing = self._service.hearing(request)
        ready = kind.take_ready()
        if ready is None:
            self._make_place()
        stream = ReplayedStream(self._service.limits, hearing, kind, sink)
        self._streams.add(stream)
        stream.start(request.call_id, ready)
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
            kind.let_go()
        await asyncio.gather(*self._closings, return_exceptions=True)

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise ProviderUnavailable("closed", self.name)

    def _kind(self, url: str) -> _Kind[M]:
        # Addresses that nothing is kept ready for are forgotten: hints may stand in them.
        for known in [known for known, kind in self._kinds.items() if kind.is_unused]:
            if known != url:
                del self._kinds[known]
        if url not in self._kinds:
            self._kinds[url] = _Kind(self, url)
        return self._kinds[url]

    def _make_place(self) -> None:
        """Give up an idle socket of any kind if every place is taken."""
        if self.live < self._service.max_streams:
            return
        for kind in self._kinds.values():
            idle = kind.take_ready()
            if idle is not None:
                self.release(idle)
                return
        raise ProviderBusy("every socket is in use", self.name, self._service.streams_setting)

    async def connect(self, url: str) -> MessageSocket[M]:
        """A new socket. Raises ``ProviderError``."""
        return await self._service.open(url)

    async def _open_ready(self, kind: _Kind[M]) -> None:
        self._opening += 1
        try:
            socket = await self.connect(kind.url)
        finally:
            self._opening -= 1
        kind.keep(socket, self._service.ready_s)
        socket.watch(lambda _error: self.lost(kind, socket))

    def lost(self, kind: _Kind[M], socket: MessageSocket[M]) -> None:
        """A ready socket is gone, or too old: replace it after a pause."""
        kind.forget(socket)
        self.release(socket)
        self.refill(kind, _REPLACE_PAUSE_S)

    def release(self, socket: MessageSocket[M]) -> asyncio.Task[None]:
        """Close a socket, whoever waits for it."""
        task = asyncio.get_running_loop().create_task(socket.aclose())
        self._closings.add(task)
        task.add_done_callback(self._closings.discard)
        return task

    def stream_ended(self, stream: ReplayedStream[M], kind: _Kind[M]) -> None:
        """Its place is free."""
        self._streams.discard(stream)
        self.refill(kind)

    def refill(self, kind: _Kind[M], pause_s: float = 0.0) -> None:
        """Have as many ready as were wished for, in the background."""
        if len(kind.ready) < kind.wanted and not kind.is_refilling and not self._closed:
            kind.is_refilling = True
            self._spawn(self._refill_now(kind, pause_s))

    async def _refill_now(self, kind: _Kind[M], pause_s: float) -> None:
        try:
            await asyncio.sleep(max(pause_s, kind.pause_s))
            while len(kind.ready) < kind.wanted and self.live < self._service.max_streams:
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


class _Kind(Generic[M]):
    """The sockets of one address; the ``SocketSource`` of its streams."""

    def __init__(self, pool: SocketRecogniser[M], url: str) -> None:
        self.url = url
        self.ready: deque[MessageSocket[M]] = deque()
        self.wanted = 0
        self.pause_s = 0.0
        self.is_refilling = False
        self._ages: dict[MessageSocket[M], asyncio.TimerHandle] = {}
        self._pool = pool

    @property
    def is_unused(self) -> bool:
        """Nothing is kept ready, nor shall be."""
        return not (self.ready or self.wanted or self.is_refilling)

    def keep(self, socket: MessageSocket[M], ready_s: float | None) -> None:
        """One more is ready."""
        self.ready.append(socket)
        if ready_s is not None:
            loop = asyncio.get_running_loop()
            self._ages[socket] = loop.call_later(ready_s, self._pool.lost, self, socket)

    def take_ready(self) -> MessageSocket[M] | None:
        """One that is ready, if there is."""
        return self.forget(self.ready[0]) if self.ready else None

    def forget(self, socket: MessageSocket[M]) -> MessageSocket[M]:
        """It is no longer ready."""
        if socket in self.ready:
            self.ready.remove(socket)
        timer = self._ages.pop(socket, None)
        if timer is not None:
            timer.cancel()
        return socket

    def let_go(self) -> None:
        """Close all that are ready."""
        while (socket := self.take_ready()) is not None:
            self._pool.release(socket)

    async def next_socket(self) -> MessageSocket[M]:
        """See ``SocketSource``."""
        socket = self.take_ready()
        if socket is not None:
            self._pool.refill(self)
            return socket
        return await self._pool.connect(self.url)

    def release(self, socket: MessageSocket[M]) -> asyncio.Task[None]:
        """See ``SocketSource``."""
        return self._pool.release(socket)

    def ended(self, stream: ReplayedStream[M]) -> None:
        """See ``SocketSource``."""
        self._pool.stream_ended(stream, self)
