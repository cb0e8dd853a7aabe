"""Failing recognisers, in virtual time: ``python -m benchmarks.failover_ears``.

Forty calls, eight workers of them on one virtual clock, each with the product's own ears,
listening, replay ring, reporter and keeper. Callers say seven words, pause, and say seven others.
The first of two recognisers is broken for a minute. Words travel in the audio itself (each frame
holds the number of its word), so a recogniser knows exactly those that it was sent whole. Beside
the product stands what is often done by hand: after ten seconds of silence, or an error, the next
recogniser is sent what the caller says from then on; each call finds out for itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Protocol

from actors.provider_health_driver import HealthDriver
from actors.provider_health_reporter import HealthReporter
from actors.recogniser_feed import RecogniserFeed
from benchmarks.failover import WORKERS, Silent, Wire
from dialogue.agent import Agent
from providers.errors import ProviderBusy, ProviderError, ProviderUnavailable
from providers.failover.ears import Ears
from providers.health.local import LocalHealth
from providers.health.view import HealthView
from tests.support import virtual_time
from voice import events as voice
from voice.ports import (
    FinalTranscript,
    InterimTranscript,
    RecogniseRequest,
    RecogniserEvent,
    RecogniserFailed,
)

CALLS, UTTERANCES, WORDS = 40, 4, 7
WARM_S, FAULT_S = 20.0, 60.0
WORD_FRAMES, PAUSE_FRAMES, FRAME_S = 15, 150, 0.02
QUIET = 255
PHRASE_FRAMES = 15  # of quiet, after which a phrase is finished
OPEN_S, LAG_S, SIGMA = 0.08, 0.15, 0.3
GIVEN_UP_S = 10.0
AGENT = Agent("default", "a", "1", "en-US", "You listen.", "", "v")
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


class Feed(Protocol):
    """The ears of one call."""

    def start(self) -> None:
        """Begin."""

    def write(self, ulaw: bytes) -> None:
        """A frame of the caller."""

    def scored(self, *, is_speech: bool, now: float) -> None:
        """It is speech, or not."""

    async def close(self) -> None:
        """End."""


class OneAfterAnother:
    """What is often written by hand; see the top of this file."""

    def __init__(self, services: list[Service], feed: Callable[[voice.Input], None]) -> None:
        self._services = services
        self._feed = feed
        self._loop = asyncio.get_running_loop()
        self._at = 0
        self._stream: Stream | None = None
        self._task: asyncio.Task[None] | None = None
        self._spoke_at: float | None = None

    def start(self) -> None:
        """See ``Feed``."""
        self._task = self._loop.create_task(self._open())

    async def _open(self) -> None:
        for _ in self._services:
            try:
                self._stream = await self._services[self._at].open(
                    RecogniseRequest("call", "en-US"), self._take
                )
            except ProviderError:
                self._at = (self._at + 1) % len(self._services)
            else:
                return

    def _take(self, event: RecogniserEvent) -> None:
        self._spoke_at = None
        match event:
            case InterimTranscript(text, end_s):
                self._feed(voice.InterimHeard(text, end_s))
            case FinalTranscript(text, end_s):
                self._feed(voice.FinalHeard(text, end_s))
            case _:
                self._leave()

    def _leave(self) -> None:
        self._at = (self._at + 1) % len(self._services)
        self._stream, self._spoke_at = None, None
        self.start()

    def write(self, ulaw: bytes) -> None:
        """See ``Feed``."""
        if self._stream is not None:
            self._stream.write(ulaw)

    def scored(self, *, is_speech: bool, now: float) -> None:
        """See ``Feed``."""
        if is_speech and self._spoke_at is None:
            self._spoke_at = now
        if self._spoke_at is not None and now - self._spoke_at >= GIVEN_UP_S:
            self._leave()

    async def close(self) -> None:
        """See ``Feed``."""
        if self._task is not None:
            self._task.cancel()
        if self._stream is not None:
            await self._stream.close()


@dataclass
class Figures:
    """What became of what callers said in the time of the fault.

    Attributes:
        waits: From the end of an utterance to its last word, seconds; ``inf`` for never.
        said: Words.
        lost: Of them, never heard.
        twice: Finished phrases had them again.
        extra_ratio: Streams beyond one for each call.
    """

    waits: list[float] = field(default_factory=list)
    said: int = 0
    lost: int = 0
    twice: int = 0
    extra_ratio: float = 0.0

    def quantile_s(self, share: float) -> float:
        """Of the waits."""
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


Policy = Callable[[list[Service], Ears, str, Callable[[voice.Input], None]], Feed]


def ours(
    _services: list[Service], ears: Ears, call_id: str, feed: Callable[[voice.Input], None]
) -> Feed:
    """The product's."""
    return RecogniserFeed(ears, AGENT, call_id, feed, on_lost=lambda reason: None)


def ten_seconds(
    services: list[Service], _ears: Ears, _call_id: str, feed: Callable[[voice.Input], None]
) -> Feed:
    """What is often written by hand."""
    return OneAfterAnother(services, feed)


POLICIES: dict[str, Policy] = {"this product": ours, "10 s, then the next": ten_seconds}


class Caller:
    """One call: what was said, and what of it was heard."""

    def __init__(self, figures: Figures, window: tuple[float, float]) -> None:
        self._figures = figures
        self._window = window
        self._loop = asyncio.get_running_loop()
        self._heard_at: dict[str, float] = {}
        self._finals: list[str] = []

    def take(self, event: voice.Input) -> None:
        """Words came."""
        if isinstance(event, voice.InterimHeard | voice.FinalHeard):
            for word in event.text.split():
                self._heard_at.setdefault(word, self._loop.time())
            if isinstance(event, voice.FinalHeard):
                self._finals += event.text.split()

    async def talk(self, feed: Feed) -> None:
        """A whole call."""
        feed.start()
        spoken: list[tuple[float, list[str]]] = []
        await self._frames(feed, QUIET, PAUSE_FRAMES // 3)
        for utterance in range(UTTERANCES):
            codes = range(1 + utterance * WORDS, 1 + (utterance + 1) * WORDS)
            for code in codes:
                await self._frames(feed, code, WORD_FRAMES)
            spoken.append((self._loop.time(), [f"w{code}" for code in codes]))
            await self._frames(feed, QUIET, PAUSE_FRAMES)
        await feed.close()
        begin, end = self._window
        for ended_at, words in spoken:
            if begin <= ended_at < end:
                self._count(ended_at, words)

    def _count(self, ended_at: float, words: list[str]) -> None:
        figures = self._figures
        figures.said += len(words)
        figures.lost += sum(word not in self._heard_at for word in words)
        figures.twice += sum(max(0, self._finals.count(word) - 1) for word in words)
        figures.waits.append(max(0.0, self._heard_at.get(words[-1], math.inf) - ended_at))

    async def _frames(self, feed: Feed, code: int, count: int) -> None:
        for _ in range(count):
            await asyncio.sleep(FRAME_S)
            feed.write(bytes([code]) * 160)
            feed.scored(is_speech=code != QUIET, now=self._loop.time())


@contextlib.asynccontextmanager
async def workers(
    services: list[Service], chance: random.Random, count: int
) -> AsyncIterator[list[Ears]]:
    """The ears of every process, and the keeper behind them."""
    loop = asyncio.get_running_loop()
    driver = HealthDriver(loop.time, 1, chance.random)
    found, reporters = [], []
    for number in range(count):
        view = HealthView(LocalHealth(f"w{number}", chance.random), loop.time)
        found.append(Ears(services, view, Silent(), chance.random))
        reporters.append(HealthReporter(f"w{number}", view, Wire(driver), chance.random))
        reporters[-1].start()
    try:
        yield found
    finally:
        for reporter in reporters:
            await reporter.aclose()


async def run(
    policy: Policy,
    fault: str,
    seed: int,
    *,
    lines: int = CALLS,
    processes: int = WORKERS,
    warm_s: float = WARM_S,
    fault_s: float = FAULT_S,
) -> Figures:
    """One cluster, one fault; ``lines`` calls at once."""
    chance, loop = random.Random(seed), asyncio.get_running_loop()
    services = [Service(name, chance) for name in ("a", "b")]
    figures, calls = Figures(), 0
    begin = loop.time() + warm_s
    window = (begin, begin + fault_s)
    async with workers(services, chance, processes) as ears:

        async def line(number: int) -> None:
            nonlocal calls
            await asyncio.sleep(chance.uniform(0.0, warm_s))
            while loop.time() < window[1]:
                calls += 1
                caller = Caller(figures, window)
                feed = policy(services, ears[number % processes], f"{number}-{calls}", caller.take)
                await caller.talk(feed)

        talking = [loop.create_task(line(number)) for number in range(lines)]
        await asyncio.sleep(warm_s)
        services[0].fail(fault)
        await asyncio.gather(*talking)
    figures.extra_ratio = sum(service.opened for service in services) / calls - 1
    return figures


def main() -> None:
    """Print the table."""
    logging.disable(logging.WARNING)
    print(
        "| policy | fault of the first | p50 | p95 | p99 | never | lost | twice | extra streams |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for policy_name, policy in POLICIES.items():
        for fault in FAULTS:
            found = virtual_time.run(run(policy, fault, seed=1))
            waits = [found.quantile_s(share) for share in (0.5, 0.95, 0.99)]
            numbers = ["never" if math.isinf(wait) else f"{1_000 * wait:,.0f}" for wait in waits]
            never = f"{sum(map(math.isinf, found.waits))} of {len(found.waits)}"
            cells = [policy_name, fault, *numbers, never, f"{found.lost} of {found.said}"]
            cells += [str(found.twice), f"{100 * found.extra_ratio:.1f} %"]
            print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
