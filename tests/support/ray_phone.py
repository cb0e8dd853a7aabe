"""Telephones for the Ray suite: scripted calls through the simulated carrier, watched live."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

from simulation.callee import Phones
from simulation.caller_call import CallOrder, CallResult, place_call
from simulation.caller_events import AgentHeard, CallEnded, CallerEvent, CallerSaid
from simulation.caller_script import Leave, Listen, Speak, StaySilent, Step, prepare
from simulation.carrier import Carrier, CarrierConfig
from simulation.clip_library import load_library
from tests.support.ray_stage import AUTH_TOKEN, Stage

WITHIN_S = 30.0
_SEEDS = count(1)
logger = logging.getLogger(__name__)


def note(*facts: object) -> None:
    """Show measured facts with ``--log-cli-level=INFO``."""
    logger.info("%s", " ".join(str(fact) for fact in facts))


def conversation(
    *clips: str, pause_s: float = 0.4, may_go_on: Callable[[int], bool] = lambda _turn: True
) -> Iterator[Step]:
    """Hear the greeting, say each clip and hear its answer, hang up.

    Args:
        clips: Of the library.
        pause_s: How long the agent has to be silent before the caller speaks.
        may_go_on: Asked before each turn, by its number from 1 on, and before hanging up: what a
            test does with the cluster in between takes as long as the machine is busy.
    """
    library = load_library()
    for turn in range(1, len(clips) + 2):
        yield Listen(until_silence_s=pause_s)
        while not may_go_on(turn):
            yield StaySilent(0.1)
        yield Leave() if turn > len(clips) else Speak(prepare(library.clip(clips[turn - 1])))


@dataclass
class LiveCall:
    """A call that is going on.

    Attributes:
        events: What has happened so far.
        task: Ends with the call.
    """

    events: list[CallerEvent] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[CallResult] | None = None

    def note(self, event: CallerEvent) -> None:
        """Told by the caller."""
        self.events.append(event)
        self.news.set()

    async def seen(self, fits: Callable[[CallerEvent], bool], times: int = 1) -> CallerEvent:
        """The event number ``times`` that fits, as soon as it has happened.

        Raises:
            AssertionError: The call is over before; says what the carrier has seen of it.
        """
        async with asyncio.timeout(WITHIN_S):
            while True:
                found = [event for event in self.events if fits(event)]
                if len(found) >= times:
                    return found[times - 1]
                if any(isinstance(event, CallEnded) for event in self.events):
                    raise AssertionError(f"the call is over: {(await self.result()).leg}")
                self.news.clear()
                await self.news.wait()

    async def agent_heard(self, times: int = 1) -> None:
        """Until the agent has become audible so often (the greeting is the first)."""
        await self.seen(lambda e: isinstance(e, AgentHeard) and e.started, times)

    async def caller_said(self, times: int = 1) -> None:
        """Until the caller has begun to speak so often."""
        await self.seen(lambda e: isinstance(e, CallerSaid), times)

    async def result(self) -> CallResult:
        """Wait for the end of the call."""
        if self.task is None:
            raise RuntimeError("the call was not placed")
        return await asyncio.wait_for(self.task, 60)


class Telephones:
    """Places calls to the stage."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self._calls = 0

    def call(self, *clips: str, pause_s: float = 0.4) -> LiveCall:
        """Place a call that says these clips."""
        return self.play(conversation(*clips, pause_s=pause_s))

    def play(self, script: Iterator[Step]) -> LiveCall:
        """Place a call that does this."""
        live = LiveCall()
        order = CallOrder(script, call=self._calls)
        self._calls += 1
        live.task = asyncio.get_running_loop().create_task(
            place_call(self.carrier, order, live.note)
        )
        return live


@asynccontextmanager
async def telephones(stage: Stage, phones: Phones | None = None) -> AsyncIterator[Telephones]:
    """A carrier that signs with the stage's token; its call ids are its own.

    ``phones`` are whom it can ring.
    """
    config = CarrierConfig(stage.premises.url, AUTH_TOKEN)
    async with Carrier(config, seed=next(_SEEDS), phones=phones) as carrier:
        yield Telephones(carrier)
