"""Bodies of requests, read within bounds of length, time and number.

Ray Serve counts a request from its first header to the end of its answer, and at its limit the next
media socket hangs. Whoever begins many bodies and ends none must not get there: a body has a few
seconds, and when too many are being read at once, the one that was begun first is given up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

READ_WITHIN_S = 3.0
AT_ONCE = 50

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


class BodyRefused(Exception):
    """A body is not read to its end.

    Args:
        message: Why, for whoever sent it.
        status: The HTTP status.
    """

    def __init__(self, message: str = "", status: int = 400) -> None:
        super().__init__(message, status)
        self.message = message
        self.status = status

    def __str__(self) -> str:
        return self.message


class BodyCutOff(BodyRefused):
    """The sender has gone: nobody is there to be answered."""


class BodyReader:
    """Reads the bodies of the requests of one application.

    Args:
        max_bytes: The longest body that is taken.
        within_s: How long a body may take, from the first look at it to its end.
        at_once: How many may be on their way; the oldest is given up for one more.
    """

    def __init__(
        self, max_bytes: int, within_s: float = READ_WITHIN_S, at_once: int = AT_ONCE
    ) -> None:
        self._max_bytes = max_bytes
        self._within_s = within_s
        self._at_once = at_once
        self._reading: dict[asyncio.Timeout, None] = {}  # oldest first

    async def read(self, receive: Receive) -> bytes:
        """The whole body.

        Raises:
            BodyRefused: Too long (413), too slow, or the oldest of too many (408).
            BodyCutOff: The sender has gone.
        """
        while len(self._reading) >= self._at_once:
            oldest = next(iter(self._reading))
            del self._reading[oldest]
            if not oldest.expired():
                oldest.reschedule(asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(self._within_s) as limit:
                self._reading[limit] = None
                try:
                    return await self._read(receive)
                finally:
                    self._reading.pop(limit, None)
        except TimeoutError:
            raise BodyRefused("the body did not come in time", 408) from None

    async def _read(self, receive: Receive) -> bytes:
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise BodyCutOff("the request was cut off")
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._max_bytes:
                raise BodyRefused(f"the body is larger than {self._max_bytes} bytes", 413)
        return bytes(body)
