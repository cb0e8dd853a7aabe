"""One WebSocket on the server's side, on the sans-I/O core of ``websockets``: no task, no queue.

A message goes from the transport's callback straight into the session. Whole data frames,
nearly all of the traffic, are unpacked here (8 microseconds in place of 28); everything else,
handshake, control frames, fragments and mistakes, is the library's. Compression is not offered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from websockets.frames import Frame, Opcode
from websockets.http11 import Request as HandshakeRequest
from websockets.protocol import State
from websockets.server import ServerProtocol

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform without the compiled part
    from websockets.utils import apply_mask


MAX_MESSAGE_BYTES = 4_194_304
_WHOLE_TEXT, _WHOLE_BINARY = 0x81, 0x82
_MASKED = 0x80


class SocketSession(Protocol):
    """What an emulated service does on one socket. All calls come from the event loop."""

    def receive_text(self, message: str) -> None:
        """A text message came."""

    def receive_binary(self, message: bytes) -> None:
        """A binary message came."""

    def closed(self) -> None:
        """The socket is gone; nothing can be sent any more."""


class Socket:
    """Sends and receives WebSocket messages.

    Args:
        write: Sends bytes at once.
        finish: Closes the TCP connection after what was written.
    """

    def __init__(self, write: Callable[[bytes], None], finish: Callable[[], None]) -> None:
        self._protocol = ServerProtocol(max_size=MAX_MESSAGE_BYTES)
        self._buffer = b""
        self._write = write
        self._finish = finish
        self._fragments: list[bytes] = []
        self._fragments_are_text = False
        self.session: SocketSession | None = None
        self.received_bytes = 0  # pings included
        # Messages leave through here, so that faults can be put in between.
        self.outbound: Callable[[bytes], None] = write

    @property
    def is_open(self) -> bool:
        """Whether messages can still be sent."""
        return self._protocol.state is State.OPEN

    def accept(self, head: bytes) -> bool:
        """Answer the handshake; False when it was malformed and has been refused."""
        self._protocol.receive_data(head)
        for event in self._protocol.events_received():
            if isinstance(event, HandshakeRequest):
                self._protocol.send_response(self._protocol.accept(event))
        self._flush()
        return self.is_open

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the connection; hands whole messages to the session."""
        self.received_bytes += len(data)
        buffer = self._buffer + data if self._buffer else data
        at = 0
        while (end := _frame_end(buffer, at)) is not None and self.session is not None:
            first, length = buffer[at], _payload_length(buffer, at)
            if first in (_WHOLE_TEXT, _WHOLE_BINARY) and self._is_in_order(buffer[at + 1], length):
                start = end - length
                payload = apply_mask(buffer[start:end], buffer[start - 4 : start])
                if first == _WHOLE_TEXT:
                    self.session.receive_text(payload.decode("utf-8", "replace"))
                else:
                    self.session.receive_binary(payload)
            else:
                self._receive_by_library(buffer[at:end])
            at = end
        self._buffer = buffer[at:]

    def _is_in_order(self, second: int, length: int) -> bool:
        """Whether a whole data frame is allowed now, masked, and not too long."""
        return (
            bool(second & _MASKED)
            and length <= MAX_MESSAGE_BYTES
            and not self._fragments
            and self.is_open
        )

    def _receive_by_library(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and self.session is not None:
                self._receive_frame(event, self.session)
        self._flush()

    def _receive_frame(self, frame: Frame, session: SocketSession) -> None:
        opcode, data = frame.opcode, bytes(frame.data)
        if opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return  # the protocol has answered close and ping itself
        if opcode is not Opcode.CONT:
            self._fragments_are_text = opcode is Opcode.TEXT
        if not frame.fin or opcode is Opcode.CONT:
            self._fragments.append(data)
            if not frame.fin:
                return
            data = b"".join(self._fragments)
            self._fragments.clear()
        if self._fragments_are_text:
            session.receive_text(data.decode("utf-8", "replace"))
        else:
            session.receive_binary(data)

    def send_text(self, message: str) -> None:
        """Send a text message; does nothing when the socket is closed."""
        if self.is_open:
            self.outbound(serialize(Opcode.TEXT, message.encode()))

    def send_binary(self, message: bytes) -> None:
        """Send a binary message; does nothing when the socket is closed."""
        if self.is_open:
            self.outbound(serialize(Opcode.BINARY, message))

    def close(self, code: int | None, reason: str) -> None:
        """Start the closing handshake; without a ``code`` the close frame is empty."""
        if self.is_open:
            self._protocol.send_close(code, reason)
            self._flush()

    def lost(self) -> None:
        """The TCP connection is gone."""
        self._protocol.receive_eof()
        session, self.session = self.session, None
        if session is not None:
            session.closed()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._write(data)
            else:
                self._finish()


def _payload_length(buffer: bytes, at: int) -> int:
    short = buffer[at + 1] & 0x7F
    if short == 126:
        return int.from_bytes(buffer[at + 2 : at + 4], "big")
    if short == 127:
        return int.from_bytes(buffer[at + 2 : at + 10], "big")
    return short


def _frame_end(buffer: bytes, at: int) -> int | None:
    """Where the frame at ``at`` ends (RFC 6455, 5.2); None while it is incomplete.

    A frame that is too long ends where the buffer does: the library is to refuse it, not wait.
    """
    have = len(buffer) - at
    if have < 2:
        return None
    second = buffer[at + 1]
    head = 2 + {126: 2, 127: 8}.get(second & 0x7F, 0) + (4 if second & _MASKED else 0)
    if have < head:
        return None
    length = _payload_length(buffer, at)
    if length > MAX_MESSAGE_BYTES:
        return len(buffer)
    return at + head + length if have >= head + length else None


def serialize(opcode: Opcode, data: bytes) -> bytes:
    """One unmasked, unfragmented frame, as servers send them (RFC 6455, 5.2)."""
    length = len(data)
    if length < 126:
        return bytes((0x80 | opcode, length)) + data
    if length < 65_536:
        return bytes((0x80 | opcode, 126)) + length.to_bytes(2, "big") + data
    return bytes((0x80 | opcode, 127)) + length.to_bytes(8, "big") + data
