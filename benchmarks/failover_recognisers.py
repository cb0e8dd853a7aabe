"""Recognisers of words that are numbers, for measurements in virtual time.

Words travel in the audio itself: each frame holds the number of its word. So a recogniser knows
exactly those that it was sent whole.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from providers.errors import ProviderBusy, ProviderError, ProviderUnavailable
from voice.ports import (
    FinalTranscript,
    InterimTranscript,
    RecogniseRequest,
    RecogniserEvent,
    RecogniserFailed,
)

WORD_FRAMES, FRAME_S = 15, 0.02
QUIET = 255
PHRASE_FRAMES = 15  # of quiet, after which a phrase is finished
OPEN_S, LAG_S, SIGMA = 0.08, 0.15, 0.3
Sink = Callable[[RecogniserEvent], None]
# What is wrong with a recogniser: (a new stream's error, its extra delay or HANG, times slower,
# whether streams that are open break or fall silent as well).
FAULTS: dict[str, tuple[ProviderError | None, float, float, str]] = {
    "none": (None, 0.0, 1.0, ""),
    "hard errors": (ProviderUnavailable("503", "a"), 0.0, 1.0, "break"),
    "429": (ProviderBusy("429", "a", retry_after_s=5.0), 0.0, 1.0, "break"),
    "hang": (None, 1.0, 1.0, "hang"),
    "six times slower": (None, 0.0, 6.0, ""),
    "half hang": (None, 0.5, 1.0, ""),
    "one in ten hangs": (None, 0.1, 1.0, ""),
}


class Stream:
    """One open recognition."""

    def __init__(self, service: Service, sink: Sink) -> None:
        self._loop = asyncio.get_running_loop()
        self._sink: Sink | None = sink
        self._lag_s = service.lag_s()
        self.is_silent = service.is_silent()
        self._code, self._frames, self._at = QUIET, 0, 0
        self._quiet = 0
        self._phrase: list[str] = []

    def write(self, ulaw: bytes) -> None:
        """Whole frames."""
        for at in range(0, len(ulaw), 160):
            self._frame(ulaw[at])

    def _frame(self, code: int) -> None:
        self._at += 1
        self._frames = self._frames + 1 if code == self._code else 1
        self._code = code
        self._quiet = self._quiet + 1 if code == QUIET else 0
        if code != QUIET and self._frames == WORD_FRAMES:
            self._phrase.append(f"w{code}")
            self._say(InterimTranscript(" ".join(self._phrase), self._at * FRAME_S))
        elif self._quiet == PHRASE_FRAMES and self._phrase:
            end_s = (self._at - PHRASE_FRAMES) * FRAME_S
            self._say(FinalTranscript(" ".join(self._phrase), end_s))
            self._phrase = []

    def answer_probe(self) -> None:
        """Whatever was said, it was a word."""
        self._say(InterimTranscript("one", 0.5))

    def _say(self, event: RecogniserEvent) -> None:
        self._loop.call_later(self._lag_s, self.tell, event)

    def tell(self, event: RecogniserEvent) -> None:
        """Now, unless it hangs or is closed."""
        if self._sink is not None and not self.is_silent:
            self._sink(event)

    async def close(self) -> None:
        """No more events."""
        self._sink = None


class Service:
    """A recogniser of words that are numbers."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self.name = name
        self.opened = 0
        self._chance = chance
        self._error: ProviderError | None = None
        self._hang_ratio, self._slower = 0.0, 1.0
        self._streams: list[Stream] = []

    def fail(self, name: str) -> None:
        """Begin one of ``FAULTS``."""
        self._error, self._hang_ratio, self._slower, how = FAULTS[name]
        for stream in self._streams if how else []:
            if how == "break":
                stream.tell(RecogniserFailed("closed", retryable=True))
            stream.is_silent = True

    def lag_s(self) -> float:
        """Of a new stream."""
        return self._slower * LAG_S * self._chance.lognormvariate(0.0, SIGMA)

    def is_silent(self) -> bool:
        """Whether a new stream hangs."""
        return self._chance.random() < self._hang_ratio

    async def warm(self, language: str, count: int) -> None:
        """Nothing to open."""

    async def open(self, request: RecogniseRequest, sink: Sink) -> Stream:
        """See ``voice.ports.Recogniser``."""
        is_probe = request.call_id == "probe"
        self.opened += not is_probe
        await asyncio.sleep(OPEN_S)
        if self._error is not None:
            raise self._error
        stream = Stream(self, sink)
        self._streams.append(stream)
        if is_probe:
            stream.answer_probe()
        return stream

    async def aclose(self) -> None:
        """Nothing to close."""
