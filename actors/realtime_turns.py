"""What the mind is told of a call that a Realtime model hears and speaks.

Settled turns with their figures, the units that were used, and that the call still lives.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from actors.call_language import CallLanguage
from actors.call_parts import CallParts
from actors.comeback import Comeback
from actors.metrics_calls import CallMeter, CallSums
from actors.mind_client import MindClient
from actors.realtime_link import RealtimeLink
from actors.realtime_tools import ToolTasks
from actors.settled_turns import SettledTurns
from actors.turn_entries import entry_of
from actors.wire import TurnEntry
from providers.realtime.call import RealtimeCall
from voice import events as voice

CONVERSED_UNIT = "conversed_s"
SIGN_OF_LIFE_S = 60.0  # a CallActor that hears nothing for 300 s gives the call up


class RealtimeTurns:
    """The turns of one call on one media stream, as they are told.

    Args:
        parts: Shared parts of the process.
        mind: This call's mind.
        machine: Of this call; it knows what a turn has used.
        link: It knows how much the service was given to hear.
        tools: They know what a turn wants done.
        language: Hears of every turn.
        comeback: What the carrier did with the call before.

    Attributes:
        sent_samples: Audio that was sent to the caller so far; whoever sends it counts it.
    """

    def __init__(
        self,
        parts: CallParts,
        mind: MindClient,
        machine: RealtimeCall,
        link: RealtimeLink,
        tools: ToolTasks,
        language: CallLanguage,
        comeback: Comeback | None,
    ) -> None:
        self._parts = parts
        self._mind = mind
        self._machine = machine
        self._link = link
        self._tools = tools
        self._meter = CallMeter(parts.meter, mind.call_id)
        self._settled = SettledTurns(mind, language, self._meter, comeback)
        self._mind_heard_at = asyncio.get_running_loop().time()
        self.sent_samples = 0

    @property
    def comeback(self) -> Comeback | None:
        """What the carrier did with the call before, until a turn has told it."""
        return self._settled.comeback

    def pressed(self) -> None:
        """The caller has pressed a key."""
        self._meter.pressed()

    def settle(self, settled: voice.TurnSettled) -> None:
        """A turn is over; the mind has it with the next flush."""
        entry = entry_of(
            settled,
            stages={},
            asked_at=0.0,
            usage={**self._machine.usage_of(settled.turn_id), **self.units()},
            at_us=self._parts.wall_clock_us(),
            action=self._tools.action_of(settled.turn_id),
            cache={},
        )
        entry = self._mind.grants.settled(entry)  # with its tools: one of them may say a language
        self._settled.settle(settled, entry)

    def settle_given_up(self, why: str) -> None:
        """A turn without words: the record says who speaks from here on, and why."""
        turn_id = max((entry.turn_id for entry in self._mind.turn_log), default=-1) + 1
        turn_id = max(turn_id, self._machine.next_turn_id)
        at_us, why = self._parts.wall_clock_us(), f"realtime given up: {why}"
        note = TurnEntry(turn_id, "resume", outcome="dropped", reason=why, at_us=at_us)
        self._mind.settle(replace(note, usage=self.units()))

    def units(self) -> dict[str, float]:
        """Provider units of the whole call that were used since the last time."""
        heard, ran_dry = self._link.samples, self._machine.underruns
        sums = CallSums(heard, self.sent_samples, ran_dry, self._mind.replacements)
        units = self._meter.units(sums)
        heard_s = units.pop("recognised_s", 0.0)  # no recogniser heard it: tokens are the price
        return {**units, CONVERSED_UNIT: heard_s} if heard_s else units

    def tick(self, now: float) -> None:
        """Tell the mind that the call lives, when it has heard nothing for long."""
        if now - self._mind_heard_at >= SIGN_OF_LIFE_S:
            self.tell(now, even_if_empty=True)

    def tell(self, now: float, *, even_if_empty: bool = False) -> None:
        """Tell the mind what it was not told yet; nobody waits for it."""
        self._mind_heard_at = now
        self._settled.tell(even_if_empty=even_if_empty)

    def cancel(self) -> None:
        """Nothing that was to be told is under way any more: the close of the mind tells it."""
        self._settled.cancel()
