"""Google Speech-to-Text: many calls' streams over a few connections that stand before they are needed.

Rules:
1. A connection carries ``_STREAMS_EACH`` calls; the service allows a hundred at once on one. The
   next call takes the one with the fewest.
2. Streams cannot be opened ahead of need: the service ends one that is not sent audio after some
   seconds, and is paid for what it hears. Connections can, and opening a stream on one that stands
   takes no round trip: audio follows at once.
3. At most ``max_streams`` calls at a time; the next is refused.
4. After ``close`` or a failure nothing more is delivered.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Final, Protocol

from providers.errors import (
    ProviderBusy,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from providers.google_errors import PROVIDER
from providers.google_languages import HEARD_LANGUAGES, heard_language
from providers.google_messages import SpeechUpdate
from providers.google_settings import GOOGLE_CREDENTIALS, GOOGLE_STREAMS, GoogleSpeechConfig
from providers.google_speech_sdk import check_config, connect_speech, drain, usable_phrases
from providers.google_stream import CHUNK_BYTES, GoogleStream, Sink
from voice.ports import RecogniseRequest, RecogniserStream

_log = logging.getLogger(__name__)

_STREAMS_EACH: Final = 50
_LOADING_S: Final = 20.0  # importing Google's clients, asking the metadata server
_SILENCE: Final = b"\xff" * CHUNK_BYTES


class Connection(Protocol):
    """What is needed of ``SpeechConnection``."""

    async def ready(self) -> None:
        """Wait until it stands. Raises ``ProviderError``."""

    def keep(self) -> None:
        """Have it opened again whenever it breaks."""

    def recognise(
        self, language: str, phrases: tuple[str, ...], audio: AsyncIterator[bytes]
    ) -> AsyncGenerator[SpeechUpdate, None]:
        """See ``google_stream.SpeechLine``."""

    async def aclose(self) -> None:
        """Close it."""


Connect = Callable[[GoogleSpeechConfig], Awaitable[Connection]]


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
        self._connect = connect
        self._lines: list[_Line] = []
        self._streams: dict[GoogleStream, _Line] = {}
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
        wanted = math.ceil(min(count, self._config.max_streams) / _STREAMS_EACH)
        while len(self._lines) < wanted:
            self._lines.append(_Line(self._config, self._connect))
        connections = [await line.connection() for line in self._lines[:wanted]]
        for connection in connections:
            connection.keep()
        if tag in self._tried or not connections:
            return
        try:
            async with asyncio.timeout(self._config.connect_timeout_s):
                await drain(connections[0].recognise(tag, (), _one(_SILENCE)))
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
        line = self._line()
        stream = GoogleStream(self._config, _Seat(line, self._ended), sink)
        self._streams[stream] = line
        line.streams += 1
        stream.start(request, tag)
        return stream

    async def aclose(self) -> None:
        """Close every stream and every connection."""
        self._closed = True
        await asyncio.gather(*(stream.close() for stream in list(self._streams)))
        await asyncio.gather(*(line.aclose() for line in self._lines))

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise ProviderUnavailable("closed", PROVIDER)

    def _heard(self, language: str) -> str:
        if language.lower().split("-", 1)[0] not in HEARD_LANGUAGES:
            raise ProviderRejected(f"does not hear {language}", PROVIDER, "language")
        return heard_language(language)

    def _line(self) -> _Line:
        """The one with the fewest streams; a new one when all are full."""
        line = min(self._lines, key=lambda each: each.streams, default=None)
        if line is None or line.streams >= _STREAMS_EACH:
            line = _Line(self._config, self._connect)
            self._lines.append(line)
        return line

    def _ended(self, stream: GoogleStream) -> None:
        line = self._streams.pop(stream, None)
        if line is not None:
            line.streams -= 1


class _Line:
    """A connection and how many streams run on it."""

    def __init__(self, config: GoogleSpeechConfig, connect: Connect) -> None:
        self.streams = 0
        self._config = config
        self._connect = connect
        self._lock = asyncio.Lock()
        self._connection: Connection | None = None

    async def connection(self) -> Connection:
        """One that stands. Raises ``ProviderError``."""
        async with self._lock:
            if self._connection is None:
                try:
                    async with asyncio.timeout(_LOADING_S):
                        self._connection = await self._connect(self._config)
                except TimeoutError:
                    message = "no credentials in time"
                    raise ProviderTimeout(message, PROVIDER, GOOGLE_CREDENTIALS) from None
        await self._connection.ready()
        return self._connection

    async def aclose(self) -> None:
        async with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            await connection.aclose()


class _Seat:
    """A stream's place on a connection; its ``LineSource``."""

    def __init__(self, line: _Line, ended: Callable[[GoogleStream], None]) -> None:
        self._line = line
        self._ended = ended

    async def line(self) -> Connection:
        """See ``LineSource``."""
        return await self._line.connection()

    def ended(self, stream: GoogleStream) -> None:
        """See ``LineSource``."""
        self._ended(stream)


async def _one(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk
