"""An emulated gRPC service of Google's: one port, faults on the way, refusals as Google has them.

Imports ``grpc`` and Google's protocol buffers when it is started: they come with
``callcluster[google]``.
"""

from __future__ import annotations

import asyncio
import importlib.util
import random
from collections.abc import Callable
from typing import Any, NoReturn, Protocol

from simulation.control import Control
from simulation.faults import FaultyOutbound
from simulation.google_front import Front

_GARBAGE = b"\xff\xff\xff garbage"
_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "PERMISSION_DENIED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    504: "DEADLINE_EXCEEDED",
}


def is_installed() -> bool:
    """Whether the true protocol buffers are there."""
    try:
        names = ("google.cloud.speech_v2", "google.cloud.texttospeech_v1", "grpc")
        return all(importlib.util.find_spec(name) is not None for name in names)
    except ModuleNotFoundError:
        return False


class GoogleRefusal(Exception):
    """A request answered with a status: ``code`` by its name, ``message`` for a person."""

    def __init__(self, code: str = "", message: str = "") -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


class GrpcService(Protocol):
    """An emulated service behind one port."""

    @property
    def name(self) -> str:
        """Its name on the fault board."""

    def methods(self, server: GoogleServer) -> Any:
        """Its ``grpc.GenericRpcHandler``."""


class GoogleServer:
    """A listening service.

    Args:
        service: Who answers.
        control: Faults and control routes, shared by all services of the process.
    """

    def __init__(self, service: GrpcService, control: Control) -> None:
        self._service = service
        self._control = control
        self._inner: Any = None
        self._front: Front | None = None

    @property
    def open_connections(self) -> int:
        """Clients' connections that are open."""
        return len(self._front.relays) if self._front is not None else 0

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port (useful with 0). Raises ``OSError`` when it is taken."""
        import grpc.aio

        self._inner = grpc.aio.server()
        self._inner.add_generic_rpc_handlers((self._service.methods(self),))
        inner_port = self._inner.add_insecure_port("127.0.0.1:0")
        await self._inner.start()
        self._front = Front(self._service.name, self._control, inner_port)
        return await self._front.start(host, port)

    def drop_all(self) -> int:
        """Reset every open connection; returns how many there were."""
        return self._front.drop_all() if self._front is not None else 0

    async def close(self) -> None:
        """Stop listening and reset what is open."""
        if self._front is not None:
            await self._front.close()
        if self._inner is not None:
            await self._inner.stop(None)

    async def admit(self, context: Any) -> None:
        """Carry out the faults that strike before a request is looked at: they end it."""
        board, name = self._control.board, self._service.name
        faults = board.of(name)
        self._control.counted(name)
        if faults.handshake_delay_s:
            await asyncio.sleep(faults.handshake_delay_s)
        status = faults.status if random.random() < faults.status_ratio else 0
        if not (faults.refuse_connection or status or faults.hang_after_accept):
            return
        board.strike(name)
        if faults.refuse_connection:
            self.cut(context)
        elif status:
            code = _CODES.get(status, "UNAVAILABLE" if status >= 500 else "FAILED_PRECONDITION")
            await self.refuse(
                context,
                GoogleRefusal(code, "refused by a fault setting"),
                retry_after_s=faults.retry_after_s,
            )
        await asyncio.get_running_loop().create_future()  # until the client goes away

    def outbound(self, context: Any, write: Callable[[bytes], None]) -> FaultyOutbound:
        """The way of a request's messages through the faults."""
        board = self._control.board
        return FaultyOutbound(self._service.name, board, write, lambda: self.cut(context), _GARBAGE)

    def cut(self, context: Any) -> None:
        """Reset the TCP connection of a request, and so all others on it."""
        if self._front is not None:
            self._front.cut(context.peer())

    async def refuse(
        self, context: Any, refusal: GoogleRefusal, *, retry_after_s: float = 0.0
    ) -> NoReturn:
        """End a request with a status, in the way Google's front ends do."""
        import grpc
        from google.protobuf.any_pb2 import Any as AnyMessage
        from google.rpc import error_details_pb2, status_pb2

        code = getattr(grpc.StatusCode, refusal.code)
        status = status_pb2.Status(code=code.value[0], message=refusal.message)
        if retry_after_s:
            retry = error_details_pb2.RetryInfo()
            retry.retry_delay.FromNanoseconds(round(retry_after_s * 1e9))
            detail = AnyMessage()
            detail.Pack(retry)
            status.details.append(detail)
        trailers = (("grpc-status-details-bin", status.SerializeToString()),)
        await context.abort(code, refusal.message, trailing_metadata=trailers)
        raise AssertionError("abort does not return")
