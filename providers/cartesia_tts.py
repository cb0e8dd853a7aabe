"""Cartesia text-to-speech: a small pool of websockets, each for any voice and many segments.

Sockets are opened on demand; once a voice was warmed, one is kept open. The service closes a socket
after five idle minutes, so one that is idle for long is replaced before that.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable

from providers import cartesia_wire as wire
from providers.cartesia_socket import VoiceSegment, VoiceSocket
from providers.cartesia_wire import PEER, PROVIDER
from providers.errors import ProviderBusy
from providers.socket_settings import CARTESIA_SOCKETS, CartesiaConfig
from providers.speech_segment import audio_of
from providers.voice_sockets import VoiceSockets
from providers.websocket import Connection, connect
from voice.ports import SpeakRequest, SpeechChunk

_TRY_AGAIN_S = 8.0

Connect = Callable[[str, dict[str, str], float], Awaitable[Connection]]


async def _connect(url: str, headers: dict[str, str], timeout_s: float) -> Connection:
    return await connect(url, headers, timeout_s, PEER)


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
        self._pool: VoiceSockets[None, VoiceSocket]
        self._pool = VoiceSockets(self, PROVIDER, config.contexts_per_socket)
        self._warmed: set[tuple[str, str]] = set()
        self._tried_s = float("-inf")

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
            if not self._has_socket:
                await self._pool.wait_for(None)
            return
        async for _ in self.speak(SpeakRequest("warm", "1", voice, language)):
            pass
        self._warmed.add((voice, language))

    async def speak(self, request: SpeakRequest) -> AsyncIterator[SpeechChunk]:
        """Yield the audio of one segment; see ``voice.ports.Speaker``."""
        if not request.text.strip():
            return
        again = functools.partial(self._begin, request)
        async with contextlib.aclosing(audio_of(await again(), again)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def aclose(self) -> None:
        """Close every socket; segments still running fail as unavailable."""
        await self._pool.aclose()

    def make_room(self, _key: None) -> None:
        """See ``SocketKeeper``."""
        in_use = sum(socket.usable for socket in self._pool.sockets)
        if in_use + len(self._pool.opening) >= self._config.max_sockets:
            raise ProviderBusy("every socket is in use", PROVIDER, CARTESIA_SOCKETS)

    async def open(self, _key: None) -> VoiceSocket:
        """See ``SocketKeeper``."""
        headers = {"X-API-Key": self._config.api_key, "Cartesia-Version": wire.VERSION}
        timeout_s = self._config.connect_timeout_s
        connection = await self._connect(wire.socket_url(self._config), headers, timeout_s)
        return VoiceSocket(connection, self._config)

    async def tend(self, now: float) -> None:
        """See ``SocketKeeper``: replaces what was idle for long, reopens what broke."""
        for socket in self._pool.sockets:
            socket.tend(now)
            if socket.usable and socket.idle_for_s(now) > self._config.renew_s:
                socket.retire()
        is_missing = self._warmed and not self._has_socket
        if is_missing and not self._pool.opening and now - self._tried_s >= _TRY_AGAIN_S:
            self._tried_s = now
            await self._pool.reopen(None)

    @property
    def _has_socket(self) -> bool:
        return any(socket.usable for socket in self._pool.sockets)

    async def _begin(self, request: SpeakRequest) -> VoiceSegment:
        while True:
            for socket in self._pool.sockets:
                if socket.room > 0:
                    return await socket.begin(request)
            await self._pool.wait_for(None)
