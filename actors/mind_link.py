"""The ingress replica's end of the link to one CallActor: questions and answers over one socket.

See ``actors.link_server`` for why it exists and ``actors.link_frames`` for what crosses it. A link
that is lost fails everything that waits for an answer with ``LinkLostError`` at once: when a
process dies, its kernel says so before anybody else could find out.
"""

from __future__ import annotations

import asyncio
import logging
import math
import socket
from collections.abc import AsyncGenerator, Mapping
from typing import Any, cast

from actors.errors import LinkLostError
from actors.link_frames import (
    ASK,
    END,
    ERROR,
    HELLO,
    IS,
    STOP,
    VERSION,
    WELCOME,
    FrameReader,
    LinkFrameError,
    encode,
)

logger = logging.getLogger(__name__)

CONNECT_WITHIN_S = 1.0
# A node that vanishes sends nothing: written bytes that nobody acknowledges end the link.
UNACKNOWLEDGED_MS = 3_000

_Answer = tuple[str, Any]


class MindLink(asyncio.Protocol):
    """Made by ``connect``; many questions at a time.

    Attributes:
        heard_at: Loop time at which the other end last said anything, to whomever.
    """

    def __init__(self) -> None:
        self.heard_at = -math.inf
        self._frames = FrameReader()
        self._transport: asyncio.Transport | None = None
        self._welcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting: dict[int, asyncio.Queue[_Answer]] = {}
        self._last = 0

    @classmethod
    async def connect(cls, where: Mapping[str, Any]) -> MindLink:
        """Come to a ``LinkServer``, by what its ``start`` returned.

        Raises:
            LinkLostError: It cannot be reached, does not answer, or does not know the token.
        """
        loop = asyncio.get_running_loop()
        link: MindLink | None = None
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                _, link = await loop.create_connection(cls, where["host"], where["port"])
                await link.greet(where["token"])
        except (OSError, TimeoutError, LinkLostError) as error:
            if link is not None:
                link.close()
            reason = f"{where['host']}:{where['port']}: {type(error).__name__}"
            raise LinkLostError(reason) from None
        return link

    async def greet(self, token: str) -> None:
        """Say who we are and wait for the welcome. Raises ``LinkLostError``."""
        self._send(HELLO, token, VERSION)
        await self._welcome

    @property
    def is_lost(self) -> bool:
        """Whether nothing can be asked any more."""
        return self._transport is None

    async def ask(self, method: str, argument: Any) -> Any:
        """The one answer to a question.

        Raises:
            LinkLostError: The link is lost, or the question failed there.
        """
        number, answers = self._begin(method, argument)
        try:
            kind, value = await answers.get()
        finally:
            del self._waiting[number]
        if kind != IS:
            raise LinkLostError(f"{method}: {value}")
        return value

    async def stream(self, method: str, argument: Any) -> AsyncGenerator[Any, None]:
        """All answers to a question; closing the iterator tells the other end to stop.

        Raises:
            LinkLostError: The link is lost, or the question failed there.
        """
        number, answers = self._begin(method, argument)
        over = False
        try:
            while True:
                kind, value = await answers.get()
                over = kind != IS
                if kind == ERROR:
                    raise LinkLostError(f"{method}: {value}")
                if over:
                    return
                yield value
        finally:
            del self._waiting[number]
            if not over and not self.is_lost:
                self._send(STOP, number)

    def close(self) -> None:
        """Close; whoever waits is told."""
        if self._transport is not None:
            self._transport.abort()
        self._lose()

    def _begin(self, method: str, argument: Any) -> tuple[int, asyncio.Queue[_Answer]]:
        self._last += 1
        self._send(ASK, self._last, method, argument)
        answers = self._waiting[self._last] = asyncio.Queue()
        return self._last, answers

    def _send(self, *parts: Any) -> None:
        if self._transport is None:
            raise LinkLostError("the link is closed")
        self._transport.write(encode(*parts))

    def _lose(self) -> None:
        self._transport = None
        if not self._welcome.done():
            self._welcome.set_exception(LinkLostError("closed before its welcome"))
            self._welcome.exception()  # marked as seen: nobody may be waiting for it any more
        for answers in self._waiting.values():
            answers.put_nowait((ERROR, "the link is lost"))

    # --- asyncio.Protocol -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = cast(asyncio.Transport, transport)
        wire = transport.get_extra_info("socket")
        if wire is not None and hasattr(socket, "TCP_USER_TIMEOUT"):
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self._lose()

    def data_received(self, data: bytes) -> None:
        """Give each answer to whoever waits for it."""
        self.heard_at = asyncio.get_running_loop().time()
        try:
            for name, *rest in self._frames.feed(data):
                self._take(name, rest)
        except LinkFrameError as error:
            logger.warning("the link to a CallActor is closed: %s", error)
            self.close()

    def _take(self, name: str, rest: list[Any]) -> None:
        if name == WELCOME:
            if not self._welcome.done():
                self._welcome.set_result(None)
        elif name in {IS, END, ERROR}:
            answers = self._waiting.get(rest[0])
            if answers is not None:  # whoever asked may have gone
                answers.put_nowait((name, rest[1] if len(rest) > 1 else None))
        else:
            raise LinkFrameError(f"nobody answers with {name[:20]!r}")
