"""Google Text-to-Speech: the telephone's mu-law as it is made, over one connection for all calls.

It says nothing about which word is when, so there are no marks. Closing the iterator cancels the
request at the service, whatever else runs on the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Final, Protocol

from providers.audio_bounds import Trickle, check_length
from providers.errors import (
    ProviderProtocolError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.google_errors import PROVIDER
from providers.google_languages import VOICE_EXAMPLE, VOICE_PATTERN
from providers.google_lines import Connection, GoogleLine, GoogleLines
from providers.google_settings import GoogleTtsConfig
from providers.google_tts_sdk import check_config, connect_voices
from voice.ports import SAMPLE_RATE_HZ, SpeakRequest, SpeechChunk

# The service takes 5,000 bytes of text in one request.
_MOST_BYTES: Final = 5_000
# Control characters and halves of surrogate pairs cannot be sent.
_UNSPEAKABLE: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
# Can be said in every language, and is all that a voice has to say to show that it exists.
_WARMING_TEXT: Final = "1"


class SpeakingConnection(Connection, Protocol):
    """What is needed of ``VoiceConnection``."""

    def speak(self, text: str, voice: str, language: str) -> AsyncGenerator[bytes, None]:
        """Mu-law as it is made; closing it cancels. Raises ``ProviderError``."""


Connect = Callable[[GoogleTtsConfig], Awaitable[SpeakingConnection]]


class GoogleSpeaker:
    """Text-to-speech by Google.

    Args:
        config: Project, credentials, address, deadlines.
        connect: Makes a connection; to be replaced in tests.

    Raises:
        ProviderRefused: Google's clients are not installed, or nobody is named who pays.
        ProviderRejected: A setting makes no sense; names it.
    """

    def __init__(self, config: GoogleTtsConfig, connect: Connect = connect_voices) -> None:
        check_config(config)
        self._config = config
        self._lines = GoogleLines(lambda: connect(config))
        self._closed = False

    @property
    def name(self) -> str:
        """Always ``google``."""
        return PROVIDER

    async def warm(self, voice: str, language: str) -> None:
        """Have one digit spoken for nobody, and keep the connection open from now on.

        Raises:
            ProviderError: No connection; the credentials or the voice is refused.
        """
        async for _ in self.speak(SpeakRequest("", _WARMING_TEXT, voice, language)):
            pass
        self._lines.fewest().keep()

    async def speak(self, request: SpeakRequest) -> AsyncIterator[SpeechChunk]:
        """Yield the audio of one segment; see ``voice.ports.Speaker``."""
        if self._closed:
            raise ProviderUnavailable("closed", PROVIDER)
        text = _UNSPEAKABLE.sub(" ", request.text)
        if not text.strip():
            return
        if len(text.encode()) > _MOST_BYTES:
            raise ProviderRejected("the segment is too long", PROVIDER)
        if not re.fullmatch(VOICE_PATTERN, request.voice):
            message = f"has no such voice; its voices are named like {VOICE_EXAMPLE}"
            raise ProviderRejected(message, PROVIDER, "voice")
        samples = 0
        async with contextlib.aclosing(self._pieces(text, request)) as pieces:
            async for ulaw in pieces:
                samples += len(ulaw)
                check_length(samples, text, PROVIDER)
                yield SpeechChunk(ulaw)
        if not samples and any(char.isalnum() for char in text):
            raise ProviderUnavailable("it said nothing", PROVIDER)

    async def aclose(self) -> None:
        """Close every connection; segments still running fail as unavailable."""
        self._closed = True
        await self._lines.aclose()

    async def _pieces(self, text: str, request: SpeakRequest) -> AsyncGenerator[bytes, None]:
        """Mu-law as it comes, never empty. Raises ``ProviderError``."""
        is_heard = False
        line = self._lines.fewest()
        line.users += 1
        try:
            for is_last in (False, True):
                try:
                    async with contextlib.aclosing(self._once(line, text, request)) as pieces:
                        async for piece in pieces:
                            is_heard = True
                            yield piece
                    return
                except ProviderUnavailable as error:
                    # A connection that was closed unnoticed is found out by its next request.
                    if is_last or is_heard or self._closed or error.retry_after_s is not None:
                        raise
        finally:
            line.users -= 1

    async def _once(
        self, line: GoogleLine[SpeakingConnection], text: str, request: SpeakRequest
    ) -> AsyncGenerator[bytes, None]:
        config, loop = self._config, asyncio.get_running_loop()
        connection = await line.connection()
        deadline_s = loop.time() + config.first_byte_timeout_s
        trickle = Trickle(SAMPLE_RATE_HZ)
        spoken = connection.speak(text, request.voice, request.language)
        async with contextlib.aclosing(spoken):
            while True:
                try:
                    async with asyncio.timeout_at(deadline_s):
                        piece = await anext(spoken, None)
                except TimeoutError:
                    raise ProviderTimeout("no speech in time", PROVIDER) from None
                if piece is None:
                    return
                if piece[:4] == b"RIFF":
                    raise ProviderProtocolError("a file in the midst of speech", PROVIDER)
                if trickle.took(len(piece)):
                    deadline_s = loop.time() + config.stall_timeout_s
                if piece:
                    yield piece
