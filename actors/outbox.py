"""What goes out on one socket: a queue and one writer; a slow reader blocks only itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

SEND_TIMEOUT_S = 5.0
MAX_WAITING = 512


@dataclass(frozen=True, slots=True)
class Sender:
    """A way to send that knows a shorter one.

    Attributes:
        wait: Sends one text frame; may wait for the peer to read, and raise when it has gone.
        now: Sends it at once, or answers False and sends nothing: then ``wait`` is the way.
    """

    wait: Callable[[str], Awaitable[None]]
    now: Callable[[str], bool]

    async def __call__(self, text: str) -> None:
        """Send one text frame, however long it takes."""
        await self.wait(text)


class Outbox:
    """Messages to the carrier, in order: at once where nothing waits, else through a queue.

    Args:
        send: Sends one text frame; may wait for the peer to read. A ``Sender`` does it sooner.
        on_lost: Called once when the peer does not read for ``SEND_TIMEOUT_S``, has gone, or the
            queue is full; nothing is sent afterwards.
    """

    def __init__(
        self, send: Callable[[str], Awaitable[None]], on_lost: Callable[[str], None]
    ) -> None:
        self._send = send
        self._send_now = send.now if isinstance(send, Sender) else None
        self._on_lost = on_lost
        self._waiting: deque[tuple[str, Callable[[], None] | None]] = deque()
        self._closing = False
        self._lost = False
        # Writes while something waits: most calls never have one.
        self._writer: asyncio.Task[None] | None = None

    def put(self, text: str, on_sent: Callable[[], None] | None = None) -> None:
        """Queue one message; never blocks. ``on_sent`` is called once the socket has taken it."""
        if self._lost or self._closing:
            return
        now = self._send_now
        if now is not None and self._is_idle and now(text):
            if on_sent is not None:
                on_sent()
            return
        if len(self._waiting) >= MAX_WAITING:
            self._lose("the carrier reads too slowly")
            return
        self._waiting.append((text, on_sent))
        if self._is_idle:
            self._writer = asyncio.get_running_loop().create_task(self._write())

    @property
    def _is_idle(self) -> bool:
        """Nothing waits, and nothing is under way."""
        return self._writer is None or self._writer.done()

    def drop_waiting(self) -> None:
        """Forget what was not sent yet: the ``clear`` that follows makes it void."""
        self._waiting.clear()

    async def close(self, *, drain_s: float = 1.0) -> None:
        """Send what waits (for at most ``drain_s``), then stop. Idempotent."""
        self._closing = True
        if (writer := self._writer) is None:
            return
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(asyncio.shield(writer), drain_s)
        writer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await writer

    def _lose(self, reason: str) -> None:
        if not self._lost:
            self._lost = True
            self._waiting.clear()
            self._on_lost(reason)

    async def _write(self) -> None:
        while self._waiting and not self._lost:
            text, on_sent = self._waiting.popleft()
            try:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await self._send(text)
            except TimeoutError:
                self._lose(f"the carrier did not read for {SEND_TIMEOUT_S:.0f} s")
                return
            except Exception as error:  # noqa: BLE001 - servers have errors of their own for it
                self._lose(f"the socket is gone: {type(error).__name__}")
                return
            if on_sent is not None:
                on_sent()
