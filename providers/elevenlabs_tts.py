"""ElevenLabs text-to-speech over its multi-context websocket.

The vendor's package has no asynchronous client for it, so this is our own: a pool of sockets, one
or more for each voice and language (both stand in the address), each carrying up to five segments.
Sockets are opened on demand and kept warm.

Where no websocket is to be had, speech goes over HTTP (``elevenlabs_spare``).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from providers.elevenlabs_sdk import ElevenLabsHttp
from providers.elevenlabs_segment import Segment
from providers.elevenlabs_socket import Connection, VoiceSocket, connect
from providers.elevenlabs_spare import SparePath
from providers.elevenlabs_wire import MAX_CONTEXTS, PROVIDER, socket_url
from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
    ProviderUnavailable,
)
from providers.settings import ELEVENLABS_KEY, ELEVENLABS_SOCKETS, ElevenLabsConfig
from voice.ports import SpeakRequest, SpeechChunk

_log = logging.getLogger(__name__)

_TEND_EVERY_S = 1.0

Connect = Callable[[str, str, float], Awaitable[Connection]]
Key = tuple[str, str]


@dataclass(eq=False, slots=True)
class _Opening:
    key: Key
    task: asyncio.Task[None]
    waiters: int = 0


class ElevenLabsSpeaker:
    """Text-to-speech by ElevenLabs.

    Args:
        config: Key, address, deadlines.
        connect: Opens a socket: address, key, seconds; to be replaced in tests.
        http: Speaks where no socket is to be had; to be replaced in tests.

    Raises:
        ProviderRefused: There is no key.
        ProviderRejected: The address is no http(s) or ws(s) URL.
    """

    def __init__(
        self,
        config: ElevenLabsConfig,
        connect: Connect = connect,
        http: ElevenLabsHttp | None = None,
    ) -> None:
        if not config.api_key:
            raise ProviderRefused("there is no key", PROVIDER, ELEVENLABS_KEY)
        socket_url(config, "any", "")
        self._config = config
        self._connect = connect
        self._spare_path = SparePath(config, http or ElevenLabsHttp(config))
        self._sockets: list[VoiceSocket] = []
        self._openings: list[_Opening] = []
        self._warmed: set[Key] = set()
        self._tender: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def name(self) -> str:
        """Always ``elevenlabs``."""
        return PROVIDER

    async def warm(self, voice: str, language: str) -> None:
        """Open a socket of this voice and keep one open from now on.

        Raises:
            ProviderError: No connection; the key or the voice is refused.
        """
        key = _key(voice, language)
        if self._spare_path.is_only_one:
            await self._spare_path.warm(key)
            return
        self._warmed.add(key)
        if not any(socket.key == key and socket.usable for socket in self._sockets):
            try:
                await self._wait_for_socket(key)
            except ProviderProtocolError as refusal:
                await self._spare_path.warm(key, refusal)

    async def speak(self, request: SpeakRequest) -> AsyncIterator[SpeechChunk]:
        """Yield the audio of one segment; see ``voice.ports.Speaker``."""
        if not request.text.strip():
            return
        key = _key(request.voice, request.language)
        has_room = any(socket.key == key and socket.room > 0 for socket in self._sockets)
        is_spared = self._spare_path.is_only_one or (self._spare_path.is_due(key) and not has_room)
        spoken = self._spare_path.speak(request) if is_spared else self._over_socket(key, request)
        async with contextlib.aclosing(spoken) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _over_socket(
        self, key: Key, request: SpeakRequest
    ) -> AsyncGenerator[SpeechChunk, None]:
        try:
            segment = await self._begin(request)
        except ProviderProtocolError as refusal:
            instead = self._spare_path.instead(key, request, refusal)
            async with contextlib.aclosing(instead) as chunks:
                async for spoken in chunks:
                    yield spoken
            return
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
        await asyncio.gather(*(socket.aclose() for socket in sockets), self._spare_path.aclose())

    # --- sockets ----------------------------------------------------------------------------------

    async def _begin(self, request: SpeakRequest) -> Segment:
        key = _key(request.voice, request.language)
        while True:
            for socket in self._sockets:
                if socket.key == key and socket.room > 0:
                    segment = socket.begin(request.text)
                    try:
                        await socket.send(segment, request.text)
                    except BaseException:
                        segment.abandon()
                        raise
                    return segment
            await self._wait_for_socket(key)

    async def _wait_for_socket(self, key: Key) -> None:
        """Open a socket, or join an opening one that will have room."""
        if self._closed:
            raise ProviderUnavailable("closed", PROVIDER)
        for opening in self._openings:
            if opening.key == key and opening.waiters < MAX_CONTEXTS:
                break
        else:
            opening = self._start_opening(key)
        opening.waiters += 1
        # Shielded: others wait for the same socket.
        await asyncio.shield(opening.task)

    def _start_opening(self, key: Key) -> _Opening:
        self._sockets = [socket for socket in self._sockets if not socket.dead]
        if len(self._sockets) + len(self._openings) >= self._config.max_sockets:
            self._evict_other_than(key)
        if self._tender is None:
            self._tender = asyncio.create_task(self._tend())
        opening = _Opening(key, asyncio.create_task(self._open(key)))
        self._openings.append(opening)

        def forget(task: asyncio.Task[None]) -> None:
            self._openings.remove(opening)
            # Whoever waits gets the error; when nobody does any more it is no news.
            if not task.cancelled() and task.exception() is not None and not opening.waiters:
                _log.info("no spare socket: %s", task.exception())

        opening.task.add_done_callback(forget)
        return opening

    async def _open(self, key: Key) -> None:
        url = socket_url(self._config, *key)
        connection = await self._connect(url, self._config.api_key, self._config.connect_timeout_s)
        self._sockets.append(VoiceSocket(connection, self._config, key))

    def _evict_other_than(self, key: Key) -> None:
        """Make room for a socket of ``key`` by closing the longest idle one of another voice."""
        now = asyncio.get_running_loop().time()
        others = [
            socket
            for socket in self._sockets
            if socket.idle and (socket.key != key or not socket.usable)
        ]
        if not others:
            raise ProviderBusy("every socket is in use", PROVIDER, ELEVENLABS_SOCKETS)
        victim = max(others, key=lambda socket: socket.idle_for_s(now))
        self._sockets.remove(victim)
        victim.retire()

    async def _tend(self) -> None:
        """Keep what is idle open, close what is no longer needed, reopen what was warmed."""
        loop = asyncio.get_running_loop()
        failed_at_s: dict[Key, float] = {}
        while True:
            await asyncio.sleep(_TEND_EVERY_S)
            now = loop.time()
            self._sockets = [socket for socket in self._sockets if not socket.dead]
            for socket in self._sockets:
                if self._spare(socket) and socket.idle_for_s(now) > self._config.idle_close_s:
                    socket.retire()
                else:
                    socket.tend(now)
            alive = {socket.key for socket in self._sockets if socket.usable}
            opening = {opening.key for opening in self._openings}
            for key in self._warmed - alive - opening:
                if now - failed_at_s.get(key, 0.0) >= self._config.keep_alive_s:
                    failed_at_s[key] = now
                    await self._reopen(key)

    def _spare(self, socket: VoiceSocket) -> bool:
        """Whether its voice can do without it."""
        if socket.key not in self._warmed:
            return True
        return sum(other.key == socket.key and other.usable for other in self._sockets) > 1

    async def _reopen(self, key: Key) -> None:
        try:
            await self._wait_for_socket(key)
        except ProviderError as error:
            # Nobody waits for this socket; the next segment meets the same error and reports it.
            _log.info("no warm socket: %s", error)


def _key(voice: str, language: str) -> Key:
    if not voice:
        raise ProviderRejected("no voice is given", PROVIDER, "voice")
    return voice, language.split("-", 1)[0].lower()
