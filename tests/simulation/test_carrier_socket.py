"""The upgrade as captured from the real carrier, and frames as RFC 6455 has them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from simulation.carrier_errors import StreamRefused
from simulation.carrier_line import SocketAddress, SocketEars
from simulation.carrier_signature import sign
from simulation.carrier_socket import MediaSocket, open_socket, text_frame

PUBLIC = "wss://voice.example.com/twilio/media"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Heard:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self.binary: list[int] = []
        self.closed: asyncio.Future[tuple[int, bool]] = asyncio.get_running_loop().create_future()

    def ears(self) -> SocketEars:
        return SocketEars(
            self.texts.append,
            self.binary.append,
            lambda code, clean: self.closed.set_result((code, clean)),
        )


def with_server(serve: Serve, use: Callable[[MediaSocket, Heard], Awaitable[None]]) -> None:
    """Run ``use`` on a socket that ``serve`` answers."""

    async def whole() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            heard = Heard()
            address = SocketAddress(PUBLIC, f"ws://127.0.0.1:{port}/twilio/media")
            socket = await open_socket(address, "12345", heard.ears())
            try:
                await use(socket, heard)
            finally:
                socket.abort()

    asyncio.run(whole())


async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Answer an upgrade with nothing but what is needed; returns the request."""
    request = await reader.readuntil(b"\r\n\r\n")
    key = request.split(b"sec-websocket-key: ")[1].split(b"\r\n")[0]
    guid = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    answer = base64.b64encode(hashlib.sha1(key + guid).digest())
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + answer + b"\r\n\r\n"
    )
    return request


@pytest.mark.e2e
def test_the_upgrade_is_the_captured_one() -> None:
    requests: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await accept(reader, writer))

    async def use(socket: MediaSocket, heard: Heard) -> None:
        assert socket.is_open

    with_server(serve, use)
    lines = requests[0].decode().split("\r\n")
    assert lines[0] == "GET /twilio/media HTTP/1.1"
    assert [line.split(":")[0] for line in lines[1:-2]] == [
        "host",
        "user-agent",
        "connection",
        "upgrade",
        "sec-websocket-key",
        "sec-websocket-version",
        "x-twilio-signature",
        "accept-encoding",
    ]
    assert "host: voice.example.com" in lines
    assert "user-agent: Twilio.TmeWs/1.0" in lines
    assert f"x-twilio-signature: {sign(PUBLIC, (), '12345')}" in lines


@pytest.mark.e2e
def test_messages_fragments_and_binary_frames_are_told_apart() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        for frame in (
            Frame(Opcode.TEXT, b"one"),
            Frame(Opcode.TEXT, b"t", fin=False),
            Frame(Opcode.CONT, b"wo"),
            Frame(Opcode.BINARY, b"123"),
            Frame(Opcode.CLOSE, b"\x03\xf3"),
        ):
            writer.write(frame.serialize(mask=False))

    async def use(socket: MediaSocket, heard: Heard) -> None:
        assert await heard.closed == (1011, True)
        assert heard.texts == ["one", "two"]
        assert heard.binary == [3]
        socket.send_text("into the void")

    with_server(serve, use)


@pytest.mark.e2e
def test_a_connection_that_vanishes_is_1006() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer)
        writer.close()

    async def use(socket: MediaSocket, heard: Heard) -> None:
        assert await heard.closed == (1006, False)

    with_server(serve, use)


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 31920),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 31920),
        (b"not http at all\r\n\r\n", 31920),
        (b"", 31920),
    ],
)
def test_an_upgrade_that_is_not_answered_101(answer: bytes, code: int) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async def use(socket: MediaSocket, heard: Heard) -> None:
        raise AssertionError("opened")

    with pytest.raises(StreamRefused) as caught:
        with_server(serve, use)
    assert caught.value.code == code


@pytest.mark.e2e
def test_a_server_that_is_not_there_is_31902() -> None:
    async def whole() -> None:
        server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        await open_socket(
            SocketAddress(PUBLIC, f"ws://127.0.0.1:{port}/m"), "12345", Heard().ears()
        )

    with pytest.raises(StreamRefused) as caught:
        asyncio.run(whole())
    assert caught.value.code == 31902


@settings(max_examples=50)
@given(st.one_of(st.binary(max_size=300), st.integers(65_500, 65_600).map(bytes)))
def test_frames_are_read_back_by_another_implementation(payload: bytes) -> None:
    server = ServerProtocol(state=State.OPEN, max_size=None)
    server.receive_data(text_frame(payload))
    (frame,) = server.events_received()
    assert isinstance(frame, Frame)
    assert (frame.opcode, bytes(frame.data), frame.fin) == (Opcode.TEXT, payload, True)
