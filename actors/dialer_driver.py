"""The dialer at work: reads the table of requests, asks the carrier, writes down what came of it.

Everything here may die at any time: see ``actors.request_marks``. The machine (``actors.dialer``)
decides; nothing awaits between an event and its outputs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, assert_never

from actors.carrier_questions import CarrierQuestions
from actors.dialer import Dialer, DialerConfig
from actors.dialer_events import (
    THROTTLED,
    CallDue,
    CallKey,
    CallTaken,
    CapacityKnown,
    Dial,
    Event,
    MarkFailed,
    MarkPlaced,
    MarkWaiting,
)
from actors.request_marks import RequestMarks, Requests
from providers.traces import trace_of
from records.edge_rows import CallRequestRow
from records.errors import RecordsError
from telephony.rest import CarrierRest, CreateCall

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
DUE_AT_ONCE = 200
DIALING_LOST_AFTER_S = 60.0
MAX_PLACED_LOOKED_AT = 1_000
JUST_ANSWERED_S = 3.0  # until the directory counts it: a replica syncs once a second or more often
HOLDS = {
    "capacity": "every line of the cluster is taken, or kept for calls that come in",
    "throttled": THROTTLED,
    "tenant": "as many calls as you may have at once are in progress",
}


@dataclass(frozen=True, slots=True)
class Room:
    """What the cluster can take.

    Attributes:
        free: Further calls.
        by_tenant: Calls in progress, or on their way, of each tenant that has any.
    """

    free: int
    by_tenant: Mapping[str, int] = field(default_factory=dict)


class DialerDriver:
    """Use ``run`` in a task.

    Args:
        requests: The table.
        carrier: Places the calls.
        new_call: What the carrier is asked for. Raises ``LocalProtocolError``.
        room: What the cluster can take now; None when nobody knows.
        wall_clock_us: UTC microseconds.
        random: A number from 0 to 1, for pauses that do not all end together.
        config: Of the machine.
    """

    def __init__(
        self,
        requests: Requests,
        carrier: CarrierRest,
        new_call: Callable[[CallRequestRow], CreateCall],
        room: Callable[[], Awaitable[Room | None]],
        wall_clock_us: Callable[[], int],
        random: Callable[[], float],
        config: DialerConfig | None = None,
    ) -> None:
        self._requests = requests
        self._marks = RequestMarks(requests, wall_clock_us)
        self._carrier = CarrierQuestions(carrier, new_call, random)
        self._room = room
        self._full: set[str] = set()  # tenants
        self._wall_clock_us = wall_clock_us
        config = config or DialerConfig()
        self._dialer = Dialer(config)
        self._tenant_room = config.tenant_room
        self._asking: set[CallKey] = set()  # of the carrier, or not written down yet
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._look_at = 0.0
        self._held: tuple[str, CallKey | None] = ("", None)
        self.trouble = ""

    @property
    def status(self) -> dict[str, Any]:
        """For people: who waits, why, and what is wrong with the table."""
        return {
            "waiting": self._dialer.waiting,
            "in_flight": self._dialer.in_flight,
            "held_up_by": self._held[0],
            "trouble": self.trouble,
        }

    def nudge(self) -> None:
        """There is something to do: look at once."""
        self._look_at = 0.0
        self._wake.set()

    async def run(self) -> None:
        """Dial until cancelled."""
        now = _now()
        while True:
            if now >= self._look_at:
                self._look_at = now + LOOK_EVERY_S
                await self._try_to_look()
            now = await self._until_due()
            self._dialer.handle_deadline(now=now)
            self._perform()

    async def look(self) -> None:
        """Read the table and the capacity once, and dial what may be dialled.

        Raises:
            RecordsError: The table cannot be read; nothing more is dialled.
        """
        await self._marks.give_up_lost(DIALING_LOST_AFTER_S, self._asking)
        now_us = self._wall_clock_us()
        # Those of a tenant that has no room must not stand before all others; one tells them why.
        due = await self._requests.due(now_us, DUE_AT_ONCE, self._full)
        if not due and self._full:
            due = await self._requests.due(now_us, 1)
        # Who is due is not dialled by what was free before it was.
        self._feed(await self._capacity({row.tenant_id for row in due} | self._full))
        for row in due:
            key = (row.tenant_id, row.call_id)
            if key not in self._asking:
                self._feed(CallDue(key, row.attempts))
        await self._say_what_holds(due)

    async def settle(self) -> None:
        """Wait for the questions that are open, and until their answers are written down."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def aclose(self, within_s: float = 2.0) -> None:
        """Let open questions end; what is not answered by then stays ``dialing``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.settle()
        for task in list(self._tasks):
            task.cancel()

    # --- rounds ----------------------------------------------------------------------------------

    async def _until_due(self) -> float:
        """Wait for the next deadline or for news; returns loop time, not before that deadline."""
        self._wake.clear()
        deadlines = [self._look_at, self._dialer.next_deadline()]
        due_at, now = min(at for at in deadlines if at is not None), _now()
        if due_at <= now:
            return now
        try:
            await asyncio.wait_for(self._wake.wait(), due_at - now)
        except TimeoutError:
            return max(due_at, _now())  # timers end a little early
        return _now()

    async def _try_to_look(self) -> None:
        try:
            await self.look()
        except RecordsError as error:
            if str(error) != self.trouble:
                logger.warning("nothing is dialled: %s", error)
            self.trouble = str(error)
        except Exception as error:  # noqa: BLE001 - the next round tries again
            logger.error("a round of the dialer failed: %s", trace_of(error))
        else:
            self.trouble = ""

    async def _capacity(self, tenants: Collection[str]) -> CapacityKnown:
        """Free slots less those that calls on their way will take when they are answered.

        Read in the order in which a call goes (asked for, rings, was just answered, has a slot):
        one that goes on meanwhile may be counted twice, but is not overlooked. Who was just
        answered is: the directory hears of a slot that was spent with the next sync of the replica.
        Of the tenants likewise.
        """
        on_their_way = set(self._asking)
        ringing = await self._requests.list(None, ("placed",), MAX_PLACED_LOOKED_AT)
        since_us = self._wall_clock_us() - round(JUST_ANSWERED_S * 1e6)
        ringing += await self._requests.changed_since("answered", since_us, MAX_PLACED_LOOKED_AT)
        room = await self._room()
        if room is None:
            return CapacityKnown(0)
        on_their_way |= self._asking | {(row.tenant_id, row.call_id) for row in ringing}
        free = room.free - (len(on_their_way) - self._dialer.in_flight)
        coming = Counter(tenant for tenant, _ in on_their_way)
        known = {}
        for tenant in {*tenants, *self._dialer.tenants}:
            left = self._tenant_room(tenant, room.by_tenant.get(tenant, 0) + coming[tenant])
            if left is not None:
                known[tenant] = left
        self._full = {tenant for tenant, left in known.items() if left <= 0}
        return CapacityKnown(free, known)

    async def _say_what_holds(self, due: list[CallRequestRow]) -> None:
        """Keep with the first in line, and in the log, why it waits."""
        why = self._dialer.held_up_by(_now())
        first = (due[0].tenant_id, due[0].call_id) if due else None
        if (why, first) == self._held:
            return
        if why in HOLDS and why != self._held[0]:
            logger.info("calls wait to be dialled: %s", HOLDS[why])
        if why in HOLDS and first is not None:
            await self._marks.explain(first, HOLDS[why])
        self._held = (why, first)

    # --- the machine -----------------------------------------------------------------------------

    def _feed(self, event: Event) -> None:
        self._dialer.receive(event, now=_now())
        self._perform()
        self._wake.set()

    def _perform(self) -> None:
        while (output := self._dialer.next_output()) is not None:
            match output:
                case Dial(key=key):
                    self._asking.add(key)
                    self._begin(self._dial(key, output.attempt))
                case MarkPlaced(key=key, call_sid=call_sid):
                    self._begin(self._placed(key, call_sid))
                case MarkWaiting(key=key):
                    mark = self._marks.waits(key, output.delay_s, output.attempts, output.why)
                    self._begin(self._written(key, mark))
                case MarkFailed(key=key):
                    logger.warning("call %s failed: %s", key[1], output.why)
                    mark = self._marks.failed(key, output.code, output.why)
                    self._begin(self._written(key, mark))
                case _:
                    assert_never(output)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _dial(self, key: CallKey, attempt: int) -> None:
        """Claim the request, ask the carrier, tell the machine."""
        try:
            row = await self._marks.claim(key, attempt)
        except Exception as error:  # noqa: BLE001 - the next round tries again
            logger.error("call %s could not be claimed: %s", key[1], trace_of(error))
            row = None
        if row is None:
            self._asking.discard(key)
            self._feed(CallTaken(key))
        else:
            self._feed(await self._carrier.place(row))

    async def _placed(self, key: CallKey, call_sid: str) -> None:
        is_unwanted = await self._marks.placed(key, call_sid)
        self._asking.discard(key)
        if is_unwanted:
            await self._carrier.hang_up(key[1], call_sid)

    async def _written(self, key: CallKey, mark: Coroutine[Any, Any, None]) -> None:
        await mark
        self._asking.discard(key)


def _now() -> float:
    return asyncio.get_running_loop().time()
