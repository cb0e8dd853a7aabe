"""Failing recognisers, in virtual time: ``python -m benchmarks.failover_ears``.

Forty calls, eight workers of them on one virtual clock, each with the product's own ears,
listening, replay ring, reporter and keeper. Callers say seven words, pause, and say seven others.
The first of two recognisers is broken for a minute. Words travel in the audio itself (each frame
holds the number of its word), so a recogniser knows exactly those that it was sent whole. Beside
the product stands what is often done by hand: after ten seconds of silence, or an error, the next
recogniser is sent what the caller says from then on; each call finds out for itself.

A second table is of a small installation, two processes and twenty calls, broken for 42 s: of ten
runs the mean and the most of the streams that were opened in that time beyond the one that each of
its calls begins with.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
import statistics
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Protocol

from actors.provider_health_driver import HealthDriver
from actors.provider_health_reporter import HealthReporter
from actors.recogniser_feed import RecogniserFeed
from benchmarks.failover import WORKERS, Silent, Wire
from benchmarks.failover_recognisers import FAULTS, FRAME_S, QUIET, WORD_FRAMES, Service, Stream
from dialogue.agent import Agent
from providers.errors import ProviderError
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
)

CALLS, UTTERANCES, WORDS = 40, 4, 7
WARM_S, FAULT_S = 20.0, 60.0
PAUSE_FRAMES = 150
FEW_CALLS, FEW_WORKERS, FEW_FAULT_S, FEW_RUNS = 20, 2, 42.0, 10
GIVEN_UP_S = 10.0
AGENT = Agent("default", "a", "1", "en-US", "You listen.", "", "v")


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
        broken_extra_ratio: The same, of the calls and streams in the time of the fault.
        calls: Who said something in that time.
    """

    waits: list[float] = field(default_factory=list)
    said: int = 0
    lost: int = 0
    twice: int = 0
    extra_ratio: float = 0.0
    broken_extra_ratio: float = 0.0
    calls: set[str] = field(default_factory=set)

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

    def __init__(self, figures: Figures, window: tuple[float, float], call_id: str = "") -> None:
        self._figures = figures
        self._call_id = call_id
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
                self._figures.calls.add(self._call_id)
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
                call_id = f"{number}-{calls}"
                caller = Caller(figures, window, call_id)
                feed = policy(services, ears[number % processes], call_id, caller.take)
                await caller.talk(feed)

        talking = [loop.create_task(line(number)) for number in range(lines)]
        await asyncio.sleep(warm_s)
        opened_before, calls_before = sum(each.opened for each in services), calls
        services[0].fail(fault)
        await asyncio.gather(*talking)
    opened = sum(service.opened for service in services)
    figures.extra_ratio = opened / calls - 1
    extra = opened - opened_before - (calls - calls_before)
    figures.broken_extra_ratio = extra / max(1, len(figures.calls))
    return figures


def show_few() -> None:
    """Print what faults cost a small installation."""
    print("\n| fault of the first | p99 | worst | never | extra streams, mean | most |")
    print("|---" * 6 + "|")
    for fault in FAULTS:
        runs = [
            virtual_time.run(
                run(
                    ours,
                    fault,
                    seed,
                    lines=FEW_CALLS,
                    processes=FEW_WORKERS,
                    fault_s=FEW_FAULT_S,
                )
            )
            for seed in range(1, FEW_RUNS + 1)
        ]
        waits = sorted(wait for found in runs for wait in found.waits)
        p99_s = waits[math.ceil(0.99 * len(waits)) - 1]
        never = f"{sum(map(math.isinf, waits))} of {len(waits)}"
        extra = [100 * found.broken_extra_ratio for found in runs]
        cells = [fault, f"{1_000 * p99_s:,.0f}", f"{1_000 * waits[-1]:,.0f}", never]
        cells += [f"{statistics.mean(extra):.1f} %", f"{max(extra):.1f} %"]
        print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Print the tables."""
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
    show_few()


if __name__ == "__main__":
    main()
