"""An accepted ASGI WebSocket: text in, text out, one close.

Messages come straight from the transport where that can be done (``frame_tap.py``), and through
ASGI where it cannot; what uses a socket notices no difference but the time that it takes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from actors.outbox import Sender
from cluster import frame_tap
from cluster.edge import StreamRefusal

logger = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

CLOSE_WITHIN_S = 2.0  # a peer that reads nothing takes no close frame either
MOST_EARLY = 100  # messages that wait for somebody to listen
_GONE = 1006


class CallSocket:
    """One socket whose handshake was accepted just now.

    Args:
        receive: Of the ASGI application.
        send: Likewise.
        peer: Address of whoever has connected; empty when it is not known.

    Attributes:
        peer: Likewise.
        code: Why the peer has gone, a WebSocket close code; 0 while it is there.
        is_tapped: Whether messages come straight from the transport.
        send_text: Sends one text frame. Raises ``OSError`` or ``RuntimeError`` when the peer has
            gone.
    """

    def __init__(self, receive: Receive, send: Send, peer: str = "") -> None:
        self.peer = peer
        self._receive = receive
        self._send = send
        self.code = 0
        self._is_flooded = False
        self._early: deque[str | bytes] = deque()
        self._arrived = asyncio.Event()
        self._take: Callable[[str | bytes], None] = self._keep
        self.is_tapped = frame_tap.tap(receive, self._taken) is not None
        write = frame_tap.writer(receive) if self.is_tapped else None
        self.send_text: Callable[[str], Awaitable[None]] = (
            self._send_text if write is None else Sender(self._send_text, write)
        )
        self._reader = asyncio.get_running_loop().create_task(self._read())

    async def receive(self) -> str | bytes | None:
        """The next message, as long as nobody listens; None once the peer has gone (see ``code``).

        Raises:
            StreamRefusal: More than ``MOST_EARLY`` messages came before anybody wanted them.
        """
        while not self._early:
            if self._is_flooded:
                raise StreamRefusal("too many messages before the first that counts")
            if self._reader.done():
                return None
            self._arrived.clear()
            await self._arrived.wait()
        return self._early.popleft()

    def listen(self, take: Callable[[str | bytes], None]) -> asyncio.Task[None]:
        """From now on messages go to ``take``, those that wait first; it must not raise.

        Returns:
            Is done when the peer has gone.
        """
        while self._early:
            take(self._early.popleft())
        self._take = take
        return self._reader

    def leave(self) -> None:
        """Nobody listens any more: whoever did is let go of, and what comes is thrown away.

        The server's object for a connection is freed late, and it knows this one.
        """
        self._early.clear()
        self._take = _nobody

    async def _send_text(self, text: str) -> None:
        await self._send({"type": "websocket.send", "text": text})

    async def close(self, code: int) -> None:
        """Close; a peer that has gone meanwhile, or takes nothing any more, is no fault."""
        if self.code:
            return
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self._send({"type": "websocket.close", "code": code})
        except (OSError, RuntimeError) as error:  # a timeout is an OSError
            logger.debug("close after the peer had gone: %s", type(error).__name__)

    def _taken(self, text: str) -> None:
        self._take(text)

    def _keep(self, text: str | bytes) -> None:
        if len(self._early) < MOST_EARLY:
            self._early.append(text)
        else:
            self._is_flooded = True
        self._arrived.set()

    async def _read(self) -> None:
        """What comes through ASGI: every message of a socket that is not tapped, and the end."""
        try:
            while (message := await self._receive())["type"] != "websocket.disconnect":
                text = message.get("text")
                self._take(str(text) if text is not None else bytes(message.get("bytes") or b""))
            self.code = int(message.get("code") or _GONE)
        except Exception as error:  # noqa: BLE001 - servers have errors of their own for it
            logger.debug("nothing more is read: %s", type(error).__name__)
            self.code = _GONE
        finally:
            self._arrived.set()


def _nobody(_text: str | bytes) -> None:
    """Takes what nobody wants."""
