"""The CallActor's end of the link: questions come over TCP and are asked of its ``MindDriver``.

A Ray call between two processes takes 2 to 3 ms of delay and 2 ms of CPU for each item of a stream
(the object store, two threads, the interpreter lock); this takes a quarter of a millisecond. Ray
stays the way in: it names the actor, says where its link listens and with which token, and carries
the same questions when there is no link.

Rules:
1. A stranger may send one short frame, within ``HELLO_WITHIN_S``, with the right token in it.
2. Questions of one connection begin in the order in which they came.
3. A connection that is lost takes nothing with it: what was asked goes on, as it does when Ray
   loses the owner of a call. Only ``stop`` ends a stream.
4. Somebody who does not read what he asked for is cut off at ``MOST_UNREAD_BYTES``.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, cast

from actors.link_frames import (
    ASK,
    END,
    ERROR,
    HELLO,
    IS,
    MOST_BYTES,
    MOST_BYTES_OF_A_STRANGER,
    STOP,
    VERSION,
    WELCOME,
    FrameReader,
    LinkFrameError,
    encode,
)
from providers.traces import trace_of

logger = logging.getLogger(__name__)

HELLO_WITHIN_S = 2.0
MOST_UNREAD_BYTES = 8 * 1024 * 1024

Ask = Callable[[Any], Awaitable[Any]]
Stream = Callable[[Any], AsyncGenerator[Any, None]]


class LinkServer:
    """Listens for ingress replicas.

    Args:
        asks: Questions with one answer, by name.
        streams: Questions with many; closing the generator ends the work.
    """

    def __init__(self, asks: Mapping[str, Ask], streams: Mapping[str, Stream]) -> None:
        self._asks = asks
        self._streams = streams
        self._token = secrets.token_urlsafe(32)
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str) -> dict[str, Any]:
        """Listen at any free port of this address; returns what ``MindLink`` needs to come here.

        Raises:
            OSError: Nobody can listen there.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), host, 0)
        port = self._server.sockets[0].getsockname()[1]
        return {"host": host, "port": port, "token": self._token}

    async def aclose(self) -> None:
        """Close every connection; what was asked and not answered is given up."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.drop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def knows(self, token: str) -> bool:
        """Whether this is our token."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self._token.encode())

    def came(self, connection: _Connection) -> None:
        """A connection is open."""
        self._connections.add(connection)

    def went(self, connection: _Connection) -> None:
        """A connection is closed."""
        self._connections.discard(connection)

    def begin(
        self, connection: _Connection, number: int, method: str, argument: Any
    ) -> asyncio.Task[None] | None:
        """Work on a question in a task of its own, which is returned; None if there is no such."""
        if method in self._streams:
            work = _tell_all(self._streams[method], argument, connection, number)
        elif method in self._asks:
            work = _tell(self._asks[method], argument, connection, number)
        else:
            connection.send(ERROR, number, f"there is no {method[:40]!r} here")
            return None
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _tell(ask: Ask, argument: Any, connection: _Connection, number: int) -> None:
    try:
        connection.send(IS, number, await ask(argument))
    except Exception as error:  # noqa: BLE001 - told to whoever asked
        connection.send(ERROR, number, _reason(error))
    finally:
        connection.over(number)


async def _tell_all(stream: Stream, argument: Any, connection: _Connection, number: int) -> None:
    try:
        async with contextlib.aclosing(stream(argument)) as answers:
            async for answer in answers:
                connection.send(IS, number, answer)
    except Exception as error:  # noqa: BLE001 - told to whoever asked
        connection.send(ERROR, number, _reason(error))
    else:
        connection.send(END, number)
    finally:
        connection.over(number)


def _reason(error: Exception) -> str:
    # What the error says may quote a message, and so a caller: it stays in this process.
    logger.warning("a question over the link failed: %s", trace_of(error))
    return type(error).__name__


class _Connection(asyncio.Protocol):
    """One ingress replica."""

    def __init__(self, server: LinkServer) -> None:
        self._server = server
        self._frames = FrameReader(MOST_BYTES_OF_A_STRANGER)
        self._transport: asyncio.Transport | None = None
        self._known = False
        self._working: dict[int, asyncio.Task[None]] = {}
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._server.came(self)
        self._late = asyncio.get_running_loop().call_later(HELLO_WITHIN_S, self._expect_known)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._late is not None:
            self._late.cancel()
        self._server.went(self)

    def data_received(self, data: bytes) -> None:
        try:
            for frame in self._frames.feed(data):
                if self._transport is not None:
                    self._take(frame)
        except LinkFrameError as error:
            logger.warning("the link is closed: %s", error)
            self.drop()

    def _take(self, frame: list[Any]) -> None:
        if not self._known:
            self._greet(frame)
        elif frame[0] == ASK:
            _, number, method, argument = frame
            task = self._server.begin(self, number, method, argument)
            if task is not None:
                self._working[number] = task
        elif frame[0] == STOP:
            task = self._working.pop(frame[1], None)
            if task is not None:
                task.cancel()
        else:
            raise LinkFrameError(f"nobody asks with {frame[0][:20]!r}")

    def _greet(self, frame: list[Any]) -> None:
        if frame[0] != HELLO or not self._server.knows(frame[1]):
            logger.warning("somebody without the token of this process tried its link")
            self.drop()
            return
        self._known = True
        self._frames.most_bytes = MOST_BYTES
        if self._late is not None:
            self._late.cancel()
        self.send(WELCOME, VERSION)

    def _expect_known(self) -> None:
        if not self._known:
            self.drop()

    def send(self, *parts: Any) -> None:
        """Write a frame; nothing if nobody is there any more."""
        if self._transport is None:
            return
        self._transport.write(encode(*parts))
        if self._transport.get_write_buffer_size() > MOST_UNREAD_BYTES:
            logger.warning("an ingress replica does not read its answers: its link is closed")
            self.drop()

    def over(self, number: int) -> None:
        """A question is done with."""
        self._working.pop(number, None)

    def drop(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
