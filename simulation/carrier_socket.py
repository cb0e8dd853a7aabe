"""The carrier's WebSocket: one upgrade exactly as observed, then text frames both ways.

``websockets`` without its I/O does the protocol (RFC 6455); this file moves bytes. Everything is
called in the event loop and nothing is awaited per message: sending costs one masked frame and one
``write``, which is what lets one process carry many calls.
"""

from __future__ import annotations

import asyncio
import ssl
from random import getrandbits
from typing import cast
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus, InvalidURI
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.uri import parse_uri

try:
    from websockets.speedups import apply_mask
except ImportError:  # a build without the C extension
    from websockets.utils import apply_mask

from simulation.carrier_errors import StreamRefused
from simulation.carrier_line import ABNORMAL_CLOSE, NORMAL_CLOSE, SocketAddress, SocketEars
from simulation.carrier_signature import sign

USER_AGENT = "Twilio.TmeWs/1.0"
CONNECT_TIMEOUT_S = 5.0
MAX_MESSAGE_BYTES = 4 * 1024 * 1024


def text_frame(payload: bytes) -> bytes:
    """A masked text frame (RFC 6455 section 5.2), unfragmented.

    Same bytes as the library's, at a third of its cost: this is what a call does 50 times a second.
    """
    length = len(payload)
    if length < 126:
        head = bytes((0x81, 0x80 | length))
    elif length < 65_536:
        head = b"\x81\xfe" + length.to_bytes(2, "big")
    else:
        head = b"\x81\xff" + length.to_bytes(8, "big")
    mask = getrandbits(32).to_bytes(4, "big")
    return b"".join((head, mask, apply_mask(payload, mask)))


class MediaSocket(asyncio.Protocol):
    """One socket to the server, a ``carrier_line.LineSocket``. Make it with ``open_socket``."""

    def __init__(self, address: SocketAddress, auth_token: str, ears: SocketEars) -> None:
        self._ears = ears
        self._request_for(address, auth_token)
        self._transport: asyncio.Transport | None = None
        self._fragments: list[bytes] = []
        self._fragment_opcode = Opcode.TEXT
        self._closed_reported = False
        self.bytes_sent = 0
        self.handshake: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def _request_for(self, address: SocketAddress, auth_token: str) -> None:
        self._wire = ClientProtocol(parse_uri(address.connect_url), max_size=MAX_MESSAGE_BYTES)
        public = urlsplit(address.public_url)
        # Order, case and absence (no Origin, no extensions) as captured from the real carrier.
        headers = Headers()
        headers["host"] = public.netloc.rpartition("@")[2]
        headers["user-agent"] = USER_AGENT
        headers["connection"] = "Upgrade"
        headers["upgrade"] = "websocket"
        headers["sec-websocket-key"] = self._wire.key
        headers["sec-websocket-version"] = "13"
        headers["x-twilio-signature"] = sign(address.public_url, (), auth_token)
        headers["accept-encoding"] = "gzip"
        self._request = Request(public.path or "/", headers)

    @property
    def is_open(self) -> bool:
        """True while messages can be sent."""
        return self._wire.state is State.OPEN

    @property
    def unsent_bytes(self) -> int:
        """What the server has not yet taken: grows when it reads too slowly."""
        return self._transport.get_write_buffer_size() if self._transport else 0

    def send_text(self, text: str) -> None:
        """Send one message; silently nothing when the socket is gone (as a phone leg would)."""
        transport = self._transport
        if transport is None or transport.is_closing() or self._wire.state is not State.OPEN:
            return
        data = text_frame(text.encode())
        self.bytes_sent += len(data)
        transport.write(data)

    def send_binary(self, data: bytes) -> None:
        """Send a binary message: only a fault does this."""
        if self._wire.state is State.OPEN:
            self._wire.send_binary(data)
            self._flush()

    def close(self, code: int = NORMAL_CLOSE) -> None:
        """Begin the closing handshake."""
        if self._wire.state is State.OPEN:
            self._wire.send_close(code)
            self._flush()

    def abort(self) -> None:
        """Drop the connection at once, without a close frame."""
        if self._transport:
            self._transport.abort()

    def pause_reading(self) -> None:
        """Stop taking what the server sends."""
        if self._transport:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take it again."""
        if self._transport:
            self._transport.resume_reading()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the upgrade."""
        # uvloop's transports do not descend from asyncio's: promised, not checked.
        self._transport = cast(asyncio.Transport, transport)
        self._wire.send_request(self._request)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Hand on whatever messages are complete."""
        self._wire.receive_data(data)
        self._after_receiving()

    def eof_received(self) -> None:
        """The server has finished writing."""
        self._wire.receive_eof()
        self._after_receiving()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, cleanly or not."""
        if not self.handshake.done():
            self.handshake.set_exception(StreamRefused(31903, "closed during the handshake"))
        code = self._wire.close_rcvd.code if self._wire.close_rcvd else ABNORMAL_CLOSE
        self._report_closed(int(code), self._wire.close_rcvd is not None)

    def _after_receiving(self) -> None:
        for event in self._wire.events_received():
            if isinstance(event, Frame):
                self._take_frame(event)
            elif isinstance(event, Response):
                self._take_response()
        if self._wire.handshake_exc is not None:
            # What is not even HTTP comes without a response.
            self._take_response()
        self._flush()
        if self._wire.close_rcvd is not None:
            self._report_closed(int(self._wire.close_rcvd.code), True)

    def _take_response(self) -> None:
        if self.handshake.done():
            return
        error = self._wire.handshake_exc
        if error is None:
            self.handshake.set_result(None)
        elif isinstance(error, InvalidStatus):
            self.handshake.set_exception(
                StreamRefused(
                    31920, f"the upgrade was answered {error.response.status_code}, not 101"
                )
            )
        else:
            self.handshake.set_exception(StreamRefused(31920, f"bad upgrade answer: {error}"))

    def _take_frame(self, frame: Frame) -> None:
        if frame.opcode in {Opcode.TEXT, Opcode.BINARY}:
            if frame.fin:
                self._deliver(frame.opcode, bytes(frame.data))
                return
            self._fragment_opcode = frame.opcode
            self._fragments = [bytes(frame.data)]
        elif frame.opcode is Opcode.CONT:
            self._fragments.append(bytes(frame.data))
            if frame.fin:
                self._deliver(self._fragment_opcode, b"".join(self._fragments))
                self._fragments = []

    def _deliver(self, opcode: Opcode, data: bytes) -> None:
        if opcode is Opcode.BINARY:
            self._ears.on_binary(len(data))
        else:
            self._ears.on_text(data.decode("utf-8", "replace"))

    def _flush(self) -> None:
        for data in self._wire.data_to_send():
            if self._transport is None or self._transport.is_closing():
                return
            if data:
                self.bytes_sent += len(data)
                self._transport.write(data)
            elif self._transport.can_write_eof():
                self._transport.write_eof()
            else:
                self._transport.close()

    def _report_closed(self, code: int, clean: bool) -> None:
        if not self._closed_reported and self.handshake.done() and not self.handshake.cancelled():
            self._closed_reported = True
            if self.handshake.exception() is None:
                self._ears.on_closed(code, clean)


async def open_socket(
    address: SocketAddress, auth_token: str, ears: SocketEars, tls: ssl.SSLContext | None = None
) -> MediaSocket:
    """Connect and upgrade, once: the carrier does not try again.

    Args:
        address: What to sign and where to connect.
        auth_token: The account's token, which signs the upgrade.
        ears: Who is told what arrives.
        tls: For ``wss`` connections; a default context when None.

    Raises:
        StreamRefused: 31901 timed out, 31902 refused, 31904 no such host, 31910 TLS, 31920 not 101.
    """
    parts = urlsplit(address.connect_url)
    secure = parts.scheme == "wss"
    loop = asyncio.get_running_loop()
    socket: MediaSocket | None = None
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, socket = await loop.create_connection(
                lambda: MediaSocket(address, auth_token, ears),
                parts.hostname or "",
                parts.port or (443 if secure else 80),
                ssl=(tls or ssl.create_default_context()) if secure else None,
            )
            await socket.handshake
    except TimeoutError as error:
        raise StreamRefused(31901, "the server did not answer the upgrade in 5 s") from error
    except ssl.SSLError as error:
        raise StreamRefused(31910, f"TLS: {error.reason}") from error
    except ConnectionError as error:
        raise StreamRefused(31902, "the server refused the connection") from error
    except OSError as error:
        raise StreamRefused(31904, f"cannot reach the server: {error.strerror}") from error
    except InvalidURI as error:
        raise StreamRefused(31923, str(error)) from error
    except UnicodeError as error:
        raise StreamRefused(31923, "the host name cannot be looked up") from error
    finally:
        if socket is not None and not socket.is_open:
            socket.abort()
    return socket
