"""A ``<Dial>``: other phones are rung, and the first that answers is connected to the call.

Rules
- All numbers ring at once and the first to answer wins, the others being canceled; or one after the
  other, each for its own ``timeout``.
- Every dialled phone is a call of its own, a child of the call that dials.
- The two talk until one of them hangs up, REST ends one of them, or the time limit is reached. When
  it was the dialled one, the call goes on.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from simulation.carrier_bridge import Bridge
from simulation.carrier_callbacks import Callbacks, states_of
from simulation.carrier_parts import LegParts, LegReport
from simulation.carrier_record import CallRecord
from simulation.carrier_recording import LegRecording, RecordingOrder
from simulation.carrier_ring import press, ring, wait_unless
from simulation.carrier_stream import Person
from simulation.carrier_webhooks import CallIdentity, Form, new_sid
from simulation.twiml_verbs import Dial, Number

# The worse the news, the later: of several phones the first of these counts.
_NEWS = ("no-answer", "busy", "canceled", "failed")


@dataclass(frozen=True, slots=True)
class DialEnd:
    """What became of a ``<Dial>``.

    Attributes:
        status: ``completed``, ``busy``, ``no-answer``, ``failed`` or ``canceled``.
        call_sid: The dialled call; of several, the one that counts. Empty when there was none.
        duration_s: How long the two were connected; None when they were not.
    """

    status: str
    call_sid: str = ""
    duration_s: float | None = None

    def fields(self) -> Form:
        """What the request to ``action`` says of it."""
        fields = [("DialCallStatus", self.status)]
        if self.call_sid:
            fields.append(("DialCallSid", self.call_sid))
        if self.duration_s is not None:
            fields.append(("DialCallDuration", str(round(self.duration_s))))
        return (*fields, ("DialBridged", "false" if self.duration_s is None else "true"))


class DialledCall:
    """A child call: rung, answered, over. A ``carrier_record.LiveCall``.

    Args:
        parts: Shared by all calls.
        identity: Who is rung, and for which call.
        noun: How.
    """

    def __init__(self, parts: LegParts, identity: CallIdentity, noun: Number) -> None:
        self.record = CallRecord(identity)
        self.report = LegReport(identity.call_sid)
        self.callee = parts.phones.find(noun.number)
        self.off = asyncio.Event()
        self._parts = parts
        self._noun = noun
        self._callbacks = Callbacks(
            parts.webhooks,
            identity,
            parts.random,
            noun.status_callback,
            states_of(noun.status_events),
            noun.status_callback_method,
        )

    async def ring(self, timeout_s: float) -> str:
        """Ring; see ``carrier_ring.ring``. A call that is not answered is over then."""
        outcome = await ring(self.callee, timeout_s, self.off, self._reach)
        if outcome != "answers":
            self.end(outcome)
        return outcome

    async def answer(self, now: float) -> Person:
        """It was answered, and is the one that is wanted."""
        person = self._parts.phones.pick_up(self.callee, self.record.identity.call_sid, now)
        self._reach("in-progress")
        self.report.keys += await press(self._noun.send_digits, self.off)
        return person

    def end(self, status: str) -> None:
        """It is over."""
        if not self.record.is_over:
            self.off.set()
            self._reach(status)

    async def delivered(self) -> None:
        """Wait until every call-back has been taken or refused."""
        await self._callbacks.delivered()

    # LiveCall

    def facts(self) -> dict[str, object]:
        """See ``LiveCall``."""
        return {"keys": self.report.keys}

    def update(self, twiml: bytes) -> bool:
        """A child does as its parent's document says: not in progress, as far as REST goes."""
        return False

    def redirect(self, url: str, method: str) -> bool:
        """As ``update``."""
        return False

    def hang_up(self) -> bool:
        """See ``LiveCall``."""
        if self.record.is_over:
            return False
        self.off.set()
        return True

    def record_sound(self, order: RecordingOrder) -> LegRecording | None:
        """Recordings are made of the call that dials."""
        return None

    def _reach(self, status: str) -> None:
        self.record.change(status)
        self.report.status = status
        self._callbacks.call_status(status, self.record.duration_s or 0.0)


class DialRun:
    """One ``<Dial>`` of a call.

    Args:
        parts: Shared by all calls.
        parent: The call that dials.
        dial: The TwiML.
        bridge: Holds the caller's phone.
    """

    def __init__(self, parts: LegParts, parent: CallIdentity, dial: Dial, bridge: Bridge) -> None:
        self._parts = parts
        self._dial = dial
        self._bridge = bridge
        self._loop = asyncio.get_running_loop()
        self._off = False
        self._talking: DialledCall | None = None
        self._calls = [DialledCall(parts, _child(parts, parent, dial, n), n) for n in dial.numbers]
        for call in self._calls:
            parts.log.add(call)

    async def run(self) -> DialEnd:
        """Ring, connect, and wait for the end."""
        try:
            if self._dial.is_sequential:
                winner = await self._ring_in_turn()
            else:
                winner = await self._ring_all()
            return await self._talk(winner) if winner else self._nobody()
        finally:
            for call in self._calls:
                call.end("canceled")
            await asyncio.gather(*(call.delivered() for call in self._calls))

    def break_off(self) -> None:
        """The call that dials was updated, or is over."""
        self._off = True
        for call in self._calls:
            call.hang_up()

    def far_left(self) -> None:
        """The dialled phone has hung up."""
        if self._talking is not None:
            self._talking.off.set()

    def far_key(self, digit: str) -> None:
        """The dialled phone hears a key."""
        if self._talking is not None:
            self._talking.report.keys += digit

    async def _ring_in_turn(self) -> DialledCall | None:
        for call in self._calls:
            if self._off:
                break
            if await call.ring(self._dial.timeout_s) == "answers":
                return call
        return None

    async def _ring_all(self) -> DialledCall | None:
        rings = {
            self._loop.create_task(call.ring(self._dial.timeout_s)): call for call in self._calls
        }
        waiting = set(rings)
        winner: DialledCall | None = None
        while waiting and winner is None:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            # In the document's order, should two answer in the same moment.
            winner = next(
                (
                    call
                    for task, call in rings.items()
                    if task in done and task.result() == "answers"
                ),
                None,
            )
        for call in self._calls:
            if call is not winner:
                call.end("canceled")
        if waiting:
            await asyncio.wait(waiting)
        return winner

    async def _talk(self, call: DialledCall) -> DialEnd:
        person = await call.answer(self._loop.time())
        since_s = self._loop.time()
        self._talking = call
        self._bridge.join(person, now=since_s)
        await wait_unless(call.off, self._dial.time_limit_s)
        now = self._loop.time()
        self._bridge.part(now=now)
        self._talking = None
        call.end("completed")
        return DialEnd("completed", call.record.identity.call_sid, now - since_s)

    def _nobody(self) -> DialEnd:
        tried = [call for call in self._calls if call.record.is_over]
        if not tried:
            return DialEnd("failed")
        if self._dial.is_sequential:
            last = tried[-1]
        else:
            last = min(tried, key=lambda call: _NEWS.index(call.record.status))
        return DialEnd(last.record.status, last.record.identity.call_sid)


def _child(parts: LegParts, parent: CallIdentity, dial: Dial, noun: Number) -> CallIdentity:
    return CallIdentity(
        account_sid=parent.account_sid,
        call_sid=new_sid("CA", parts.random),
        from_number=dial.caller_id or parent.from_number,
        to_number=noun.number,
        direction="outbound-dial",
        parent_call_sid=parent.call_sid,
    )
