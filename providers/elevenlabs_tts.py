"""ElevenLabs text-to-speech over its multi-context websocket.

The vendor's package has no asynchronous client for it, so this is our own: a pool of sockets, one
or more for each voice and language (both stand in the address), each carrying up to five segments.
Sockets are opened on demand and kept warm.

Where no websocket is to be had, speech goes over HTTP (``elevenlabs_spare``).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

from providers.elevenlabs_sdk import ElevenLabsHttp
from providers.elevenlabs_segment import Segment
from providers.elevenlabs_socket import Connection, VoiceSocket, connect
from providers.elevenlabs_spare import SparePath
from providers.elevenlabs_wire import MAX_CONTEXTS, PROVIDER, socket_url
from providers.endpoint_checks import check_key
from providers.errors import (
    ProviderBusy,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
)
from providers.settings import ELEVENLABS_KEY, ELEVENLABS_SOCKETS, ElevenLabsConfig
from providers.speech_segment import audio_of
from providers.voice_sockets import VoiceSockets
from voice.ports import SpeakRequest, SpeechChunk

Connect = Callable[[str, str, float], Awaitable[Connection]]
Key = tuple[str, str]


class ElevenLabsSpeaker:
    """Text-to-speech by ElevenLabs.

    Args:
        config: Key, address, deadlines.
        connect: Opens a socket: address, key, seconds; to be replaced in tests.
        http: Speaks where no socket is to be had; to be replaced in tests.

    Raises:
        ProviderRefused: There is no key, or it is none.
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
        check_key(config.api_key, PROVIDER, ELEVENLABS_KEY)
        socket_url(config, "any", "")
        self._config = config
        self._connect = connect
        self._spare_path = SparePath(config, http or ElevenLabsHttp(config))
        self._pool: VoiceSockets[Key, VoiceSocket]
        self._pool = VoiceSockets(self, PROVIDER, MAX_CONTEXTS)
        self._warmed: set[Key] = set()
        self._tried_s: dict[Key, float] = {}

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
        if not any(socket.key == key and socket.usable for socket in self._pool.sockets):
            try:
                await self._pool.wait_for(key)
            except ProviderProtocolError as refusal:
                await self._spare_path.warm(key, refusal)

    async def speak(self, request: SpeakRequest) -> AsyncIterator[SpeechChunk]:
        """Yield the audio of one segment; see ``voice.ports.Speaker``."""
        if not request.text.strip():
            return
        async with contextlib.aclosing(await self._audio(request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _audio(self, request: SpeakRequest) -> AsyncGenerator[SpeechChunk, None]:
        """The audio of one segment, whichever way it comes."""
        key = _key(request.voice, request.language)
        has_room = any(socket.key == key and socket.room > 0 for socket in self._pool.sockets)
        if self._spare_path.is_only_one or (self._spare_path.is_due(key) and not has_room):
            return self._spare_path.speak(request)
        again = functools.partial(self._begin, key, request)
        try:
            return audio_of(await again(), again)
        except ProviderProtocolError as refusal:
            return self._spare_path.instead(key, request, refusal)

    async def aclose(self) -> None:
        """Close every socket; segments still running fail as unavailable."""
        await asyncio.gather(self._pool.aclose(), self._spare_path.aclose())

    # --- sockets ----------------------------------------------------------------------------------

    async def _begin(self, key: Key, request: SpeakRequest) -> Segment:
        while True:
            for socket in self._pool.sockets:
                if socket.key == key and socket.room > 0:
                    segment = socket.begin(request.text)
                    try:
                        await socket.send(segment, request.text)
                    except BaseException:
                        segment.abandon()
                        raise
                    return segment
            await self._pool.wait_for(key)

    async def open(self, key: Key) -> VoiceSocket:
        """See ``SocketKeeper``."""
        url = socket_url(self._config, *key)
        connection = await self._connect(url, self._config.api_key, self._config.connect_timeout_s)
        return VoiceSocket(connection, self._config, key)

    def make_room(self, key: Key) -> None:
        """See ``SocketKeeper``: closes the longest idle socket of another voice, if need be."""
        sockets = self._pool.sockets
        if len(sockets) + len(self._pool.opening) < self._config.max_sockets:
            return
        now = asyncio.get_running_loop().time()
        others = [
            socket for socket in sockets if socket.idle and (socket.key != key or not socket.usable)
        ]
        if not others:
            raise ProviderBusy("every socket is in use", PROVIDER, ELEVENLABS_SOCKETS)
        victim = max(others, key=lambda socket: socket.idle_for_s(now))
        sockets.remove(victim)
        victim.retire()

    async def tend(self, now: float) -> None:
        """See ``SocketKeeper``: keeps idle ones open, closes the rest, reopens what was warmed."""
        for socket in self._pool.sockets:
            if self._spare(socket) and socket.idle_for_s(now) > self._config.idle_close_s:
                socket.retire()
            else:
                socket.tend(now)
        alive = {socket.key for socket in self._pool.sockets if socket.usable}
        for key in self._warmed - alive - set(self._pool.opening):
            if now - self._tried_s.get(key, 0.0) >= self._config.keep_alive_s:
                self._tried_s[key] = now
                await self._pool.reopen(key)

    def _spare(self, socket: VoiceSocket) -> bool:
        """Whether its voice can do without it."""
        if socket.key not in self._warmed:
            return True
        return sum(other.key == socket.key and other.usable for other in self._pool.sockets) > 1


def _key(voice: str, language: str) -> Key:
    if not voice:
        raise ProviderRejected("no voice is given", PROVIDER, "voice")
    return voice, language.split("-", 1)[0].lower()
