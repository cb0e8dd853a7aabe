"""One Realtime socket: opened, set up, listened on, closed.

Rules:

1. A socket may be used once the service has created its session and has taken our settings over;
   until then, everything else it says is kept back.
2. What is sent goes through a queue with one writer, so that nobody waits: JSON as it is, no
   models of an SDK (18 microseconds a message instead of 537).
3. It breaks once; ``broke`` is called with why. After ``aclose`` nothing is called any more.
4. A queue that the service does not read is a broken socket, not a growing one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable

from websockets.exceptions import ConnectionClosed

from providers import websocket
from providers.errors import ProviderError, ProviderUnavailable
from providers.realtime.events import RequestRefused, ServerEvent, SessionCreated, SessionUpdated
from providers.realtime.parse import parse
from providers.realtime.refusals import (
    BLAME,
    PROVIDER,
    error_of_close,
    error_of_handshake,
    too_late,
)
from providers.socket_peer import Peer
from providers.websocket import Connection, error_of_end

LONGEST_MESSAGE_BYTES = 1 << 24
MOST_WAITING = 1_000  # 40 s of audio
_PEER = Peer(PROVIDER, BLAME.address, error_of_handshake, error_of_close, LONGEST_MESSAGE_BYTES)


async def connect(url: str, api_key: str, timeout_s: float) -> Connection:
    """Open a connection.

    Raises:
        ProviderError: Typed by what went wrong; a refusal at the handshake included.
    """
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    return await websocket.connect(url, headers, timeout_s, _PEER)


def _nobody() -> None:
    """Nobody counts sessions."""


class RealtimeSocket:
    """An open session; see ``open_socket``.

    Args:
        connection: Already open.

    Attributes:
        error: Why it broke; None while it is whole.
        expires_at: UTC seconds at which the service ends the session; None when it does not say.
        on_closed: Called whenever it was closed by us.
        on_broken: Told why, when it breaks before that.
    """

    def __init__(self, connection: Connection) -> None:
        self.error: ProviderError | None = None
        self.expires_at: float | None = None
        self._connection = connection
        self._early: list[ServerEvent] = []
        self._heard: Callable[[ServerEvent], None] | None = None
        self._broke: Callable[[ProviderError], None] | None = None
        self._waiting: deque[str] = deque()
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.on_closed: Callable[[], None] = _nobody
        self.on_broken: Callable[[ProviderError], None] = lambda _error: None

    async def set_up(self, update: str) -> None:
        """Wait for the session, have our settings taken over. Raises ``ProviderError``."""
        try:
            while True:
                event = parse(await self._connection.recv())
                match event:
                    case SessionCreated(expires_at=expires_at):
                        self.expires_at = expires_at
                        await self._connection.send(update)
                    case SessionUpdated():
                        break
                    case RequestRefused(error=error):
                        raise error
                    case _:
                        self._early.append(event)
        except ConnectionClosed as closed:
            raise error_of_end(closed, _PEER) from None
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._read()), loop.create_task(self._write())]

    def listen(
        self, heard: Callable[[ServerEvent], None], broke: Callable[[ProviderError], None]
    ) -> None:
        """From now on events go to ``heard``, on the loop's thread, and a break to ``broke``."""
        self._heard, self._broke = heard, broke
        early, self._early = self._early, []
        for event in early:
            heard(event)
        if self.error is not None:
            self._broke = None
            broke(self.error)

    def send(self, message: str) -> None:
        """Queue one message; never blocks. What a broken socket is given is lost."""
        if self.error is not None:
            return
        if len(self._waiting) >= MOST_WAITING:
            self.abort(too_late("it does not read what it is sent"))
            return
        self._waiting.append(message)
        self._wake.set()

    def send_all(self, messages: Iterable[str]) -> None:
        """Queue several messages, in order."""
        for message in messages:
            self.send(message)

    def abort(self, error: ProviderError) -> None:
        """Give it up at once, because of ``error``."""
        self._break(error)
        self._connection.transport.abort()

    async def aclose(self) -> None:
        """Close. Idempotent; nobody is told."""
        self._heard = self._broke = None
        if self.error is None:
            self.error = ProviderUnavailable("closed", PROVIDER)
        self._wake.set()
        await websocket.close(self._connection)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.on_closed()

    async def _read(self) -> None:
        try:
            while self.error is None:
                event = parse(await self._connection.recv())
                if self._heard is not None:
                    self._heard(event)
                else:
                    self._early.append(event)
        except ConnectionClosed as closed:
            self._break(error_of_end(closed, _PEER))
        except ProviderError as error:
            self.abort(error)

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionClosed):  # the reader says why
            while self.error is None:
                while self._waiting:
                    await self._connection.send(self._waiting.popleft())
                self._wake.clear()
                await self._wake.wait()

    def _break(self, error: ProviderError) -> None:
        if self.error is None:
            self.error = error
            self.on_broken(error)
            self._waiting.clear()
            self._wake.set()
            broke, self._heard, self._broke = self._broke, None, None
            if broke is not None:
                broke(error)


async def open_socket(connection: Connection, update: str, timeout_s: float) -> RealtimeSocket:
    """A socket that may be used.

    Args:
        connection: Already open.
        update: Our settings (``providers.realtime.messages.update_session``).
        timeout_s: How long it may take until they are taken over.

    Raises:
        ProviderError: They were refused, or nothing came in time.
    """
    socket = RealtimeSocket(connection)
    try:
        async with asyncio.timeout(timeout_s):
            await socket.set_up(update)
    except BaseException as error:
        connection.transport.abort()
        await connection.close()
        if isinstance(error, TimeoutError):
            raise too_late("connected, then silent") from None
        raise
    return socket
