"""One socket of Deepgram's recognition: opened, kept ready, listened on, closed.

Rules:
1. The first message has to be ``Connected``. A later one with another ``request_id`` is not about
   this caller: the socket is given up, and nothing of the message is used.
2. ``websockets`` sends pings, and an idle socket stays open by them: the service closes one that is
   silent for a minute, and knows no keep-alive message here.
3. A socket breaks once; ``error`` says why, and ``broke`` is called with it. After ``aclose``
   nothing is called any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from websockets.exceptions import ConnectionClosed

from providers import websocket
from providers.deepgram_errors import PROVIDER, error_of_close, error_of_handshake
from providers.deepgram_messages import Connected, FluxMessage, Remark, TurnInfo, parse
from providers.deepgram_wire import CLOSE_STREAM
from providers.errors import (
    ProviderError,
    ProviderProtocolError,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.settings import DEEPGRAM_BASE_URL
from providers.socket_peer import Peer
from providers.websocket import Connection, error_of_end

__all__ = ["Connection", "FluxSocket", "connect", "open_socket"]

_log = logging.getLogger(__name__)

_PEER = Peer(PROVIDER, DEEPGRAM_BASE_URL, error_of_handshake, error_of_close)
_GOODBYE_TIMEOUT_S = 0.5


async def connect(url: str, api_key: str, timeout_s: float) -> Connection:
    """Open a connection.

    Raises:
        ProviderError: Typed by what went wrong; a refusal at the handshake included.
    """
    headers = {"Authorization": f"Token {api_key}"}
    return await websocket.connect(url, headers, timeout_s, _PEER)


class FluxSocket:
    """An open connection whose service has said ``Connected``; see ``open_socket``.

    Args:
        connection: Already open.

    Attributes:
        error: Why it broke; None while it is whole.
    """

    def __init__(self, connection: Connection) -> None:
        self.error: ProviderError | None = None
        self._connection = connection
        self._request_id = ""
        self._heard: Callable[[TurnInfo], None] | None = None
        self._broke: Callable[[ProviderError], None] | None = None
        self._reader: asyncio.Task[None] | None = None

    async def greet(self) -> None:
        """Take the first message, and read from now on. Raises ``ProviderError``."""
        try:
            message = parse(await self._connection.recv())
        except ConnectionClosed as closed:
            raise error_of_end(closed, _PEER) from None
        if not isinstance(message, Connected):
            raise ProviderProtocolError("no Connected at first", PROVIDER)
        self._request_id = message.request_id
        self._reader = asyncio.get_running_loop().create_task(self._read())

    def watch(self, broke: Callable[[ProviderError], None]) -> None:
        """Be told when it breaks, with nobody listening to it."""
        self._heard, self._broke = None, broke

    def listen(
        self, heard: Callable[[TurnInfo], None], broke: Callable[[ProviderError], None]
    ) -> None:
        """From now on turns go to ``heard``, on the loop's thread, and a break to ``broke``."""
        self._heard, self._broke = heard, broke

    async def send(self, message: str | bytes) -> None:
        """Send text or audio. A break shows in ``error`` and ``broke``, not here."""
        with contextlib.suppress(ConnectionClosed):
            await self._connection.send(message)

    def abort(self, error: ProviderError) -> None:
        """Give it up at once, because of ``error``."""
        self._break(error)
        self._connection.transport.abort()

    async def aclose(self) -> None:
        """Say goodbye if somebody is there, and close. Idempotent; nobody is told."""
        self._heard = self._broke = None
        if self.error is None:
            self.error = ProviderUnavailable("closed", PROVIDER)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GOODBYE_TIMEOUT_S):
                    await self.send(CLOSE_STREAM)
        await self._connection.close()
        if self._reader is not None:
            await asyncio.gather(self._reader, return_exceptions=True)

    async def _read(self) -> None:
        try:
            while True:
                self._take(parse(await self._connection.recv()))
        except ConnectionClosed as closed:
            self._break(error_of_end(closed, _PEER))
        except ProviderError as error:
            self.abort(error)

    def _take(self, message: FluxMessage) -> None:
        if isinstance(message, TurnInfo):
            if message.request_id != self._request_id:
                raise ProviderProtocolError("a message of another request", PROVIDER)
            if self._heard is not None:
                self._heard(message)
        elif isinstance(message, Remark) and message.type in ("ConfigureFailure", "Warning"):
            # It goes on as it was: without the keyterms, for one.
            _log.warning("%s: %s %s", PROVIDER, message.type, message.code)

    def _break(self, error: ProviderError) -> None:
        if self.error is None:
            self.error = error
            broke, self._heard, self._broke = self._broke, None, None
            if broke is not None:
                broke(error)


async def open_socket(connection: Connection, timeout_s: float) -> FluxSocket:
    """A socket that may be used.

    Raises:
        ProviderError: The service says something else than ``Connected``, or nothing in time.
    """
    socket = FluxSocket(connection)
    try:
        async with asyncio.timeout(timeout_s):
            await socket.greet()
    except BaseException as error:
        connection.transport.abort()
        await connection.close()
        if isinstance(error, TimeoutError):
            raise ProviderTimeout("connected, then silent", PROVIDER) from None
        raise
    return socket
