"""Cartesia text-to-speech: a small pool of websockets, each for any voice and many segments.

Sockets are opened on demand; once a voice was warmed, one is kept open. The service closes a socket
after five idle minutes, so one that is idle for long is replaced before that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from providers import cartesia_wire as wire
from providers.cartesia_socket import VoiceSegment, VoiceSocket
from providers.cartesia_wire import PEER, PROVIDER
from providers.errors import ProviderBusy, ProviderError, ProviderUnavailable
from providers.socket_settings import CARTESIA_SOCKETS, CartesiaConfig
from providers.websocket import Connection, connect
from voice.ports import SpeakRequest, SpeechChunk

_log = logging.getLogger(__name__)

_TEND_EVERY_S = 1.0
_TRY_AGAIN_S = 8.0

Connect = Callable[[str, dict[str, str], float], Awaitable[Connection]]


async def _connect(url: str, headers: dict[str, str], timeout_s: float) -> Connection:
    return await connect(url, headers, timeout_s, PEER)


@dataclass(eq=False, slots=True)
class _Opening:
    task: asyncio.Task[None]
    waiters: int = 0


class CartesiaSpeaker:
    """Text-to-speech by Cartesia.

    Args:
        config: Key, address, deadlines.
        connect: Opens a socket: address, headers, seconds; to be replaced in tests.

    Raises:
        ProviderRefused: There is no key.
        ProviderRejected: The address is no http(s) or ws(s) URL.
    """

    def __init__(self, config: CartesiaConfig, connect: Connect = _connect) -> None:
        wire.check_config(config)
        self._config = config
        self._connect = connect
        self._sockets: list[VoiceSocket] = []
        self._openings: list[_Opening] = []
        self._warmed: set[tuple[str, str]] = set()
        self._tender: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def name(self) -> str:
        """Always ``cartesia``."""
        return PROVIDER

    async def warm(self, voice: str, language: str) -> None:
        """Have a socket open from now on, and see that there is this voice: it says one digit.

        Raises:
            ProviderError: No connection; the key, the voice or the language is refused.
        """
        if (voice, language) in self._warmed:
            if not any(socket.usable for socket in self._sockets):
                await self._wait_for_socket()
            return
        async for _ in self.speak(SpeakRequest("warm", "1", voice, language)):
            pass
        self._warmed.add((voice, language))

    async def speak(self, request: SpeakRequest) -> AsyncIterator[SpeechChunk]:
        """Yield the audio of one segment; see ``voice.ports.Speaker``."""
        if not request.text.strip():
            return
        segment = await self._begin(request)
        try:
            while True:
                try:
                    chunk = await segment.next_chunk()
                except ProviderUnavailable:
                    # An idle socket may have been closed over there the moment we took it.
                    if segment.heard or segment.fresh:
                        raise
                    segment.abandon()
                    segment = await self._begin(request)
                    segment.fresh = True
                    continue
                if chunk is None:
                    return
                if chunk.ulaw or chunk.marks:
                    yield chunk
        finally:
            segment.abandon()

    async def aclose(self) -> None:
        """Close every socket; segments still running fail as unavailable."""
        self._closed = True
        tender, self._tender = self._tender, None
        tasks = [opening.task for opening in self._openings]
        if tender is not None:
            tasks.append(tender)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        sockets, self._sockets = self._sockets, []
        await asyncio.gather(*(socket.aclose() for socket in sockets))

    async def _begin(self, request: SpeakRequest) -> VoiceSegment:
        while True:
            for socket in self._sockets:
                if socket.room > 0:
                    return await socket.begin(request)
            await self._wait_for_socket()

    async def _wait_for_socket(self) -> None:
        """Open a socket, or join an opening one that will have room."""
        if self._closed:
            raise ProviderUnavailable("closed", PROVIDER)
        for opening in self._openings:
            if opening.waiters < self._config.contexts_per_socket:
                break
        else:
            opening = self._start_opening()
        opening.waiters += 1
        # Shielded: others wait for the same socket.
        await asyncio.shield(opening.task)

    def _start_opening(self) -> _Opening:
        self._sockets = [socket for socket in self._sockets if not socket.dead]
        in_use = sum(socket.usable for socket in self._sockets)
        if in_use + len(self._openings) >= self._config.max_sockets:
            raise ProviderBusy("every socket is in use", PROVIDER, CARTESIA_SOCKETS)
        loop = asyncio.get_running_loop()
        if self._tender is None:
            self._tender = loop.create_task(self._tend())
        opening = _Opening(loop.create_task(self._open()))
        self._openings.append(opening)

        def forget(task: asyncio.Task[None]) -> None:
            self._openings.remove(opening)
            # Whoever waits gets the error; when nobody does any more it is no news.
            if not task.cancelled() and task.exception() is not None and not opening.waiters:
                _log.info("no spare socket: %s", task.exception())

        opening.task.add_done_callback(forget)
        return opening

    async def _open(self) -> None:
        headers = {"X-API-Key": self._config.api_key, "Cartesia-Version": wire.VERSION}
        timeout_s = self._config.connect_timeout_s
        connection = await self._connect(wire.socket_url(self._config), headers, timeout_s)
        self._sockets.append(VoiceSocket(connection, self._config))

    async def _tend(self) -> None:
        """Replace what was idle for long, close what is not needed, reopen what broke."""
        loop = asyncio.get_running_loop()
        tried_s = float("-inf")
        while True:
            await asyncio.sleep(_TEND_EVERY_S)
            now = loop.time()
            self._sockets = [socket for socket in self._sockets if not socket.dead]
            for socket in self._sockets:
                socket.tend(now)
                if socket.usable and socket.idle_for_s(now) > self._config.renew_s:
                    socket.retire()
            is_missing = self._warmed and not any(socket.usable for socket in self._sockets)
            if is_missing and not self._openings and now - tried_s >= _TRY_AGAIN_S:
                tried_s = now
                await self._reopen()

    async def _reopen(self) -> None:
        try:
            await self._wait_for_socket()
        except ProviderError as error:
            # Nobody waits for this socket; the next segment meets the same error and reports it.
            _log.info("no warm socket: %s", error)
