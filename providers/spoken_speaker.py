"""A voice that is given spoken forms, and is asked and answers in the written text.

What it is given may be longer than the segment ("four one five" for "415"): its marks are led back
to the written text here, so that nothing behind it, failover, ledger or transcript, knows of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from dialogue.spoken import Level, spoken_form
from dialogue.spoken.text import SpokenText
from voice.ports import Speaker, SpeakRequest, SpeechChunk, TextMark


class SpokenFormSpeaker:
    """See the top of this file.

    Args:
        speaker: Who speaks; shared with other agents.
        level: How much is put into words for it.
    """

    def __init__(self, speaker: Speaker, level: Level) -> None:
        self._speaker = speaker
        self._level: Level = level

    @property
    def name(self) -> str:
        """That of the speaker."""
        return self._speaker.name

    async def warm(self, voice: str, language: str) -> None:
        """As the speaker's. Raises ``ProviderError``."""
        await self._speaker.warm(voice, language)

    def speak(self, request: SpeakRequest) -> AsyncIterator[SpeechChunk]:
        """See ``voice.ports.Speaker``; marks count the characters of ``request.text``."""
        spoken = spoken_form(request.text, request.language, self._level)
        if spoken.text == request.text:
            return self._speaker.speak(request)
        return _led_back(self._speaker.speak(replace(request, text=spoken.text)), spoken)

    async def aclose(self) -> None:
        """Close the speaker."""
        await self._speaker.aclose()


async def _led_back(
    chunks: AsyncIterator[SpeechChunk], spoken: SpokenText
) -> AsyncIterator[SpeechChunk]:
    try:
        async for chunk in chunks:
            if not chunk.marks:
                yield chunk
                continue
            marks = (TextMark(spoken.written_chars(mark.chars), mark.at_s) for mark in chunk.marks)
            yield SpeechChunk(chunk.ulaw, tuple(marks))
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()
