"""Google Speech-to-Text: the streams of many calls over a few connections, made ahead of need.

Rules:
1. Connections are shared (``google_lines``): a call takes a place on one, not one of its own.
2. Streams cannot be opened ahead of need: the service ends one that is not sent audio after some
   seconds, and is paid for what it hears. Connections can, and opening a stream on one that stands
   takes no round trip: audio follows at once.
3. At most ``max_streams`` calls at a time; the next is refused.
4. After ``close`` or a failure nothing more is delivered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Protocol

from providers.errors import (
    ProviderBusy,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.google_errors import PROVIDER
from providers.google_languages import HEARD_LANGUAGES, heard_language
from providers.google_lines import Connection, GoogleLine, GoogleLines
from providers.google_settings import GOOGLE_STREAMS, GoogleSpeechConfig
from providers.google_speech_sdk import check_config, connect_speech, drain, usable_phrases
from providers.google_stream import CHUNK_BYTES, GoogleStream, SpeechLine
from providers.ring_stream import Sink
from voice.ports import RecogniseRequest, RecogniserStream

_log = logging.getLogger(__name__)

_SILENCE: Final = b"\xff" * CHUNK_BYTES


class SpeechLineConnection(Connection, SpeechLine, Protocol):
    """What is needed of ``SpeechConnection``."""


Connect = Callable[[GoogleSpeechConfig], Awaitable[SpeechLineConnection]]


class GoogleRecogniser:
    """Speech-to-text by Google.

    Args:
        config: Project, credentials, address, limits.
        connect: Makes a connection; to be replaced in tests.

    Raises:
        ProviderRefused: Google's clients are not installed, or nobody is named who pays.
        ProviderRejected: A setting makes no sense; names it.
    """

    def __init__(self, config: GoogleSpeechConfig, connect: Connect = connect_speech) -> None:
        check_config(config)
        self._config = config
        self._lines = GoogleLines(lambda: connect(config))
        self._streams: dict[GoogleStream, GoogleLine[SpeechLineConnection]] = {}
        self._tried: set[str] = set()
        self._closed = False

    @property
    def name(self) -> str:
        """Always ``google``."""
        return PROVIDER

    @property
    def live(self) -> int:
        """Calls that are listened to now."""
        return len(self._streams)

    async def warm(self, language: str, count: int) -> None:
        """Have connections for ``count`` calls, and a tenth of a second of silence recognised once.

        Raises:
            ProviderError: No connection; the credentials, the model or the language is refused.
        """
        self._refuse_when_closed()
        tag = self._heard(language)
        lines = self._lines.enough_for(min(count, self._config.max_streams))
        connections = [await line.connection() for line in lines]
        for line in lines:
            line.keep()
        if tag in self._tried:
            return
        try:
            async with asyncio.timeout(self._config.connect_timeout_s):
                try:
                    await drain(connections[0].recognise(tag, (), _one(_SILENCE)))
                except ProviderUnavailable:  # the second answer counts: a connection may be stale
                    await drain((await lines[0].connection()).recognise(tag, (), _one(_SILENCE)))
        except TimeoutError:
            raise ProviderTimeout("it takes a stream and does not end it", PROVIDER) from None
        self._tried.add(tag)

    async def open(self, request: RecogniseRequest, sink: Sink) -> RecogniserStream:
        """Start a stream; see ``voice.ports.Recogniser``.

        Does not wait for a connection: audio is kept until there is one, and a failure comes
        through ``sink``.

        Raises:
            ProviderBusy: ``max_streams`` are in use.
            ProviderRejected: The service does not hear the language.
        """
        self._refuse_when_closed()
        tag = self._heard(request.language)
        if self.live >= self._config.max_streams:
            raise ProviderBusy("every stream is in use", PROVIDER, GOOGLE_STREAMS)
        if dropped := len(request.phrases) - len(usable_phrases(request.phrases)):
            _log.warning("call %s: %d hints are not taken by Google", request.call_id, dropped)
        line = self._lines.fewest()
        stream = GoogleStream(self._config, _Seat(line, self._ended), sink)
        self._streams[stream] = line
        line.users += 1
        stream.start(request, tag)
        return stream

    async def aclose(self) -> None:
        """Close every stream and every connection."""
        self._closed = True
        await asyncio.gather(*(stream.close() for stream in list(self._streams)))
        await self._lines.aclose()

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise ProviderUnavailable("closed", PROVIDER)

    def _heard(self, language: str) -> str:
        if language.lower().split("-", 1)[0] not in HEARD_LANGUAGES:
            raise ProviderRejected(f"does not hear {language}", PROVIDER, "language")
        return heard_language(language)

    def _ended(self, stream: GoogleStream) -> None:
        line = self._streams.pop(stream, None)
        if line is not None:
            line.users -= 1


class _Seat:
    """A stream's place on a connection; its ``LineSource``."""

    def __init__(
        self, line: GoogleLine[SpeechLineConnection], ended: Callable[[GoogleStream], None]
    ) -> None:
        self._line = line
        self._ended = ended

    async def line(self) -> SpeechLineConnection:
        """See ``LineSource``."""
        return await self._line.connection()

    def ended(self, stream: GoogleStream) -> None:
        """See ``LineSource``."""
        self._ended(stream)


async def _one(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk
