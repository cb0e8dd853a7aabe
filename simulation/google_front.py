"""The port of an emulated gRPC service: HTTP/2 goes on to the gRPC server, HTTP/1.1 is for control.

It exists because a gRPC server does not reset a TCP connection, and faults have to.
"""

from __future__ import annotations

import asyncio
from typing import cast

from simulation.control import Control
from simulation.wire_http import Reply, Request
from simulation.wire_server import Connection, Refusal
from simulation.wire_socket import Socket, SocketSession

_HTTP2 = b"PRI * HTTP/2.0"


class ControlOnly:
    """What plain HTTP/1.1 finds here: the control routes and nothing else.

    Args:
        name: Of the service on the fault board.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def name(self) -> str:
        """Its name on the fault board."""
        return self._name

    def check(self, request: Request) -> None:
        """Nothing is here. Raises ``Refusal``."""
        raise Refusal(404, self.error_body(404, f"nothing at {request.path}"))

    def open(self, request: Request, socket: Socket) -> SocketSession:
        """No WebSocket here. Raises ``Refusal``."""
        raise Refusal(404, self.error_body(404, "this emulator speaks gRPC"))

    async def answer(self, request: Request, reply: Reply) -> None:
        """Never asked: ``check`` has refused."""

    def error_body(self, status: int, message: str) -> bytes:
        """Plain text."""
        return f"{status} {message}\n".encode()


class Front:
    """All connections of one port.

    Args:
        name: Of the service on the fault board.
        control: Faults, and the routes to set them.
        inner_port: Where the gRPC server listens, on the loopback interface.
    """

    def __init__(self, name: str, control: Control, inner_port: int) -> None:
        self.name = name
        self.control = control
        self.inner_port = inner_port
        self.relays: set[Relay] = set()
        self.service = ControlOnly(name)
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port. Raises ``OSError`` when it is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Relay(self), host, port)
        self.control.register(self.name, self.drop_all, lambda: len(self.relays))
        listening: int = self._server.sockets[0].getsockname()[1]
        return listening

    def cut(self, peer: str) -> None:
        """Reset the connection that the gRPC server knows as ``peer``."""
        for relay in list(self.relays):
            if relay.peer == peer:
                relay.abort()

    def drop_all(self) -> int:
        """Reset every open connection; returns how many there were."""
        open_now = list(self.relays)
        for relay in open_now:
            relay.abort()
        return len(open_now)

    async def close(self) -> None:
        """Stop listening and reset what is open."""
        if self._server is not None:
            self._server.close()
            self.drop_all()
            await self._server.wait_closed()


class Relay(asyncio.Protocol):
    """One connection of a client.

    Args:
        front: All of them.

    Attributes:
        peer: As the gRPC server calls it.
    """

    def __init__(self, front: Front) -> None:
        self.peer = ""
        self._front = front
        self._client: asyncio.Transport | None = None
        self._server: asyncio.Transport | None = None
        self._early = bytearray()
        self._opening: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The client connected."""
        self._client = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """The client says something."""
        if self._server is not None:
            self._server.write(data)
            return
        self._early += data
        if self._opening is None and len(self._early) >= 4:
            self._decide()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._client = None
        self.abort()

    def abort(self) -> None:
        """Reset the connection."""
        self._front.relays.discard(self)
        client, self._client = self._client, None
        server, self._server = self._server, None
        for transport in (client, server):
            if transport is not None:
                transport.abort()

    def from_server(self, data: bytes) -> None:
        """The gRPC server answers."""
        if self._client is not None:
            self._client.write(data)

    def server_lost(self) -> None:
        """The gRPC server has closed: what it said still leaves."""
        self._front.relays.discard(self)
        self._server = None
        if self._client is not None:
            self._client.close()

    def _decide(self) -> None:
        front = self._front
        if not _HTTP2.startswith(bytes(self._early[: len(_HTTP2)])):
            assert self._client is not None  # noqa: S101 - it has just said something
            plain = Connection(front.service, front.control, set())
            self._client.set_protocol(plain)
            plain.connection_made(self._client)
            plain.data_received(bytes(self._early))
            return
        front.relays.add(self)
        if front.control.board.of(front.name).refuse_connection:
            front.control.board.strike(front.name)
            self.abort()
            return
        self._opening = asyncio.get_running_loop().create_task(self._open())

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_connection(
                lambda: _Inner(self), "127.0.0.1", self._front.inner_port
            )
        except OSError:
            self.abort()
            return
        if self._client is None:
            transport.abort()
            return
        self.peer = f"ipv4:127.0.0.1:{transport.get_extra_info('sockname')[1]}"
        self._server = transport
        transport.write(bytes(self._early))
        self._early.clear()


class _Inner(asyncio.Protocol):
    """The way from the gRPC server."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def data_received(self, data: bytes) -> None:
        self._relay.from_server(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._relay.server_lost()
