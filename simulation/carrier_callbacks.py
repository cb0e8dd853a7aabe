"""Call and stream status call-backs of one leg: sent on the side, awaited at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime
from email.utils import format_datetime
from random import Random

from simulation.carrier_webhooks import CallIdentity, Webhooks, call_form
from simulation.twiml_run import Stream


class Callbacks:
    """Sends the call-backs of one call.

    Args:
        webhooks: Signs and sends.
        identity: Whose call it is.
        status_url: Where call states go; nowhere when empty.
        status_events: Which states go there.
        random: Fills the fields that vary.
    """

    def __init__(
        self,
        webhooks: Webhooks,
        identity: CallIdentity,
        status_url: str,
        status_events: Collection[str],
        random: Random,
    ) -> None:
        self._webhooks = webhooks
        self._identity = identity
        self._status_url = status_url
        self._status_events = status_events
        self._random = random
        self._sequence = 0
        self._pending: set[asyncio.Task[None]] = set()
        self.refused = 0

    def call_status(self, status: str, duration_s: float = 0.0) -> None:
        """Report a state of the call, if the number is configured for it."""
        if not self._status_url or status not in self._status_events:
            return
        fields = [
            ("Timestamp", format_datetime(datetime.now(UTC))),
            ("SequenceNumber", str(self._sequence)),
            ("CallbackSource", "call-progress-events"),
        ]
        self._sequence += 1
        if status == "completed":
            seconds = round(duration_s)
            fields += [("CallDuration", str(seconds)), ("Duration", str(-(-seconds // 60)))]
        form = call_form(self._identity, status, self._random)
        self._send(self._status_url, (*form, *fields), "POST")

    def stream_status(self, stream: Stream, stream_sid: str, event: str, error: str = "") -> None:
        """Report ``stream-started``, ``stream-stopped`` or ``stream-error``, if the TwiML asks."""
        if not stream.status_callback:
            return
        fields = [
            ("AccountSid", self._identity.account_sid),
            ("CallSid", self._identity.call_sid),
            ("StreamSid", stream_sid),
            ("StreamName", stream.name or stream_sid),
            ("StreamEvent", event),
            ("Timestamp", datetime.now(UTC).isoformat().replace("+00:00", "Z")),
        ]
        if error:
            fields.append(("StreamError", error))
        self._send(stream.status_callback, tuple(fields), stream.status_callback_method)

    def action_after_hang_up(self, url: str, method: str) -> None:
        """Tell the ``action`` URL that the caller is gone; what it answers is ignored."""
        self._send(url, call_form(self._identity, "completed", self._random), method)

    async def delivered(self) -> None:
        """Wait until everything has been taken or refused."""
        if self._pending:
            await asyncio.gather(*self._pending)

    def _send(self, url: str, form: tuple[tuple[str, str], ...], method: str) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(url, form, method))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _deliver(self, url: str, form: tuple[tuple[str, str], ...], method: str) -> None:
        if not await self._webhooks.notify(url, form, method):
            self.refused += 1
