"""One segment of speech on its way from a synthesiser of Azure: audio, marks, deadlines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from providers.audio_bounds import check_length
from providers.azure_sdk import PROVIDER
from providers.azure_tts_wire import (
    AudioMade,
    Failed,
    Finished,
    SpeechEvent,
    WordSpoken,
    WordTracker,
    address_setting,
)
from providers.containers import container_of
from providers.errors import ProviderProtocolError, ProviderTimeout, ProviderUnavailable
from providers.settings import AzureTtsConfig
from voice.ports import SAMPLE_RATE_HZ, SpeechChunk, TextMark


class Segment:
    """Turns events into chunks.

    Args:
        text: What is spoken; marks refer to it.
        config: Deadlines.

    Attributes:
        heard: Some audio has arrived.
        ended: The synthesiser is done with it and free for the next.
    """

    def __init__(self, text: str, config: AzureTtsConfig) -> None:
        self.heard = False
        self.ended = False
        self._text = text
        self._config = config
        self._tracker = WordTracker(text)
        self._events: asyncio.Queue[SpeechEvent] = asyncio.Queue()
        self._samples = 0

    def take(self, event: SpeechEvent) -> None:
        """An event of its synthesiser, on the loop's thread."""
        self._events.put_nowait(event)

    async def chunks(self) -> AsyncIterator[SpeechChunk]:
        """The audio as it arrives, to its end.

        Raises:
            ProviderError: It failed, or the service kept it waiting too long.
        """
        marks: tuple[TextMark, ...] = ()
        while True:
            match await self._next():
                case AudioMade(ulaw):
                    if ulaw:
                        self._check(ulaw)
                        self.heard = True
                        self._samples += len(ulaw)
                        check_length(self._samples, self._text, PROVIDER)
                        yield SpeechChunk(ulaw, marks)
                        marks = ()
                case WordSpoken(word, end_s):
                    marks += self._tracker.take(word, end_s)
                case Finished(whole):
                    self.ended = True
                    if whole:
                        end_s = len(whole) / SAMPLE_RATE_HZ
                        marks += self._tracker.finish(end_s)
                        yield SpeechChunk(whole[self._samples :], marks)
                    elif any(char.isalnum() for char in self._text):
                        raise ProviderUnavailable("it said nothing", PROVIDER)
                    return
                case Failed(error):
                    raise error

    def _check(self, ulaw: bytes) -> None:
        if not self.heard and (name := container_of(ulaw)):
            said = f"it sent {name} where mu-law was asked for"
            raise ProviderProtocolError(said, PROVIDER, address_setting(self._config))

    async def _next(self) -> SpeechEvent:
        config = self._config
        try:
            limit_s = config.stall_timeout_s if self.heard else config.first_byte_timeout_s
            async with asyncio.timeout(limit_s):
                return await self._events.get()
        except TimeoutError:
            what = "the audio stopped" if self.heard else "no audio in time"
            raise ProviderTimeout(what, PROVIDER) from None
