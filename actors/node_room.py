"""The room in which the processes of one machine meet: an abstract Unix socket (Linux).

Its name belongs to whoever binds it and is free again the moment that process is gone, however it
went: there is no file to leave behind and no lock to expire. The name holds the node's id, so two
clusters on one host, or two nodes of one, do not meet; processes of other users are sent away.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import struct
import sys
from collections.abc import Callable, Mapping
from typing import Any

from actors.node_board_link import Pipe

JOIN_WITHIN_S = 0.5
MOST_BYTES = 4 << 20
"""Of one message; a board has some 90 bytes a unit."""
_CREDENTIALS = struct.Struct("3i")


class SocketPipe:
    """``Pipe`` over a connected Unix socket: one message a line.

    Args:
        reader: Of the connection, with a limit of ``MOST_BYTES``.
        writer: Likewise.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, message: Mapping[str, Any]) -> None:
        """See ``Pipe``."""
        transport = self._writer.transport
        if transport.is_closing():
            return
        if transport.get_write_buffer_size() > MOST_BYTES:
            transport.abort()
            return
        self._writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")

    async def receive(self) -> Any:
        """See ``Pipe``."""
        try:
            line = await self._reader.readline()
            return json.loads(line) if line.endswith(b"\n") else None
        except (OSError, ValueError):  # cut off, too long, or no JSON
            return None

    def close(self) -> None:
        """See ``Pipe``."""
        self._writer.close()


class NodeRoom:
    """``Room`` of one node of a cluster.

    Args:
        node_id: Unlike that of any other node; asked when somebody wants to meet. Empty: nobody
            meets anybody.
    """

    def __init__(self, node_id: Callable[[], str]) -> None:
        self._node_id = node_id

    def _name(self) -> str:
        """Of the socket; empty where there can be none."""
        node_id = self._node_id() if sys.platform.startswith("linux") else ""
        return f"\0callcluster-board-{os.getuid()}-{node_id}" if node_id else ""

    async def enter(self, joined: Callable[[Pipe], None]) -> Callable[[], None] | None:
        """See ``Room``. None as well where a machine has no such sockets."""
        name = self._name()
        if not name:
            return None
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listening.bind(name)
            listening.listen(socket.SOMAXCONN)
            listening.setblocking(False)
        except OSError:
            listening.close()
            return None

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if is_ours(writer.get_extra_info("socket")):
                joined(SocketPipe(reader, writer))
            else:
                writer.close()

        try:
            server = await asyncio.start_unix_server(connected, sock=listening, limit=MOST_BYTES)
        except BaseException:  # cancelled: the room must not stay locked with nobody in it
            listening.close()
            raise
        return server.close

    async def join(self) -> Pipe | None:
        """See ``Room``."""
        name = self._name()
        if not name:
            return None
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(JOIN_WITHIN_S):
                reader, writer = await asyncio.open_unix_connection(name, limit=MOST_BYTES)
            if is_ours(writer.get_extra_info("socket")):
                return SocketPipe(reader, writer)
            writer.close()
        return None


def is_ours(connection: socket.socket) -> bool:
    """Whether the process at the other end is of this user."""
    try:
        found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    except (OSError, AttributeError):
        return False
    uid: int = _CREDENTIALS.unpack(found)[1]
    return uid == os.getuid()
