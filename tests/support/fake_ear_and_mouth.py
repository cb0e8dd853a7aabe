"""A recogniser that hears what a test says, and a speaker whose audio can be read back.

One character is one frame of 20 ms whose 160 bytes are all the character's code, so what a carrier
played is also what was said: ``text_of(audio)``.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable

from providers.errors import ProviderError
from voice.ports import (
    FRAME_S,
    FRAME_SAMPLES,
    SAMPLE_RATE_HZ,
    FinalTranscript,
    InterimTranscript,
    RecogniseRequest,
    RecogniserEvent,
    RecogniserFailed,
    RecogniserInterrupted,
    SpeakRequest,
    SpeechChunk,
    TextMark,
)


def audio_of(text: str) -> bytes:
    """One frame for each character."""
    return b"".join(bytes([code]) * FRAME_SAMPLES for code in text.encode("ascii"))


def text_of(audio: bytes) -> str:
    """What was said; a character that was cut counts when half of its frame was played."""
    runs = [(chr(code), len(list(run))) for code, run in itertools.groupby(audio)]
    return "".join(char * round(samples / FRAME_SAMPLES) for char, samples in runs)


class FakeStream:
    """One stream of ``FakeRecogniser``; it fails or hears when the test says so."""

    def __init__(self, sink: Callable[[RecogniserEvent], None]) -> None:
        self._sink = sink
        self.audio = bytearray()
        self.closed = False

    def write(self, ulaw: bytes) -> None:
        self.audio += ulaw

    async def close(self) -> None:
        self.closed = True

    def hear(
        self, text: str, *, final: bool = True, late_s: float = 0.0, language: str = ""
    ) -> None:
        end_s = len(self.audio) / SAMPLE_RATE_HZ - late_s
        self._sink(
            FinalTranscript(text, end_s, language) if final else InterimTranscript(text, end_s)
        )

    def fail(self, message: str = "gone", *, retryable: bool = True) -> None:
        self._sink(RecogniserFailed(message, retryable))

    def interrupt(self) -> None:
        self._sink(RecogniserInterrupted())


class FakeRecogniser:
    """Hears nothing by itself.

    Attributes:
        streams: Every stream by call id, in the order in which they were opened.
        refusals: Raised by the next openings, one each.
        hanging: While set, openings do not come back.
        slow_s: How long an opening takes, or a refusal.
        languages: Of every stream that was asked for.
    """

    name = "fake"

    def __init__(self) -> None:
        self.streams: dict[str, list[FakeStream]] = {}
        self.refusals: list[BaseException] = []
        self.hanging = False
        self.slow_s = 0.0
        self.openings = 0
        self.languages: list[str] = []

    async def warm(self, language: str, count: int) -> None:
        return None

    async def open(
        self, request: RecogniseRequest, sink: Callable[[RecogniserEvent], None]
    ) -> FakeStream:
        self.openings += 1
        self.languages.append(request.language)
        if self.slow_s:
            await asyncio.sleep(self.slow_s)
        if self.refusals:
            raise self.refusals.pop(0)
        if self.hanging:
            await asyncio.sleep(1e6)
        stream = FakeStream(sink)
        self.streams.setdefault(request.call_id, []).append(stream)
        return stream

    async def aclose(self) -> None:
        return None

    @property
    def open_streams(self) -> int:
        return sum(not stream.closed for streams in self.streams.values() for stream in streams)


class FakeSpeaker:
    """Speaks in chunks of ``chunk_chars`` characters, each ``delay_s`` after the one before.

    Attributes:
        asked: Every text, in order; ``voices`` the voice and language of each.
        open_segments: Begun, neither ended nor closed.
        fail_after_chunks: Then ``error`` is raised; None speaks to the end.
        hang_after_chunks: Then nothing comes any more.
    """

    name = "fake"

    def __init__(self, *, chunk_chars: int = 10, delay_s: float = 0.05) -> None:
        self._chunk_chars = chunk_chars
        self._delay_s = delay_s
        self.asked: list[str] = []
        self.voices: list[tuple[str, str]] = []
        self.open_segments = 0
        self.error: BaseException = ProviderError("broke", "fake")
        self.fail_after_chunks: int | None = None
        self.hang_after_chunks: int | None = None

    async def warm(self, voice: str, language: str) -> None:
        return None

    async def speak(self, request: SpeakRequest) -> AsyncIterator[SpeechChunk]:
        self.asked.append(request.text)
        self.voices.append((request.voice, request.language))
        self.open_segments += 1
        try:
            for number, at in enumerate(range(0, len(request.text), self._chunk_chars)):
                if number == self.fail_after_chunks:
                    raise self.error
                await asyncio.sleep(1e6 if number == self.hang_after_chunks else self._delay_s)
                end = min(at + self._chunk_chars, len(request.text))
                marks = tuple(
                    TextMark(chars, chars * FRAME_S)
                    for chars in range(at + 1, end + 1)
                    if chars == len(request.text) or request.text[chars] == " "
                )
                yield SpeechChunk(audio_of(request.text[at:end]), marks)
        finally:
            self.open_segments -= 1

    async def aclose(self) -> None:
        return None
