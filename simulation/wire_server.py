"""A small server for HTTP and WebSockets on one port, with faults between it and the client.

It exists because emulators must do what good servers refuse to: reset in mid-message, hang, answer
garbage; and because it is cheap: 50 messages a second and call arrive at a speech recogniser.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import Protocol, cast

from websockets.frames import Opcode

from simulation.control import Control
from simulation.errors import WireViolation
from simulation.faults import Faults, FaultyOutbound
from simulation.wire_http import (
    MAX_HEAD_BYTES,
    Reply,
    Request,
    body_length,
    format_head,
    parse_head,
)
from simulation.wire_socket import Socket, SocketSession, serialize

_GARBAGE_TEXT = serialize(Opcode.TEXT, b"\x00 garbage {")
_GARBAGE_CHUNK = b"11\r\ndata: {garbage!\n\n\r\n"


class Refusal(Exception):
    """A handshake or request answered with an HTTP error: ``status``, ``body`` (JSON text)."""

    def __init__(self, status: int = 400, body: bytes = b"") -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


class Service(Protocol):
    """An emulated service behind one port."""

    @property
    def name(self) -> str:
        """Its name on the fault board."""

    def open(self, request: Request, socket: Socket) -> SocketSession:
        """A WebSocket was asked for and accepted by the checks. Raises ``Refusal``."""

    def check(self, request: Request) -> None:
        """Look at path and key before anything else. Raises ``Refusal``."""

    async def answer(self, request: Request, reply: Reply) -> None:
        """Answer a plain request. Raises ``Refusal``, ``WireViolation``."""

    def error_body(self, status: int, message: str) -> bytes:
        """The body this service sends with an HTTP error."""


class Connection(asyncio.Protocol):
    """One TCP connection: requests one after the other, or one WebSocket.

    Args:
        service: Who answers.
        control: Faults, and the routes to set them.
        connections: The open ones; this one adds and removes itself.
    """

    def __init__(self, service: Service, control: Control, connections: set[Connection]) -> None:
        self._service = service
        self._control = control
        self._connections = connections
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._socket: Socket | None = None
        self._task: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._outbound = FaultyOutbound(
            service.name, control.board, self._write, self._finish, _GARBAGE_CHUNK
        )

    # -- asyncio.Protocol -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The client connected."""
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Bytes came: part of a request, or of the WebSocket."""
        self._outbound.received(len(data))
        if self._socket is not None:
            self._socket.receive_data(data)
            return
        self._buffer += data
        if self._task is None:
            self._next_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone; what was being answered is cancelled."""
        self._transport = None
        self._connections.discard(self)
        self._writable.set()
        if self._task is not None:
            self._task.cancel()
        if self._socket is not None:
            self._socket.lost()

    def pause_writing(self) -> None:
        """The client does not keep up."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The client keeps up again."""
        self._writable.set()

    # -- requests ---------------------------------------------------------------------------

    def _next_request(self) -> None:
        try:
            parsed = self._take_request()
        except WireViolation as error:
            body = self._service.error_body(400, error.message)
            self._write(format_head(400, {"content-length": str(len(body))}) + body)
            self._finish()
            return
        if parsed is None:
            return
        request, raw = parsed
        self._task = asyncio.get_running_loop().create_task(self._serve(request, raw))
        self._task.add_done_callback(self._served)

    def _take_request(self) -> tuple[Request, bytes] | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD_BYTES:
                raise WireViolation("the request's head is too long")
            return None
        request = parse_head(bytes(self._buffer[:end]))
        whole = end + 4 + body_length(request)
        if len(self._buffer) < whole:
            return None
        raw = bytes(self._buffer[:whole])
        del self._buffer[:whole]
        return replace(request, body=raw[end + 4 :]), raw

    def _served(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if task.cancelled():
            return
        if task.exception() is not None:
            self.abort()
            self._control.failed(self._service.name, task)
        elif self._buffer and self._socket is None and self._transport is not None:
            self._next_request()
        elif self._buffer and self._socket is not None:
            early = bytes(self._buffer)
            self._buffer.clear()
            self._socket.receive_data(early)

    async def _serve(self, request: Request, raw: bytes) -> None:
        reply = Reply(self._write, self._outbound.send, self._writable)
        if self._control.answers(request):
            self._control.answer(request, reply)
            return
        faults = self._control.board.of(self._service.name)
        self._control.counted(self._service.name)
        try:
            if not await self._through_faults(faults, request, raw):
                return
            self._service.check(request)
            if request.is_upgrade:
                self._upgrade(request, raw)
            elif faults.lose_answer:
                await self._service.answer(request, Reply(_lose, _lose, self._writable))
                self._control.board.strike(self._service.name)
                self.abort()
            else:
                await self._service.answer(request, reply)
        except Refusal as refusal:
            if not reply.started:
                reply.whole(refusal.status, refusal.body)
        except WireViolation as error:
            if not reply.started:
                reply.whole(400, self._service.error_body(400, error.message))

    async def _through_faults(self, faults: Faults, request: Request, raw: bytes) -> bool:
        """Carry out what strikes before the service is asked; False when nothing is left to do."""
        if faults.handshake_delay_s:
            await asyncio.sleep(faults.handshake_delay_s)
        status = faults.status if random.random() < faults.status_ratio else 0
        if not (faults.refuse_connection or status or faults.hang_after_accept):
            return True
        self._control.board.strike(self._service.name)
        if faults.refuse_connection:
            self.abort()
        elif status:
            body = self._service.error_body(status, "refused by a fault setting")
            after = {"retry-after": f"{faults.retry_after_s:g}"} if faults.retry_after_s else {}
            Reply(self._write, self._write, self._writable).whole(status, body, after)
        elif request.is_upgrade:
            Socket(self._write, self._finish).accept(raw)
            await asyncio.get_running_loop().create_future()  # until the client goes away
        else:
            await asyncio.get_running_loop().create_future()
        return False

    def _upgrade(self, request: Request, raw: bytes) -> None:
        socket = Socket(self._write, self._finish)
        session = self._service.open(request, socket)
        if socket.accept(raw):
            self._outbound = FaultyOutbound(
                self._service.name, self._control.board, self._write, self._finish, _GARBAGE_TEXT
            )
            socket.outbound = self._outbound.send
            socket.session = session
            self._socket = socket

    # -- the transport ----------------------------------------------------------------------

    def _write(self, data: bytes) -> None:
        # A client that is gone is not always known as such yet: asyncio would complain to stderr.
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _finish(self) -> None:
        # What was written still leaves; nothing is written after it.
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def abort(self) -> None:
        """Reset the connection."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()


def _lose(_data: bytes) -> None:
    """Where an answer goes that never arrives."""


class WireServer:
    """A listening service.

    Args:
        service: Who answers.
        control: Faults and control routes, shared by all services of the process.
    """

    def __init__(self, service: Service, control: Control) -> None:
        self._service = service
        self._control = control
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port (useful with 0). Raises ``OSError`` when it is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._service, self._control, self._connections), host, port
        )
        self._control.register(self._service.name, self.drop_all, lambda: len(self._connections))
        listening: int = self._server.sockets[0].getsockname()[1]
        return listening

    def drop_all(self) -> int:
        """Reset every open connection; returns how many there were."""
        open_now = list(self._connections)
        for connection in open_now:
            connection.abort()
        return len(open_now)

    async def close(self) -> None:
        """Stop listening and reset what is open."""
        if self._server is not None:
            self._server.close()
            self.drop_all()
            await self._server.wait_closed()
