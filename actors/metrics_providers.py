"""Providers that are measured: the same ports, with latencies and failures in the ledger.

Wrapped at the composition root, so that neither the calls nor the providers know of it. Audio on
its way to a recogniser does not pass through here: the provider's own stream is handed out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from dialogue.ports import ReplyDone, Thinker, ThinkEvent, ThinkRequest
from providers.errors import ProviderError
from telemetry import catalog
from telemetry.ledger import MetricsLedger
from voice.ports import (
    Recogniser,
    RecogniseRequest,
    RecogniserEvent,
    RecogniserFailed,
    RecogniserStream,
    Speaker,
    SpeakRequest,
    SpeechChunk,
)

CANCELLED = "cancelled_replies"  # the provider tells no tokens of what was not read to its end


def error_kind(error: BaseException) -> str:
    """A few words for what went wrong, as a label: ``timeout``, ``busy``, ``broke``, ..."""
    if isinstance(error, ProviderError):
        name = type(error).__name__.removeprefix("Provider").removesuffix("Error")
        return name.lower() or "error"
    return "timeout" if isinstance(error, TimeoutError) else "broke"


class MeteredThinker:
    """A language model whose failures are counted, and the replies whose price nobody tells.

    How late its first token was is in the timeline of each turn, with the caller's language.

    Args:
        thinker: The service.
        ledger: Of this process.
    """

    def __init__(self, thinker: Thinker, ledger: MetricsLedger) -> None:
        self._thinker = thinker
        self._ledger = ledger

    @property
    def name(self) -> str:
        """The service's name."""
        return self._thinker.name

    async def warm(self) -> None:
        """Open a connection before it is needed. Raises ``ProviderError``."""
        await self._thinker.warm()

    async def reply(self, request: ThinkRequest) -> AsyncIterator[ThinkEvent]:
        """The service's reply; see ``dialogue.ports.Thinker``."""
        is_told = False
        events = self._thinker.reply(request)
        try:
            async for event in events:
                is_told = is_told or isinstance(event, ReplyDone)
                yield event
        except (GeneratorExit, asyncio.CancelledError):
            if not is_told:
                self._ledger.count(catalog.UNPRICED, CANCELLED, self.name)
            raise
        except Exception as error:
            _count(self._ledger, self.name, error)
            raise
        finally:
            await _close(events)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._thinker.aclose()


class MeteredSpeaker:
    """A voice whose first audio and failures are measured.

    Args:
        speaker: The service.
        ledger: Of this process.
    """

    def __init__(self, speaker: Speaker, ledger: MetricsLedger) -> None:
        self._speaker = speaker
        self._ledger = ledger

    @property
    def name(self) -> str:
        """The service's name."""
        return self._speaker.name

    async def warm(self, voice: str, language: str) -> None:
        """Open the connection of this voice. Raises ``ProviderError``."""
        await self._speaker.warm(voice, language)

    async def speak(self, request: SpeakRequest) -> AsyncIterator[SpeechChunk]:
        """The service's audio; see ``voice.ports.Speaker``."""
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        is_silent = True
        chunks = self._speaker.speak(request)
        try:
            async for chunk in chunks:
                if is_silent:
                    is_silent = False
                    where = (self.name, "first_audio", request.language)
                    late_s = loop.time() - asked_at
                    self._ledger.observe(catalog.PROVIDER_LATENCY, late_s, *where)
                yield chunk
        except Exception as error:
            _count(self._ledger, self.name, error)
            raise
        finally:
            await _close(chunks)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._speaker.aclose()


class MeteredRecogniser:
    """A recogniser whose openings and failures are measured.

    Args:
        recogniser: The service.
        ledger: Of this process.
    """

    def __init__(self, recogniser: Recogniser, ledger: MetricsLedger) -> None:
        self._recogniser = recogniser
        self._ledger = ledger

    @property
    def name(self) -> str:
        """The service's name."""
        return self._recogniser.name

    async def warm(self, language: str, count: int) -> None:
        """Open connections before they are needed. Raises ``ProviderError``."""
        await self._recogniser.warm(language, count)

    async def open(
        self, request: RecogniseRequest, sink: Callable[[RecogniserEvent], None]
    ) -> RecogniserStream:
        """A stream of the service; see ``voice.ports.Recogniser``."""
        loop = asyncio.get_running_loop()
        asked_at = loop.time()

        def watched(event: RecogniserEvent) -> None:
            if isinstance(event, RecogniserFailed):
                self._ledger.count(catalog.PROVIDER_ERRORS, self.name, "stream_failed")
            sink(event)

        try:
            stream = await self._recogniser.open(request, watched)
        except Exception as error:
            _count(self._ledger, self.name, error)
            raise
        where = (self.name, "open", request.language)
        self._ledger.observe(catalog.PROVIDER_LATENCY, loop.time() - asked_at, *where)
        return stream

    async def aclose(self) -> None:
        """Close every connection."""
        await self._recogniser.aclose()


def _count(ledger: MetricsLedger, provider: str, error: Exception) -> None:
    ledger.count(catalog.PROVIDER_ERRORS, provider, error_kind(error))


async def _close(iterator: object) -> None:
    """An iterator that is left early goes on working until it is closed."""
    close = getattr(iterator, "aclose", None)
    if close is not None:
        await close()
