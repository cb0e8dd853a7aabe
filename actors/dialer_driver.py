"""The dialer at work: reads the table of requests, asks the carrier, writes down what came of it.

The table is the truth. Everything here may die at any time: a request is marked ``dialing`` before
the carrier is asked, and one that stays so without a word is never dialled again, but given up with
an unknown outcome. The machine (``actors.dialer``) decides; nothing awaits between an event and its
outputs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Protocol, assert_never

from actors.dialer import (
    OUTCOME_UNKNOWN,
    CallAccepted,
    CallDue,
    CallKey,
    CallRefused,
    CallTaken,
    CapacityKnown,
    CarrierWasAway,
    CarrierWasBusy,
    Dial,
    Dialer,
    DialerConfig,
    Event,
    MarkFailed,
    MarkPlaced,
    MarkWaiting,
)
from records.edge_rows import CallRequestRow
from records.errors import RecordsError
from telephony.errors import (
    CarrierError,
    CarrierRefused,
    CarrierThrottled,
    CarrierUnreachable,
    LocalProtocolError,
)
from telephony.rest import CarrierRest, CreateCall

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
DUE_AT_ONCE = 200
DIALING_LOST_AFTER_S = 60.0
MARK_AGAIN_AFTER_S = 0.5
MAX_PLACED_LOOKED_AT = 1_000
JITTER = 0.2
HOLDS = {
    "capacity": "waiting: every line of the cluster is taken",
    "throttled": "waiting: the carrier asks for fewer calls a second",
}


class Requests(Protocol):
    """What the driver needs of ``records.request_store.RequestStore``; all raise RecordsError."""

    async def due(self, now_us: int, limit: int) -> list[CallRequestRow]:
        """Queued requests that may be dialled."""

    async def unchanged_since(
        self, status: str, before_us: int, limit: int
    ) -> list[CallRequestRow]:
        """Requests that stay in a status."""

    async def change(
        self, tenant_id: str, call_id: str, expected: Collection[str], **changes: Any
    ) -> bool:
        """Compare and set."""

    async def get(self, tenant_id: str, call_id: str) -> CallRequestRow | None:
        """One request."""

    async def list(
        self, tenant_id: str | None, statuses: Collection[str] = (), limit: int = 50
    ) -> list[CallRequestRow]:
        """Requests in these statuses."""


class DialerDriver:
    """Use ``run`` in a task.

    Args:
        requests: The table.
        carrier: Places the calls.
        new_call: What the carrier is asked for. Raises ``LocalProtocolError``.
        free_slots: Calls that the cluster can take now; None when nobody knows.
        wall_clock_us: UTC microseconds.
        random: A number from 0 to 1, for pauses that do not all end together.
        config: Of the machine.
    """

    def __init__(
        self,
        requests: Requests,
        carrier: CarrierRest,
        new_call: Callable[[CallRequestRow], CreateCall],
        free_slots: Callable[[], Awaitable[int | None]],
        wall_clock_us: Callable[[], int],
        random: Callable[[], float],
        config: DialerConfig | None = None,
    ) -> None:
        self._requests = requests
        self._carrier = carrier
        self._new_call = new_call
        self._free_slots = free_slots
        self._wall_clock_us = wall_clock_us
        self._random = random
        self._dialer = Dialer(config or DialerConfig())
        self._rows: dict[CallKey, CallRequestRow] = {}
        self._asking: set[CallKey] = set()  # of the carrier, or not written down yet
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()
        self._held_up_by = ""
        self.trouble = ""

    @property
    def status(self) -> dict[str, Any]:
        """For people: who waits, why, and what is wrong with the table."""
        return {
            "waiting": self._dialer.waiting,
            "in_flight": self._dialer.in_flight,
            "held_up_by": self._held_up_by,
            "trouble": self.trouble,
        }

    def nudge(self) -> None:
        """There is something to do: look at once."""
        self._news.set()

    async def run(self) -> None:
        """Dial until cancelled."""
        while True:
            self._news.clear()
            try:
                await self.look()
            except RecordsError as error:
                if str(error) != self.trouble:
                    logger.warning("nothing is dialled: %s", error)
                self.trouble = str(error)
            except Exception:
                logger.exception("a round of the dialer failed")
            else:
                self.trouble = ""
            await self._pause()

    async def look(self) -> None:
        """Read the table and the capacity once, and dial what may be dialled.

        Raises:
            RecordsError: The table cannot be read; nothing more is dialled.
        """
        await self._give_up_lost()
        for row in await self._requests.due(self._wall_clock_us(), DUE_AT_ONCE):
            key = (row.tenant_id, row.call_id)
            if key not in self._asking:
                self._rows[key] = row
                self._feed(CallDue(key, row.attempts))
        self._feed(CapacityKnown(await self._capacity()))
        await self._say_what_holds()

    async def settle(self) -> None:
        """Wait for the questions that are open."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def aclose(self, within_s: float = 2.0) -> None:
        """Let open questions end; what is not answered by then stays ``dialing``."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=within_s)
        for task in list(self._tasks):
            task.cancel()

    # --- rounds ----------------------------------------------------------------------------------

    async def _pause(self) -> None:
        now, deadline = _now(), self._dialer.next_deadline()
        wait_s = LOOK_EVERY_S if deadline is None else min(LOOK_EVERY_S, max(0, deadline - now))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), wait_s)
        self._dialer.handle_deadline(now=_now())
        self._perform()

    async def _capacity(self) -> int:
        """Free slots, less those that calls which ring now will take when they are answered."""
        free = await self._free_slots()
        if free is None:
            return 0
        ringing = await self._requests.list(None, ("placed",), MAX_PLACED_LOOKED_AT)
        return free - len(ringing)

    async def _give_up_lost(self) -> None:
        before_us = self._wall_clock_us() - round(DIALING_LOST_AFTER_S * 1e6)
        for row in await self._requests.unchanged_since("dialing", before_us, DUE_AT_ONCE):
            key = (row.tenant_id, row.call_id)
            if key in self._asking:
                continue
            logger.error("call %s: nobody knows whether it was placed", row.call_id)
            await self._requests.change(
                *key,
                {"dialing"},
                status="failed",
                error=f"{OUTCOME_UNKNOWN}: the process that asked the carrier was lost",
                updated_at_us=self._wall_clock_us(),
            )

    async def _say_what_holds(self) -> None:
        """Keep with the first in line, and in the log, why it waits."""
        why = self._dialer.held_up_by(_now())
        if why == self._held_up_by:
            return
        self._held_up_by = why
        if why in HOLDS:
            logger.info("calls wait to be dialled: %s", HOLDS[why])
            for row in await self._requests.due(self._wall_clock_us(), 1):
                await self._requests.change(
                    row.tenant_id,
                    row.call_id,
                    {"queued"},
                    error=HOLDS[why],
                    updated_at_us=self._wall_clock_us(),
                )

    # --- the machine -----------------------------------------------------------------------------

    def _feed(self, event: Event) -> None:
        self._dialer.receive(event, now=_now())
        self._perform()

    def _perform(self) -> None:
        while (output := self._dialer.next_output()) is not None:
            match output:
                case Dial(key=key):
                    self._asking.add(key)
                    self._begin(self._dial(self._rows[key]))
                case MarkPlaced(key=key, call_sid=call_sid):
                    self._begin(self._placed(key, call_sid))
                case MarkWaiting(key=key):
                    later_us = round(output.delay_s * 1e6)
                    self._begin(
                        self._mark(
                            key,
                            status="queued",
                            attempts=output.attempts,
                            not_before_us=self._wall_clock_us() + later_us,
                            error=output.why,
                        )
                    )
                case MarkFailed(key=key):
                    logger.warning("call %s failed: %s", key[1], output.why)
                    self._begin(
                        self._mark(key, status="failed", error=output.why, error_code=output.code)
                    )
                case _:
                    assert_never(output)

    def _begin(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _dial(self, row: CallRequestRow) -> None:
        """Claim the request, ask the carrier, tell the machine."""
        key = (row.tenant_id, row.call_id)
        try:
            is_ours = await self._requests.change(
                *key,
                {"queued"},
                status="dialing",
                attempts=row.attempts + 1,
                error="",
                updated_at_us=self._wall_clock_us(),
            )
        except RecordsError as error:
            # The carrier was not asked, whatever became of the claim.
            self._feed(CarrierWasAway(key, f"the call store: {error}", maybe_done=False))
            return
        if not is_ours:
            self._asking.discard(key)
            self._feed(CallTaken(key))
            return
        self._feed(await self._ask(row))
        self._news.set()

    async def _ask(self, row: CallRequestRow) -> Event:
        key = (row.tenant_id, row.call_id)
        try:
            return CallAccepted(key, await self._carrier.create_call(self._new_call(row)))
        except CarrierThrottled as error:
            jitter = 1 + JITTER * self._random()
            return CarrierWasBusy(key, error.retry_after_s * jitter or None)
        except CarrierUnreachable as error:
            return CarrierWasAway(key, error.message, error.maybe_done)
        except CarrierRefused as error:
            return CallRefused(key, error.code, error.message)
        except LocalProtocolError as error:
            return CallRefused(key, 0, str(error))
        except Exception as error:
            logger.exception("call %s: the carrier's client failed", row.call_id)
            return CarrierWasAway(key, type(error).__name__, maybe_done=True)

    async def _placed(self, key: CallKey, call_sid: str) -> None:
        """Write the sid down; hang up at once if somebody wished so meanwhile."""
        # A webhook of the call may have been faster: then only the sid is new.
        await self._mark(key, status="placed", call_sid=call_sid)
        row = await self._read(key)
        if row is None or not row.options.get("hang_up"):
            return
        try:
            await self._carrier.update_call(call_sid, status="completed")
        except CarrierError as error:
            logger.error("call %s could not be ended: %s", key[1], error)

    async def _mark(self, key: CallKey, **changes: Any) -> None:
        """Write down what became of a request, as soon as the table can be written."""
        while True:
            try:
                await self._requests.change(
                    *key, {"dialing"}, **changes, updated_at_us=self._wall_clock_us()
                )
                break
            except RecordsError as error:
                if not error.retryable:
                    logger.error("call %s: its state is not kept: %s", key[1], error)
                    break
                await asyncio.sleep(MARK_AGAIN_AFTER_S)
        self._asking.discard(key)

    async def _read(self, key: CallKey) -> CallRequestRow | None:
        try:
            return await self._requests.get(*key)
        except RecordsError:
            return None


def _now() -> float:
    return asyncio.get_running_loop().time()
