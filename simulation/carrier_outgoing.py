"""The beginning of a call out: a phone is rung, answered, and listened to for a machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from simulation.callee_book import detect
from simulation.carrier_callbacks import Callbacks, detection_fields
from simulation.carrier_parts import CallOut, DetectionOrder, LegParts
from simulation.carrier_record import CallRecord
from simulation.carrier_ring import ring, wait_unless
from simulation.carrier_stream import Person
from simulation.carrier_webhooks import Form


class Outgoing:
    """Rings one phone.

    Args:
        parts: Shared by all calls.
        out: How it is rung.
        record: Where the result of machine detection is kept.
        off: Set when the call is not wanted any more.
    """

    def __init__(
        self, parts: LegParts, out: CallOut, record: CallRecord, off: asyncio.Event
    ) -> None:
        self.out = out
        self._parts = parts
        self._record = record
        self._off = off
        self._callee = parts.phones.find(record.identity.to_number)
        self._listening: asyncio.Task[None] | None = None

    async def ring(self, on_state: Callable[[str], None]) -> str:
        """See ``carrier_ring.ring``."""
        # Looked up now: the book may have changed while the call was queued.
        self._callee = self._parts.phones.find(self._record.identity.to_number)
        return await ring(self._callee, self.out.timeout_s, self._off, on_state)

    def pick_up(self, now: float) -> Person:
        """Somebody has answered."""
        return self._parts.phones.pick_up(self._callee, self._record.identity.call_sid, now)

    async def detect(self, callbacks: Callbacks) -> Form:
        """Listen for a machine, if the order says so.

        Returns:
            What the voice webhook says of it; nothing when nobody waits for the result.
        """
        order = self.out.detection
        if order is None:
            return ()
        answered_by, after_s = detect(
            self._callee, order.mode, order.timeout_s, self._parts.phones.greeting_s(self._callee)
        )
        if order.is_async:
            listening = self._listen(order, answered_by, after_s, callbacks)
            self._listening = asyncio.get_running_loop().create_task(listening)
            return ()
        await wait_unless(self._off, after_s)
        if self._off.is_set():
            return ()
        self._record.answered_by = answered_by
        return detection_fields(answered_by, after_s)

    def end(self) -> None:
        """The call is over: nobody listens any more."""
        if self._listening is not None:
            self._listening.cancel()

    async def _listen(
        self, order: DetectionOrder, answered_by: str, after_s: float, callbacks: Callbacks
    ) -> None:
        await asyncio.sleep(after_s)
        self._record.answered_by = answered_by
        if order.callback:
            callbacks.machine(order.callback, order.callback_method, answered_by, after_s)
