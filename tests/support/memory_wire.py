"""A client connection of ``websockets`` itself whose other end is this process: no sockets."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.frames import Opcode
from websockets.speedups import apply_mask
from websockets.uri import parse_uri

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3


class MemoryWire:
    """The transport of a connection and the service behind it.

    Args:
        takes: Told of every data message, in the step in which it is written.

    Attributes:
        connection: Of the client; set by ``connected``.
        sent: Payloads of all data messages, in order.
    """

    def __init__(self, takes: Callable[[bytes], None] = lambda _payload: None) -> None:
        self.connection: ClientConnection | None = None
        self.sent: list[bytes] = []
        self._takes = takes
        self._loop = asyncio.get_running_loop()
        self._is_upgraded = False
        self._is_closing = False

    async def connected(self) -> ClientConnection:
        """A connection whose handshake is over."""
        protocol = ClientProtocol(parse_uri("ws://service.invalid"))
        connection = ClientConnection(protocol, ping_interval=None, close_timeout=1.0)
        self.connection = connection
        connection.connection_made(self)  # type: ignore[arg-type]
        await connection.handshake()
        return connection

    def says(self, text: str) -> None:
        """The service sends a message; it arrives with the next step of the loop."""
        payload = text.encode()
        size = len(payload)
        head = bytes((0x81, size)) if size < 126 else bytes((0x81, 126)) + size.to_bytes(2, "big")
        self._arrives(head + payload)

    def _arrives(self, data: bytes) -> None:
        self._loop.call_soon(self._deliver, data)

    def _deliver(self, data: bytes) -> None:
        if self.connection is not None and not self._is_closing:
            self.connection.data_received(data)

    def _greet(self, request: bytes) -> None:
        self._is_upgraded = True
        at = request.lower().index(b"sec-websocket-key:") + len(b"sec-websocket-key:")
        key = request[at : request.index(b"\r\n", at)].strip()
        digest = base64.b64encode(hashlib.sha1(key + _GUID).digest())
        self._arrives(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + digest + b"\r\n\r\n"
        )

    # --- asyncio.Transport, as far as websockets uses it -----------------------------------------

    def write(self, data: bytes) -> None:
        if not self._is_upgraded:
            self._greet(bytes(data))
            return
        length, at = data[1] & 0x7F, 2
        if length == 126:
            length, at = int.from_bytes(data[2:4], "big"), 4
        if data[0] & 0x0F not in (Opcode.TEXT, Opcode.BINARY):
            self.close()
            return
        payload = apply_mask(bytes(data[at + 4 : at + 4 + length]), bytes(data[at : at + 4]))
        self.sent.append(payload)
        self._takes(payload)

    def is_closing(self) -> bool:
        return self._is_closing

    def abort(self) -> None:
        self.close()

    def close(self) -> None:
        if not self._is_closing and self.connection is not None:
            self._is_closing = True
            self._loop.call_soon(self.connection.connection_lost, None)

    def can_write_eof(self) -> bool:
        return False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        return None

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, _name: str, default: Any = None) -> Any:
        return default

    def pause_reading(self) -> None:
        return None

    def resume_reading(self) -> None:
        return None
