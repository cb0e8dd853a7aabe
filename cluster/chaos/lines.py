"""Lines on which callers call, one call after the other, until they are told to stop.

The same seed gives the same callers, who say the same in the same order; how many calls there are
depends on how quickly they are answered. The first call of a line is of any length up to a whole
one, or all lines would call again at the same time, as no callers do.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Protocol

from cluster.chaos.plan import CLIPS, ChaosPlan
from cluster.chaos.stage import PUBLIC_URL
from simulation.caller_call import CallOrder, CallResult, place_call
from simulation.caller_events import AgentHeard, CallerEvent, CallerSaid
from simulation.caller_script import Leave, Listen, Speak, Step, prepare
from simulation.carrier import Carrier, CarrierConfig
from simulation.carrier_ticker import Lateness
from simulation.clip_library import load_library

# Longer than the pause after which the agent says again that it takes a moment.
PATIENCE_S = 2.0
GIVE_UP_S = 12.0
LONGEST_CALL_S = 180.0
# So that the last of those who speak at the same moment is not late for the sake of the first.
SLOTS = 10


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """One call, once it is over.

    Attributes:
        placed_at: When it was placed, seconds of UTC.
        result: What its caller measured, with both channels.
    """

    placed_at: float
    result: CallResult


class Called(Protocol):
    """A running product, as callers see it."""

    @property
    def url(self) -> str:
        """Where it listens."""

    @property
    def auth_token(self) -> str:
        """Signs what the carrier sends."""


@dataclass(slots=True)
class _Talk:
    """What one caller says at the moment; loop times."""

    placed_s: float
    clip: str = ""
    began_s: float = 0.0
    ends_s: float = 0.0
    agent_is_heard: bool = False
    is_answered: bool = True

    def moment(self, now: float) -> str:
        """What the agent of this call does for it now; empty between two turns."""
        if now < self.ends_s:
            return "listening"
        if self.agent_is_heard:
            return "speaking"
        return "" if self.is_answered else "thinking"


class Lines:
    """Callers of one run; use as ``async with``.

    The carrier has ids that no other one has: the product knows an old one again.

    Args:
        stage: Whom they call.
        plan: How many, and what they say.
        carrier: Whose calls they are; one of its own when None.

    Attributes:
        over: Calls that have ended.
    """

    def __init__(self, stage: Called, plan: ChaosPlan, carrier: Carrier | None = None) -> None:
        self.over: list[PlacedCall] = []
        self._plan = plan
        library = load_library()
        self._clips = {name: library.clip(name) for name in CLIPS}
        self._prepared = {name: prepare(clip) for name, clip in self._clips.items()}
        self._carrier = carrier or Carrier(
            CarrierConfig(stage.url, stage.auth_token, public_url=PUBLIC_URL, slots=SLOTS),
            seed=secrets.randbits(64),
        )
        self._stopping = False
        self._placed = 0
        self._talks: dict[int, _Talk] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Lines:
        await self._carrier.__aenter__()
        loop = asyncio.get_running_loop()
        for number in range(self._plan.calls):
            self._tasks.append(loop.create_task(self._line(number)))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._carrier.__aexit__(None, None, None)

    def lateness(self) -> Lateness:
        """How late the callers' own frames were since this was asked last."""
        ticker = self._carrier.ticker
        found, ticker.lateness = ticker.lateness, Lateness()
        return found

    async def stop(self) -> None:
        """Let every caller finish what is being said; returns when all have hung up."""
        self._stopping = True
        await asyncio.gather(*self._tasks)

    def moments(self) -> Counter[str]:
        """How many calls are at which moment: ``listening``, ``thinking``, ``speaking`` or none."""
        now = asyncio.get_running_loop().time()
        return Counter(talk.moment(now) for talk in self._talks.values())

    def in_mid_word(self) -> int:
        """How many callers are in the middle of a word at this moment."""
        now = asyncio.get_running_loop().time()
        return sum(self._is_in_word(talk, now) for talk in self._talks.values())

    def _is_in_word(self, talk: _Talk, now: float) -> bool:
        if not talk.clip:
            return False
        at_s = now - talk.began_s + self._prepared[talk.clip].speech_start_s
        words = self._clips[talk.clip].words
        return any(word.start_s < at_s < word.end_s for word in words)

    async def _line(self, number: int) -> None:
        await asyncio.sleep(self._plan.ramp_s * number / self._plan.calls)
        loop = asyncio.get_running_loop()
        calls = 0
        while not self._stopping:
            call, self._placed = self._placed, self._placed + 1
            random = Random(f"{self._plan.seed}/{number}/{calls}")
            calls += 1
            self._talks[call] = _Talk(loop.time())
            placed_at = time.time()
            order = CallOrder(
                script=self._script(random, is_first=calls == 1),
                call=call,
                max_duration_s=LONGEST_CALL_S,
                record=True,
            )
            result = await place_call(self._carrier, order, self._told)
            del self._talks[call]
            self.over.append(PlacedCall(placed_at, result))
            if not result.leg.admitted:
                await asyncio.sleep(1.0)  # one that is turned away does not try in a tight loop

    def _script(self, random: Random, *, is_first: bool) -> Iterator[Step]:
        """A whole call; the first of a line may begin in the middle, as if it had run before."""
        clips = random.sample(list(self._prepared.values()), self._plan.turns)
        for clip in clips[random.randrange(self._plan.turns) if is_first else 0 :]:
            yield Listen(PATIENCE_S, GIVE_UP_S)
            if self._stopping:
                break
            yield Speak(clip)
        yield Listen(PATIENCE_S, GIVE_UP_S)
        yield Leave()

    def _told(self, event: CallerEvent) -> None:
        talk = self._talks.get(event.call)
        if talk is None:
            return
        if isinstance(event, CallerSaid):
            talk.clip, talk.began_s = event.clip, talk.placed_s + event.at_s
            talk.ends_s, talk.is_answered = talk.placed_s + event.ends_at_s, False
        elif isinstance(event, AgentHeard):
            talk.agent_is_heard = event.started
            talk.is_answered = talk.is_answered or event.started
