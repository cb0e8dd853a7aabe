"""Messages of ours onto an open websocket without waiting for anything.

``send`` of ``websockets`` is a coroutine, since it waits where the peer reads too slowly: a task
has to be woken for it and two context managers opened, twelve times a second and call. Where there
is nothing to wait for, the same protocol object writes the same frame in one step.

A connection that is none of ``websockets``' own has no such way: ``SocketWriter.of`` answers None.
"""

from __future__ import annotations

from websockets.asyncio.client import ClientConnection
from websockets.protocol import State


class SocketWriter:
    """Writes to one connection; for the event loop's thread.

    Args:
        connection: Its handshake is over.
    """

    __slots__ = ("_connection", "_protocol")

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._protocol = connection.protocol

    @classmethod
    def of(cls, connection: object) -> SocketWriter | None:
        """A writer to this connection, if there can be one."""
        return cls(connection) if isinstance(connection, ClientConnection) else None

    @property
    def is_ready(self) -> bool:
        """Whether it is open, its peer reads, and no message of many frames is under way."""
        connection = self._connection
        return (
            self._protocol.state is State.OPEN
            and not connection.paused
            and connection.send_in_progress is None
            and not connection.transport.is_closing()
        )

    def write(self, message: str | bytes) -> None:
        """One message; only while ``is_ready``."""
        if isinstance(message, str):
            self._protocol.send_text(message.encode())
        else:
            self._protocol.send_binary(message)
        self._connection.send_data()
