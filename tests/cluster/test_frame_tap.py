"""A tapped socket behaves as the server alone does, only sooner."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from actors.outbox import Sender
from cluster import frame_tap
from cluster.accepted_socket import MOST_EARLY, CallSocket, Message, Receive, Send
from cluster.edge import StreamRefusal
from tests.support.virtual_time import run

HANDSHAKE = (
    b"GET /twilio/media HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
Scene = Callable[["Line", CallSocket], Awaitable[None]]


class Wire(asyncio.Transport):
    """A transport in memory."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.protocol: Any = None
        self.written = b""
        self.closing = False

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def pause_reading(self) -> None:
        """It is fed by hand."""

    def resume_reading(self) -> None:
        """Likewise."""


class Line:
    """A server's protocol object with an application behind it that listens."""

    def __init__(self, *, is_tapped: bool, listens: bool = True, proxied: bool = False) -> None:
        self.got: list[str | bytes] = []
        self.socket: CallSocket | None = None
        self.wire = Wire()
        self.is_lost = False
        self.over = asyncio.Event()
        self._is_tapped, self._listens, self._proxied = is_tapped, listens, proxied
        config = Config(
            self._app, lifespan="off", log_config=None, ws_ping_interval=None, interface="asgi3"
        )
        loop = asyncio.get_running_loop()
        self.server = WebSocketsSansIOProtocol(config, ServerState(), {}, _loop=loop)
        self.wire.protocol = self.server

    async def _app(self, scope: Message, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        if not self._is_tapped:
            receive = _behind(receive)
        elif self._proxied:
            receive = Proxy(receive)
        self.socket = CallSocket(receive, send)
        if self._listens:
            await asyncio.wait([self.socket.listen(self.got.append)])
        else:
            await self.over.wait()

    async def open(self) -> CallSocket:
        self.server.connection_made(self.wire)
        self.wire.protocol.data_received(HANDSHAKE)
        await settle()
        assert self.socket is not None
        assert self.socket.is_tapped is self._is_tapped
        self.wire.written = b""
        return self.socket

    async def feed(self, *chunks: bytes) -> None:
        for chunk in chunks:
            if not self.wire.closing:
                self.wire.protocol.data_received(chunk)
            await settle()

    def lose(self) -> None:
        """The connection is gone."""
        self.is_lost = self.wire.closing = True
        self.wire.protocol.connection_lost(None)


class Proxy:
    """As Ray Serve stands between a server and an application."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive

    async def __call__(self) -> Message:
        return await self._receive()


def _behind(receive: Receive) -> Receive:
    async def behind() -> Message:
        return await receive()

    return behind


async def settle() -> None:
    for _ in range(6):
        await asyncio.sleep(0)


def play(line: Callable[[], Line], scene: Scene) -> None:
    async def whole() -> None:
        opened = line()
        socket = await opened.open()
        try:
            await scene(opened, socket)
        finally:
            opened.wire.closing = True
            if not opened.is_lost:
                opened.lose()
            opened.over.set()
            await settle()

    run(whole())


def now(socket: CallSocket) -> Callable[[str], bool]:
    assert isinstance(socket.send_text, Sender)
    return socket.send_text.now


def frame(opcode: Opcode, data: bytes, *, fin: bool = True, mask: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=mask)


def text(words: str) -> bytes:
    return frame(Opcode.TEXT, words.encode())


TEXTS = st.text(max_size=20) | st.integers(100, 400).map(lambda size: "é" * size)
FRAMES = st.one_of(
    TEXTS.map(text),
    TEXTS.map(text),
    TEXTS.map(text),
    st.binary(max_size=125).map(lambda data: frame(Opcode.PING, data)),
    st.binary(max_size=125).map(lambda data: frame(Opcode.PONG, data)),
    st.binary(max_size=200).map(lambda data: frame(Opcode.BINARY, data)),
    TEXTS.map(lambda words: frame(Opcode.TEXT, words.encode()[:3], fin=False)),
    TEXTS.map(lambda words: frame(Opcode.CONT, words.encode())),
    st.sampled_from(
        (
            frame(Opcode.CLOSE, b"\x03\xe8bye"),
            frame(Opcode.CLOSE, b""),
            frame(Opcode.TEXT, b"unmasked", mask=False),
            frame(Opcode.TEXT, b"\xff\xfe no text"),
            b"\xc1\x80\x00\x00\x00\x00",  # a reserved bit
            b"\x83\x80\x00\x00\x00\x00",  # a reserved opcode
            b"\x09\x80\x00\x00\x00\x00",  # a ping in pieces
            b"\x81\xff" + (3).to_bytes(8, "big") + b"\x00\x00\x00\x00abc",  # a length in eight
            b"\x81\xfe\x00\x03\x00\x00\x00\x00abc",  # and one in two that needs none
        )
    ),
)


@given(frames=st.lists(FRAMES, max_size=12), cuts=st.lists(st.integers(1, 300), max_size=12))
def test_whatever_comes_is_met_as_the_server_alone_would(
    frames: list[bytes], cuts: list[int]
) -> None:
    data, chunks = b"".join(frames), []
    for cut in cuts:
        chunks.append(data[:cut])
        data = data[cut:]
    chunks = [chunk for chunk in (*chunks, data) if chunk]
    got: list[list[str | bytes]] = []
    seen = []
    for is_tapped in (False, True):

        async def scene(line: Line, socket: CallSocket) -> None:
            await line.feed(*chunks)
            got.append(line.got)
            seen.append((socket.code, line.wire.written, line.wire.closing))

        play(lambda is_tapped=is_tapped: Line(is_tapped=is_tapped), scene)
    assert seen[0] == seen[1]
    # The server alone forgets messages that came in one piece with a violation.
    is_violation = seen[0][0] in (1002, 1007)
    assert got[1][: len(got[0])] == got[0]
    assert is_violation or got[1] == got[0]


@pytest.mark.parametrize("proxied", [False, True])
def test_a_message_is_there_without_a_turn_of_the_loop(proxied: bool) -> None:
    async def scene(line: Line, socket: CallSocket) -> None:
        two = text("two")
        line.wire.protocol.data_received(text("one") + two[:4])
        assert line.got == ["one"]
        line.wire.protocol.data_received(two[4:])
        assert line.got == ["one", "two"]

    play(lambda: Line(is_tapped=True, proxied=proxied), scene)


def test_what_came_before_somebody_listens_waits_in_order() -> None:
    async def scene(line: Line, socket: CallSocket) -> None:
        await line.feed(text("one") + text("two") + text("three"))
        assert await socket.receive() == "one"
        socket.listen(line.got.append)
        await line.feed(text("four"))
        assert line.got == ["two", "three", "four"]

    play(lambda: Line(is_tapped=True, listens=False), scene)


def test_a_flood_before_somebody_listens_is_bounded() -> None:
    async def scene(line: Line, socket: CallSocket) -> None:
        await line.feed(text("more") * (MOST_EARLY + 1))
        for _ in range(MOST_EARLY):
            assert await socket.receive() == "more"
        with pytest.raises(StreamRefusal, match="too many"):
            await socket.receive()

    play(lambda: Line(is_tapped=True, listens=False), scene)


@pytest.mark.parametrize("is_tapped", [False, True])
def test_a_peer_that_goes_is_told_to_whoever_waits(is_tapped: bool) -> None:
    async def scene(line: Line, socket: CallSocket) -> None:
        waiting = asyncio.ensure_future(socket.receive())
        await settle()
        line.lose()
        await settle()
        assert waiting.result() is None
        assert socket.code == 1005

    play(lambda: Line(is_tapped=is_tapped, listens=False), scene)


def test_whoever_has_left_is_let_go_of_though_the_connection_is_still_there() -> None:
    async def scene(line: Line, socket: CallSocket) -> None:
        class Listener:
            def __init__(self) -> None:
                self.got: list[str | bytes] = []

            def take(self, text: str | bytes) -> None:
                self.got.append(text)

        listener = Listener()
        socket.listen(listener.take)
        await line.feed(text("a"))
        assert listener.got == ["a"]
        held = weakref.ref(listener)
        socket.leave()
        del listener
        assert held() is None
        await line.feed(text("b"))

    play(lambda: Line(is_tapped=True, listens=False), scene)


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_what_is_sent_at_once_is_what_the_server_would_have_sent(size: int) -> None:
    async def scene(line: Line, socket: CallSocket) -> None:
        send = now(socket)
        assert send("x" * size)
        at_once, line.wire.written = line.wire.written, b""
        await socket.send_text("x" * size)
        assert line.wire.written == at_once

    play(lambda: Line(is_tapped=True), scene)


def test_nothing_is_sent_at_once_to_a_peer_that_reads_slowly_or_goes() -> None:
    async def scene(line: Line, socket: CallSocket) -> None:
        send = now(socket)
        line.wire.protocol.pause_writing()
        assert not send("late")
        line.wire.protocol.resume_writing()
        assert send("in time")
        await socket.close(1000)
        assert not send("too late")
        assert b"late" not in line.wire.written

    play(lambda: Line(is_tapped=True), scene)


def test_a_shut_down_of_the_server_reaches_the_peer_and_us() -> None:
    async def scene(line: Line, socket: CallSocket) -> None:
        line.server.shutdown()
        await settle()
        assert line.wire.written == Frame(Opcode.CLOSE, b"\x03\xf4").serialize(mask=False)
        assert socket.code == 1012
        assert not now(socket)("nothing follows a close")

    play(lambda: Line(is_tapped=True), scene)


def test_another_server_is_not_tapped(caplog: pytest.LogCaptureFixture) -> None:
    class Other(asyncio.Protocol):
        async def receive(self) -> Message:
            return {"type": "websocket.disconnect"}

    async def scene() -> None:
        assert frame_tap.tap(Other().receive, print) is None
        assert frame_tap.tap(lambda: None, print) is None
        assert frame_tap.writer(Other().receive) is None

    with caplog.at_level(logging.WARNING):
        run(scene())
    assert caplog.records == []


def test_a_loop_of_another_thread_is_not_tapped() -> None:
    async def scene(line: Line, socket: CallSocket) -> None:
        line.server.loop = asyncio.new_event_loop()
        try:
            assert frame_tap.tap(line.server.receive, print) is None
        finally:
            line.server.loop.close()

    play(lambda: Line(is_tapped=True), scene)
