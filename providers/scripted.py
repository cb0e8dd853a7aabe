"""Providers that need no key and no network, and do the same thing every time.

They ship: a first call without keys, benchmarks of everything around the providers, and tests use
them. None of them waits for anything but its turn on the event loop.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence

import numpy as np

from dialogue.ports import ReplyDelta, ReplyDone, ThinkEvent, ThinkRequest
from providers.errors import ProviderUnavailable
from providers.telephone_audio import encode_ulaw
from voice.ports import (
    SAMPLE_RATE_HZ,
    FinalTranscript,
    RecogniseRequest,
    RecogniserEvent,
    RecogniserStream,
    SpeakRequest,
    SpeechChunk,
    TextMark,
)


class ScriptedThinker:
    """Says its replies one after the other, word by word, and starts again after the last.

    Args:
        replies: At least one.
    """

    def __init__(self, replies: Sequence[str]) -> None:
        if not replies:
            raise ValueError("replies: a scripted thinker needs at least one")
        self._replies = itertools.cycle(tuple(replies))
        self._closed = False

    @property
    def name(self) -> str:
        """Always ``scripted``."""
        return "scripted"

    async def warm(self) -> None:
        """Nothing to open."""

    async def reply(self, request: ThinkRequest) -> AsyncIterator[ThinkEvent]:
        """Yield the next reply; one token is one word for the counts."""
        if self._closed:
            raise ProviderUnavailable("closed", self.name)
        words = next(self._replies).split(" ")
        bound = request.max_tokens if request.max_tokens is not None else len(words)
        for index, word in enumerate(words[:bound]):
            await asyncio.sleep(0)
            yield ReplyDelta(word if index == 0 else " " + word)
        prompt_tokens = sum(len(message.text.split()) for message in request.messages)
        reason = "stop" if bound >= len(words) else "length"
        yield ReplyDone(reason, prompt_tokens, min(bound, len(words)))

    async def aclose(self) -> None:
        """Refuse further replies."""
        self._closed = True


class ToneSpeaker:
    """Speaks a tone as long as the text would take, all of it at once.

    Args:
        tone_hz: Pitch; below 4,000.
        seconds_per_char: Length of the tone for each character.
    """

    def __init__(self, tone_hz: float = 440.0, seconds_per_char: float = 0.06) -> None:
        self._seconds_per_char = seconds_per_char
        self._tone = _ulaw_tone(tone_hz)
        self._closed = False

    @property
    def name(self) -> str:
        """Always ``tone``."""
        return "tone"

    async def warm(self, voice: str, language: str) -> None:
        """Nothing to open."""

    async def speak(self, request: SpeakRequest) -> AsyncIterator[SpeechChunk]:
        """Yield one chunk for each word, with a mark at its end."""
        if self._closed:
            raise ProviderUnavailable("closed", self.name)
        done_samples = 0
        for chars in _word_ends(request.text):
            await asyncio.sleep(0)
            end_s = chars * self._seconds_per_char
            samples = round(end_s * SAMPLE_RATE_HZ) - done_samples
            at = done_samples % len(self._tone)
            repeats = (at + samples) // len(self._tone) + 1
            audio = (self._tone * repeats)[at : at + samples]
            done_samples += samples
            yield SpeechChunk(audio, (TextMark(chars, end_s),))

    async def aclose(self) -> None:
        """Refuse further segments."""
        self._closed = True


class ScriptedRecogniser:
    """Hears what it was told to hear, when that much audio has arrived.

    Args:
        script: ``(audio seconds, event)``, in order; every stream plays it from its own start.
    """

    def __init__(self, script: Sequence[tuple[float, RecogniserEvent]]) -> None:
        self._script = tuple(script)
        self._closed = False

    @classmethod
    def of_finals(cls, finals: Sequence[tuple[float, str]]) -> ScriptedRecogniser:
        """A recogniser that hears whole phrases: ``(audio seconds at their end, text)``."""
        return cls([(at_s, FinalTranscript(text, at_s)) for at_s, text in finals])

    @property
    def name(self) -> str:
        """Always ``scripted``."""
        return "scripted"

    async def warm(self, language: str, count: int) -> None:
        """Nothing to open."""

    async def open(
        self, request: RecogniseRequest, sink: Callable[[RecogniserEvent], None]
    ) -> RecogniserStream:
        """Start the script; ``sink`` is called from the loop, never from inside ``write``."""
        if self._closed:
            raise ProviderUnavailable("closed", self.name)
        return _ScriptedStream(self._script, sink, asyncio.get_running_loop())

    async def aclose(self) -> None:
        """Refuse further streams."""
        self._closed = True


class _ScriptedStream:
    def __init__(
        self,
        script: tuple[tuple[float, RecogniserEvent], ...],
        sink: Callable[[RecogniserEvent], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._script = script
        self._sink = sink
        self._loop = loop
        self._next = 0
        self._samples = 0
        self._closed = False

    def write(self, ulaw: bytes) -> None:
        self._samples += len(ulaw)
        heard_s = self._samples / SAMPLE_RATE_HZ
        while self._next < len(self._script) and self._script[self._next][0] <= heard_s:
            event = self._script[self._next][1]
            self._next += 1
            if not self._closed:
                self._loop.call_soon(self._deliver, event)

    async def close(self) -> None:
        self._closed = True

    def _deliver(self, event: RecogniserEvent) -> None:
        if not self._closed:
            self._sink(event)


def _word_ends(text: str) -> list[int]:
    """Numbers of characters up to the end of each word, spaces after it included."""
    ends = [
        index
        for index in range(1, len(text))
        if text[index - 1].isspace() and not text[index].isspace()
    ]
    return [*ends, len(text)] if text else []


def _ulaw_tone(tone_hz: float) -> bytes:
    """One second of a sine at half amplitude as mu-law."""
    times_s = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    return encode_ulaw((16_000 * np.sin(2 * np.pi * tone_hz * times_s)).astype(np.int16))
