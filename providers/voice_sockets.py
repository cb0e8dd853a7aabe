"""The sockets of one speaker: opened on demand, shared by segments, looked after.

Rules:
1. A segment that finds no room on an open socket waits for a new one. Others may join it there as
   long as the socket will have room for them. One that is closed as it opens is an error for all of
   them, the one that closed it: the next would fare no better.
2. Once a second, from the first socket on, the dead ones are forgotten and the speaker looks after
   the rest. What it reopens nobody waits for: the next segment meets the same error and reports it.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from providers.errors import ProviderError, ProviderUnavailable

_log = logging.getLogger(__name__)

_TEND_EVERY_S = 1.0


class VoiceSocket(Protocol):
    """What is known here of an open socket."""

    @property
    def usable(self) -> bool:
        """Open, and not given up."""

    @property
    def dead(self) -> bool:
        """Closed: to be forgotten."""

    @property
    def error(self) -> ProviderError | None:
        """Why it is dead; None before."""

    async def aclose(self) -> None:
        """Close it; segments still running fail as unavailable."""


K = TypeVar("K")
S = TypeVar("S", bound=VoiceSocket)
K_contra = TypeVar("K_contra", contravariant=True)
S_co = TypeVar("S_co", bound=VoiceSocket, covariant=True)


class SocketKeeper(Protocol[K_contra, S_co]):
    """What the speaker decides: ``K`` tells its kinds of sockets apart."""

    def make_room(self, key: K_contra) -> None:
        """One more is about to be opened. Raises ``ProviderBusy``: there is no place for it."""

    async def open(self, key: K_contra) -> S_co:
        """A new socket. Raises ``ProviderError``."""

    async def tend(self, now: float) -> None:
        """Once a second: close what is not needed, reopen what is missing."""


@dataclass(eq=False, slots=True)
class _Opening(Generic[K, S]):
    key: K
    task: asyncio.Task[S]
    waiters: int = 0


class VoiceSockets(Generic[K, S]):
    """See the top of this file.

    Args:
        keeper: The speaker.
        provider: Short name, for errors.
        room: How many segments a new socket has room for.

    Attributes:
        sockets: Those that were opened; some may be dead.
    """

    def __init__(self, keeper: SocketKeeper[K, S], provider: str, room: int) -> None:
        self.sockets: list[S] = []
        self._keeper = keeper
        self._provider = provider
        self._room = room
        self._openings: list[_Opening[K, S]] = []
        self._tender: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def opening(self) -> list[K]:
        """The kinds that are being opened now, each as often as it is."""
        return [opening.key for opening in self._openings]

    async def wait_for(self, key: K) -> None:
        """Open a socket, or join an opening one that will have room.

        Raises:
            ProviderError: It cannot be opened, or was closed as it opened.
        """
        if self._closed:
            raise ProviderUnavailable("closed", self._provider)
        for opening in self._openings:
            if opening.key == key and opening.waiters < self._room:
                break
        else:
            opening = self._start(key)
        opening.waiters += 1
        # Shielded: others wait for the same socket.
        socket = await asyncio.shield(opening.task)
        if socket.error is not None:
            raise socket.error

    async def reopen(self, key: K) -> None:
        """As ``wait_for``, for nobody: what fails is a line in the log."""
        try:
            await self.wait_for(key)
        except ProviderError as error:
            _log.info("no warm socket: %s", error)

    async def aclose(self) -> None:
        """Close every socket, and open no more."""
        self._closed = True
        tender, self._tender = self._tender, None
        tasks: list[asyncio.Task[Any]] = [opening.task for opening in self._openings]
        if tender is not None:
            tasks.append(tender)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        sockets, self.sockets = self.sockets, []
        await asyncio.gather(*(socket.aclose() for socket in sockets))

    def _start(self, key: K) -> _Opening[K, S]:
        self._forget_dead()
        self._keeper.make_room(key)
        loop = asyncio.get_running_loop()
        if self._tender is None:
            self._tender = loop.create_task(self._tend())
        opening: _Opening[K, S] = _Opening(key, loop.create_task(self._open(key)))
        self._openings.append(opening)

        def forget(task: asyncio.Task[S]) -> None:
            self._openings.remove(opening)
            # Whoever waits gets the error; when nobody does any more it is no news.
            if not task.cancelled() and task.exception() is not None and not opening.waiters:
                _log.info("no spare socket: %s", task.exception())

        opening.task.add_done_callback(forget)
        return opening

    async def _open(self, key: K) -> S:
        socket = await self._keeper.open(key)
        self.sockets.append(socket)
        return socket

    async def _tend(self) -> None:
        while True:
            await asyncio.sleep(_TEND_EVERY_S)
            self._forget_dead()
            await self._keeper.tend(asyncio.get_running_loop().time())

    def _forget_dead(self) -> None:
        self.sockets = [socket for socket in self.sockets if not socket.dead]
