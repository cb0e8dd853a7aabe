"""A caller by text on a relayed call: says what a scene says, when it says it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from simulation.caller_turns import Utterance
from simulation.carrier import Carrier
from simulation.carrier_leg import PhoneLeg
from simulation.carrier_parts import LegReport
from simulation.carrier_stream import HangUp, Press
from simulation.playout_clock import Heard
from simulation.relay_line import RelayLine

SPEECH_S = 0.3


class TextPerson:
    """Holds the phone of a relayed call. A ``carrier_stream.Person``."""

    speaking = False

    def __init__(self) -> None:
        self.saying: Utterance | None = None
        self.heard_s = 0.0
        self._actions: list[Press | HangUp] = []

    def say(self, text: str, length_s: float = SPEECH_S) -> None:
        """Speak ``text`` from now on, all of its words being known at the end."""
        now = asyncio.get_running_loop().time()
        self.saying = Utterance("say", "", text, now, now + length_s)

    def press(self, digits: str) -> None:
        self._actions += [Press(digit) for digit in digits]

    def hang_up(self) -> None:
        self._actions.append(HangUp())

    # Person

    def stream_opened(self, *, now: float) -> None:
        """Nothing to do."""

    def stream_closed(self, heard: Sequence[Heard], *, now: float) -> None:
        """Nothing to do."""

    def playout_cleared(self, heard: Sequence[Heard], *, now: float) -> None:
        """Nothing to do."""

    def tick(
        self, due_s: float, now: float, heard: Sequence[Heard]
    ) -> tuple[str | None, Sequence[Press | HangUp]]:
        self.heard_s += sum(len(piece.audio) for piece in heard) / 8_000
        actions, self._actions = self._actions, []
        return None, actions


class RelayPhone:
    """A call on its way; use as ``async with RelayPhone(carrier) as phone``."""

    def __init__(self, carrier: Carrier) -> None:
        self.person = TextPerson()
        self.ticker = carrier.ticker
        self.leg: PhoneLeg = carrier.dial(carrier.identity("+14155550100"), self.person)
        self._run: asyncio.Task[LegReport] | None = None

    async def __aenter__(self) -> RelayPhone:
        self._run = asyncio.get_running_loop().create_task(self.leg.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._run is not None and not self._run.done():
            self.person.hang_up()
            await asyncio.wait([self._run], timeout=5.0)
            self._run.cancel()

    @property
    def line(self) -> RelayLine:
        assert self.leg.relay is not None, self.leg.report
        return self.leg.relay

    async def up(self) -> RelayLine:
        """The session that runs, once one does."""
        await until(lambda: self.leg.relay is not None)
        return self.line

    async def ended(self) -> LegReport:
        """The report of the call, once it is over."""
        assert self._run is not None
        return await asyncio.wait_for(asyncio.shield(self._run), 15.0)

    async def hang_up(self) -> LegReport:
        self.person.hang_up()
        return await self.ended()


async def until(is_so: Callable[[], bool], within_s: float = 10.0) -> None:
    """Wait for what other tasks bring about."""
    async with asyncio.timeout(within_s):
        while not is_so():
            await asyncio.sleep(0.005)
