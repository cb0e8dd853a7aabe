"""Media messages straight from the transport, past the queues and tasks between it and us.

Before an ASGI application sees one of the fifty messages a second of a call, it has passed a
general parser, the server's queue, a task and a queue of Ray Serve and a task of ours, and reading
was paused and taken up again: most of what a frame costs. Once a handshake is accepted the
connection can be *tapped*: messages of the plain kind are read here and handed on in the same call.

Rules:

1. A plain message is one masked, unfragmented text frame of at most 65,535 bytes that is valid
   UTF-8. Frames of every other kind go to the server's own protocol object, whole and unchanged.
2. From the first of those that carries data, or a close, everything goes there and nothing is
   tapped any more: so messages keep their order, and every violation is met by the server's rules.
3. The server goes on owning the connection: pings, flow control, its shutdown, and the loss of
   the peer are its affair, and whoever waits for a disconnect is told by it as before.
4. Where the server is not the one that this was written against, nothing is tapped and the ASGI
   road carries all messages: ``tap`` and ``writer`` then answer None.

Source: RFC 6455, section 5; uvicorn's ``WebSocketsSansIOProtocol``; Ray Serve's direct ingress.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

try:
    from websockets.speedups import apply_mask
except ImportError:  # a build without the C extension
    from websockets.utils import apply_mask

_MOST_LAYERS = 3
_TEXT = 0x81  # FIN and the opcode of text, no reserved bit
_CONTROL = (0x89, 0x8A)  # ping, pong: they may stand between any two messages
_MASKED = 0x80
_SHORT_HEADER = 6  # two bytes and the mask
_LONG_HEADER = 8  # the length takes two more
_LONGEST_BYTES = 65_535
# What is asked of the server's protocol object.
_NEEDED = ("conn", "queue", "loop", "transport", "writable", "close_sent", "read_paused")


class FrameTap(asyncio.Protocol):
    """Stands between a transport and the server's protocol object.

    Args:
        server: The protocol object; its handshake is over.
        take: Gets every plain message, in order. Must not raise.

    Attributes:
        is_tapping: False once everything goes to the server.
    """

    def __init__(self, server: Any, take: Callable[[str], None]) -> None:
        self._server = server
        self._take = take
        self._rest = b""
        self.is_tapping = True

    def data_received(self, data: bytes) -> None:
        """Bytes of the peer, cut anywhere."""
        if not self.is_tapping:
            self._server.data_received(data)
            return
        if self._rest:
            data, self._rest = self._rest + data, b""
        at, size = 0, len(data)
        while at < size and (end := self._take_frame(data, at)):
            at = end
        if at < size:
            if self.is_tapping:
                self._rest = data[at:]
            else:
                self._server.data_received(data[at:])

    def _take_frame(self, data: bytes, at: int) -> int:
        """Hand on the frame at ``at``; answers where it ends, or 0 when nothing was handed on."""
        if len(data) - at < 2:
            return 0
        head, length = data[at], data[at + 1] - _MASKED
        begin = at + _SHORT_HEADER
        if length == 126:
            length = int.from_bytes(data[at + 2 : at + 4], "big")
            begin = at + _LONG_HEADER
        end = begin + length
        is_plain = 0 <= length != 127 and (head == _TEXT or head in _CONTROL)
        if not is_plain:
            self.is_tapping = False
            return 0
        if end > len(data):
            return 0
        if head != _TEXT:
            self._server.data_received(data[at:end])
            return end
        try:
            text = apply_mask(data[begin:end], data[begin - 4 : begin]).decode()
        except UnicodeDecodeError:
            self.is_tapping = False
            return 0
        self._take(text)
        return end

    def eof_received(self) -> bool | None:
        """The peer writes no more."""
        self._hand_over_rest()
        kept_open: bool | None = self._server.eof_received()
        return kept_open

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._hand_over_rest()
        self._server.connection_lost(exc)

    def pause_writing(self) -> None:
        """The peer reads too slowly."""
        self._server.pause_writing()

    def resume_writing(self) -> None:
        """It reads again."""
        self._server.resume_writing()

    def _hand_over_rest(self) -> None:
        rest, self._rest = self._rest, b""
        self.is_tapping = False
        if rest:
            self._server.data_received(rest)


def tap(receive: object, take: Callable[[str], None]) -> FrameTap | None:
    """Tap the connection behind an ASGI ``receive`` whose handshake was accepted just now.

    Args:
        receive: As the application was given it.
        take: See ``FrameTap``.

    Returns:
        The tap, in place; None if this connection cannot be tapped.
    """
    server = _server_of(receive)
    if server is None or not server.queue.empty() or server.read_paused or server.close_sent:
        return None
    connection = server.conn
    # Compressed messages need the server's parser; so do bytes that it has begun to read.
    if getattr(connection, "extensions", None) or connection.reader.buffer:
        return None
    tapping = FrameTap(server, take)
    server.transport.set_protocol(tapping)
    return tapping


def writer(receive: object) -> Callable[[str], bool] | None:
    """A function that sends one text message at once, past the server's layers; or None.

    It answers False and sends nothing when the peer reads too slowly or the connection is closing:
    the ASGI ``send`` then waits, or raises.
    """
    server = _server_of(receive)
    if server is None or getattr(server.conn, "extensions", None):
        return None
    transport, may_write = server.transport, server.writable.is_set

    def write(text: str) -> bool:
        if server.close_sent or transport.is_closing() or not may_write():
            return False
        transport.write(text_frame(text.encode()))
        return True

    return write


def text_frame(payload: bytes) -> bytes:
    """An unmasked, unfragmented text frame, as a server sends it."""
    length = len(payload)
    if length < 126:
        return bytes((_TEXT, length)) + payload
    if length <= _LONGEST_BYTES:
        return bytes((_TEXT, 126, length >> 8, length & 255)) + payload
    return bytes((_TEXT, 127)) + length.to_bytes(8, "big") + payload


def _server_of(receive: object) -> Any:
    """The server's protocol object whose ``receive`` this is, perhaps through proxies; or None."""
    for _ in range(_MOST_LAYERS):
        server = getattr(receive, "__self__", None)
        if server is not None:
            is_known = isinstance(server, asyncio.Protocol)
            if not is_known or not all(hasattr(server, name) for name in _NEEDED):
                return None
            # Ray Serve may run us in a thread of our own: the transport belongs to its loop.
            return server if server.loop is asyncio.get_running_loop() else None
        receive = getattr(receive, "_receive", None)  # Ray Serve's proxy
    return None
