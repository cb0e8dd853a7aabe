"""A websocket to somebody else's service: opened, kept ready, listened on, closed.

Rules:
1. What goes wrong is typed: at the handshake and at the end by the service's own codes, in between
   by this module.
2. The first message has to be the service's greeting; a socket whose service says anything else, or
   nothing in time, was never open.
3. ``websockets`` sends pings: a service that is gone without a word is found out by them.
4. A socket breaks once; ``error`` says why, and ``broke`` is called with it. What a listener finds
   wrong with a message breaks it too. After ``aclose`` nothing is called any more.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypeVar

from websockets.asyncio.client import connect as websocket_connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
    WebSocketException,
)

from providers.errors import (
    ProviderError,
    ProviderProtocolError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.socket_peer import Peer
from providers.socket_writer import SocketWriter
from providers.tls import tls_options

M = TypeVar("M")

_PING_TIMEOUT = 1011
_CLOSE_TIMEOUT_S = 1.0
_CLOSED_WITHIN_S = 2.0  # the handshake of the close, and that it could be sent
_GOODBYE_TIMEOUT_S = 0.5


class Transport(Protocol):
    """What carries a connection."""

    def abort(self) -> None:
        """Drop it at once."""


class Connection(Protocol):
    """The part of a websocket that is used here."""

    @property
    def transport(self) -> Transport:
        """What carries it."""

    async def send(self, message: str | bytes) -> None:
        """Send one message; raises ``ConnectionClosed``."""

    async def recv(self) -> str | bytes:
        """The next message; raises ``ConnectionClosed``."""

    async def close(self) -> None:
        """Close; idempotent."""


async def connect(url: str, headers: Mapping[str, str], timeout_s: float, peer: Peer) -> Connection:
    """Open a connection.

    Raises:
        ProviderError: Typed by what went wrong; a refusal at the handshake included.
    """
    try:
        return await websocket_connect(
            url,
            additional_headers=dict(headers),
            compression=None,
            open_timeout=timeout_s,
            close_timeout=_CLOSE_TIMEOUT_S,
            max_size=peer.longest_message_bytes,
            **tls_options(url),
        )
    except InvalidStatus as error:
        answer = error.response
        told = {name.lower(): value for name, value in answer.headers.raw_items()}
        raise peer.refused(answer.status_code, told, bytes(answer.body or b"")) from None
    except TimeoutError:
        raise ProviderTimeout("no handshake in time", peer.provider) from None
    except InvalidURI:
        raise ProviderRejected("not an address", peer.provider, peer.address) from None
    except InvalidHandshake as error:
        if isinstance(error.__cause__, EOFError | OSError):
            raise ProviderUnavailable(
                "hung up at the handshake", peer.provider, peer.address
            ) from None
        raise ProviderProtocolError(
            f"no websocket there ({type(error).__name__})", peer.provider, peer.address
        ) from None
    except (OSError, EOFError, WebSocketException) as error:
        raise ProviderUnavailable(
            f"no connection ({type(error).__name__})", peer.provider, peer.address
        ) from None


async def close(connection: Connection) -> None:
    """Close, politely as long as that can be done; idempotent.

    A service that reads nothing more takes no close either, and ``websockets`` would wait for it
    without end.
    """
    try:
        async with asyncio.timeout(_CLOSED_WITHIN_S):
            await connection.close()
    except TimeoutError:
        connection.transport.abort()


def error_of_end(closed: ConnectionClosed, peer: Peer) -> ProviderError:
    """The typed error for the end of a connection, whoever ended it."""
    sent, received = closed.sent, closed.rcvd
    if sent is not None and not closed.rcvd_then_sent:  # it was we who closed
        if sent.code == _PING_TIMEOUT:
            return ProviderTimeout("pings are not answered", peer.provider)
        return ProviderProtocolError(f"what came is no proper message ({sent.code})", peer.provider)
    return peer.closed(received.code, received.reason) if received else peer.closed(None, "")


class MessageSocket(Generic[M]):
    """An open connection whose service has greeted; see ``open_socket``.

    Args:
        connection: Already open.
        peer: Types what goes wrong.
        parse: One message of the service; raises ``ProviderError``.
        goodbye: Said before closing; empty for nothing.

    Attributes:
        error: Why it broke; None while it is whole.
    """

    def __init__(
        self,
        connection: Connection,
        peer: Peer,
        parse: Callable[[str | bytes], M],
        goodbye: str = "",
    ) -> None:
        self.error: ProviderError | None = None
        self._connection = connection
        self._peer = peer
        self._parse = parse
        self._goodbye = goodbye
        self._heard: Callable[[M], None] | None = None
        self._broke: Callable[[ProviderError], None] | None = None
        self._reader: asyncio.Task[None] | None = None
        self._writer = SocketWriter.of(connection)

    async def greet(self, is_greeting: Callable[[M], bool]) -> None:
        """Take the first message, and read from now on. Raises ``ProviderError``."""
        try:
            message = self._parse(await self._connection.recv())
        except ConnectionClosed as closed:
            raise error_of_end(closed, self._peer) from None
        if not is_greeting(message):
            raise ProviderProtocolError("it begins with something else", self._peer.provider)
        self._reader = asyncio.get_running_loop().create_task(self._read())

    def watch(self, broke: Callable[[ProviderError], None]) -> None:
        """Be told when it breaks, with nobody listening to it."""
        self._heard, self._broke = None, broke

    def listen(self, heard: Callable[[M], None], broke: Callable[[ProviderError], None]) -> None:
        """From now on messages go to ``heard``, on the loop's thread, and a break to ``broke``.

        ``heard`` may raise ``ProviderError``: the message makes no sense, and the socket breaks.
        """
        self._heard, self._broke = heard, broke

    async def send(self, message: str | bytes) -> None:
        """Send text or audio. A break shows in ``error`` and ``broke``, not here."""
        with contextlib.suppress(ConnectionClosed):
            await self._connection.send(message)

    @property
    def takes_now(self) -> bool:
        """Whether ``send_now`` may be used at this moment, instead of ``send``."""
        return self.error is None and self._writer is not None and self._writer.is_ready

    def send_now(self, message: str | bytes) -> None:
        """As ``send``, but nothing waits and no task is needed; only while ``takes_now``."""
        if self._writer is not None:
            self._writer.write(message)

    def abort(self, error: ProviderError) -> None:
        """Give it up at once, because of ``error``."""
        self._break(error)
        self._connection.transport.abort()

    async def aclose(self) -> None:
        """Say goodbye if somebody is there, and close. Idempotent; nobody is told."""
        self._heard = self._broke = None
        if self.error is None:
            self.error = ProviderUnavailable("closed", self._peer.provider)
            if self._goodbye:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_GOODBYE_TIMEOUT_S):
                        await self.send(self._goodbye)
        await close(self._connection)
        if self._reader is not None:
            await asyncio.gather(self._reader, return_exceptions=True)

    async def _read(self) -> None:
        try:
            while True:
                message = self._parse(await self._connection.recv())
                if self._heard is not None:
                    self._heard(message)
        except ConnectionClosed as closed:
            self._break(error_of_end(closed, self._peer))
        except ProviderError as error:
            self.abort(error)

    def _break(self, error: ProviderError) -> None:
        if self.error is None:
            self.error = error
            broke, self._heard, self._broke = self._broke, None, None
            if broke is not None:
                broke(error)


async def open_socket(
    socket: MessageSocket[M],
    connection: Connection,
    is_greeting: Callable[[M], bool],
    timeout_s: float,
    provider: str,
) -> MessageSocket[M]:
    """``socket`` once its service has greeted.

    Raises:
        ProviderError: The service says something else, or nothing in time; it is closed then.
    """
    try:
        async with asyncio.timeout(timeout_s):
            await socket.greet(is_greeting)
    except BaseException as error:
        connection.transport.abort()
        await connection.close()
        if isinstance(error, TimeoutError):
            raise ProviderTimeout("connected, then silent", provider) from None
        raise
    return socket
