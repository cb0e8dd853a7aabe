"""A few connections to one of Google's services, shared by everything that asks it.

Rules:
1. Whoever comes next takes the connection with the fewest users; when all have ``_USERS_EACH``, a
   new one is made. The service allows a hundred requests at once on one.
2. A connection is made when it is first needed, and made anew when it was found broken: one that
   gRPC itself brings back would wait for its next try although the service may be there again.
   Not more often than every ``_PAUSE_S``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, Protocol, TypeVar

from providers.errors import ProviderTimeout, ProviderUnavailable
from providers.google_errors import PROVIDER
from providers.google_settings import GOOGLE_CREDENTIALS

_USERS_EACH: Final = 50
_LOADING_S: Final = 20.0  # importing Google's clients, asking the metadata server
_PAUSE_S: Final = 0.1


class Connection(Protocol):
    """What is needed of a connection."""

    @property
    def is_broken(self) -> bool:
        """Whether it was found not to stand."""

    async def ready(self) -> None:
        """Wait until it stands. Raises ``ProviderError``."""

    def keep(self) -> None:
        """Have it opened again whenever it breaks."""

    async def aclose(self) -> None:
        """Close it."""


C = TypeVar("C", bound=Connection)


class GoogleLine(Generic[C]):
    """One connection, over time.

    Args:
        connect: Makes a connection, which need not stand yet.

    Attributes:
        users: How many use it now.
    """

    def __init__(self, connect: Callable[[], Awaitable[C]]) -> None:
        self.users = 0
        self._connect = connect
        self._lock = asyncio.Lock()
        self._made_at = float("-inf")
        self._connection: C | None = None
        self._is_kept = False
        self._closed = False

    async def connection(self) -> C:
        """One that stands. Raises ``ProviderError``."""
        async with self._lock:
            if self._connection is None or self._connection.is_broken:
                await self._renew()
            connection = self._connection
        assert connection is not None  # noqa: S101 - it has just been made
        await connection.ready()
        return connection

    def keep(self) -> None:
        """Have it opened again whenever it breaks, before somebody needs it."""
        self._is_kept = True
        if self._connection is not None:
            self._connection.keep()

    async def aclose(self) -> None:
        """Close it; whoever uses it finds it unavailable."""
        self._closed = True
        async with self._lock:
            await self._drop()

    async def _renew(self) -> None:
        loop = asyncio.get_running_loop()
        await self._drop()
        await asyncio.sleep(max(0.0, self._made_at + _PAUSE_S - loop.time()))
        if self._closed:
            raise ProviderUnavailable("closed", PROVIDER)
        try:
            async with asyncio.timeout(_LOADING_S):
                self._connection = await self._connect()
        except TimeoutError:
            message = "no credentials in time"
            raise ProviderTimeout(message, PROVIDER, GOOGLE_CREDENTIALS) from None
        self._made_at = loop.time()
        if self._is_kept:
            self._connection.keep()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.aclose()


class GoogleLines(Generic[C]):
    """All connections to one service.

    Args:
        connect: Makes a connection, which need not stand yet.
    """

    def __init__(self, connect: Callable[[], Awaitable[C]]) -> None:
        self._connect = connect
        self._lines: list[GoogleLine[C]] = []

    def fewest(self) -> GoogleLine[C]:
        """The one with the fewest users, or a new one when all are full."""
        line = min(self._lines, key=lambda each: each.users, default=None)
        if line is None or line.users >= _USERS_EACH:
            line = self._more()
        return line

    def enough_for(self, users: int) -> list[GoogleLine[C]]:
        """As many as ``users`` need; at least one."""
        while len(self._lines) * _USERS_EACH < users or not self._lines:
            self._more()
        return self._lines[: max(1, -(-users // _USERS_EACH))]

    async def aclose(self) -> None:
        """Close all of them."""
        await asyncio.gather(*(line.aclose() for line in self._lines))

    def _more(self) -> GoogleLine[C]:
        line = GoogleLine(self._connect)
        self._lines.append(line)
        return line
