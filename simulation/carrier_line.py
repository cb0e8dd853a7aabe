"""What a stream needs of a socket, whoever carries it: the network, or a test in memory."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

NORMAL_CLOSE = 1000
# RFC 6455 section 7.4.1: stands for "no close frame came", never on the wire.
ABNORMAL_CLOSE = 1006


@dataclass(frozen=True, slots=True)
class SocketAddress:
    """Where a stream lives.

    Attributes:
        public_url: The ``wss`` URL of the TwiML, which is what gets signed.
        connect_url: Where to connect; the same, or a local address.
    """

    public_url: str
    connect_url: str


@dataclass(frozen=True, slots=True)
class SocketEars:
    """Who is told what arrives; all are called synchronously.

    Attributes:
        on_text: A text message.
        on_binary: A binary message of this many bytes, which the protocol forbids.
        on_closed: The socket is gone: close code, and whether a close frame came.
    """

    on_text: Callable[[str], None]
    on_binary: Callable[[int], None]
    on_closed: Callable[[int, bool], None]


class LineSocket(Protocol):
    """What a stream needs of a socket; ``carrier_socket.MediaSocket`` is one."""

    @property
    def unsent_bytes(self) -> int:
        """What the server has not yet taken."""

    def send_text(self, text: str) -> None:
        """Send one message; nothing when the socket is gone."""

    def send_binary(self, data: bytes) -> None:
        """Send a binary message."""

    def close(self, code: int = NORMAL_CLOSE) -> None:
        """Begin the closing handshake."""

    def abort(self) -> None:
        """Drop the connection at once."""

    def pause_reading(self) -> None:
        """Stop taking what the server sends."""

    def resume_reading(self) -> None:
        """Take it again."""


Opener = Callable[[SocketAddress, str, SocketEars, ssl.SSLContext | None], Awaitable[LineSocket]]
