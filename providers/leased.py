"""Providers of which a limit is set: the same ports, each stream and request counted (``quotas``).

Wrapped at the composition root, and only what has a limit.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from dialogue.ports import Thinker, ThinkEvent, ThinkRequest
from providers.health.quotas import Quotas
from voice.ports import (
    Recogniser,
    RecogniseRequest,
    RecogniserEvent,
    RecogniserStream,
    Speaker,
    SpeakRequest,
    SpeechChunk,
)


def leased_recogniser(service: Recogniser, quotas: Quotas) -> Recogniser:
    """The recogniser, counted where there is a limit."""
    is_limited = quotas.limits("recognise", service.name)
    return LeasedRecogniser(service, quotas) if is_limited else service


def leased_thinker(service: Thinker, quotas: Quotas) -> Thinker:
    """The language model, counted where there is a limit."""
    return LeasedThinker(service, quotas) if quotas.limits("think", service.name) else service


def leased_speaker(service: Speaker, quotas: Quotas) -> Speaker:
    """The voice, counted where there is a limit."""
    return LeasedSpeaker(service, quotas) if quotas.limits("speak", service.name) else service


class LeasedThinker:
    """A language model whose requests are counted."""

    def __init__(self, service: Thinker, quotas: Quotas) -> None:
        self._service = service
        self._quotas = quotas

    @property
    def name(self) -> str:
        """The service's name."""
        return self._service.name

    async def warm(self) -> None:
        """Open a connection before it is needed. Raises ``ProviderError``."""
        await self._service.warm()

    async def reply(self, request: ThinkRequest) -> AsyncIterator[ThinkEvent]:
        """The service's reply; see ``dialogue.ports.Thinker``."""
        over = self._quotas.begin("think", self.name)
        events = self._service.reply(request)
        try:
            async for event in events:
                yield event
        finally:
            over()
            await _close(events)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._service.aclose()


class LeasedSpeaker:
    """A voice whose segments are counted."""

    def __init__(self, service: Speaker, quotas: Quotas) -> None:
        self._service = service
        self._quotas = quotas

    @property
    def name(self) -> str:
        """The service's name."""
        return self._service.name

    async def warm(self, voice: str, language: str) -> None:
        """Open the connection of this voice. Raises ``ProviderError``."""
        await self._service.warm(voice, language)

    async def speak(self, request: SpeakRequest) -> AsyncIterator[SpeechChunk]:
        """The service's audio; see ``voice.ports.Speaker``."""
        over = self._quotas.begin("speak", self.name)
        chunks = self._service.speak(request)
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            over()
            await _close(chunks)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._service.aclose()


class LeasedRecogniser:
    """A recogniser whose streams are counted, from their opening until they are closed."""

    def __init__(self, service: Recogniser, quotas: Quotas) -> None:
        self._service = service
        self._quotas = quotas

    @property
    def name(self) -> str:
        """The service's name."""
        return self._service.name

    async def warm(self, language: str, count: int) -> None:
        """Open connections before they are needed. Raises ``ProviderError``."""
        await self._service.warm(language, count)

    async def open(
        self, request: RecogniseRequest, sink: Callable[[RecogniserEvent], None]
    ) -> RecogniserStream:
        """A stream of the service; see ``voice.ports.Recogniser``."""
        over = self._quotas.begin("recognise", self.name)
        try:
            stream = await self._service.open(request, sink)
        except BaseException:
            over()
            raise
        return _LeasedStream(stream, over)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._service.aclose()


class _LeasedStream:
    """A stream that is counted until it is closed; audio goes straight to the service's own."""

    def __init__(self, stream: RecogniserStream, over: Callable[[], None]) -> None:
        self._stream = stream
        self._over = over
        self.write = stream.write

    async def close(self) -> None:
        try:
            await self._stream.close()
        finally:
            self._over()


async def _close(iterator: object) -> None:
    """An iterator that is left early goes on working until it is closed."""
    close = getattr(iterator, "aclose", None)
    if close is not None:
        await close()
