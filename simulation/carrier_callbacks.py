"""Call-backs of one leg: call, stream and recording states, machine detection.

They are begun in the order in which things happened, run on the side, and are awaited at the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime
from email.utils import format_datetime
from random import Random

from simulation.carrier_recording import LegRecording
from simulation.carrier_webhooks import CallIdentity, Form, Webhooks, call_form
from simulation.twiml_verbs import Stream

# What an event of ``StatusCallbackEvent`` stands for.
EVENT_STATES = {
    "initiated": ("initiated",),
    "ringing": ("ringing",),
    "answered": ("in-progress",),
    "completed": ("completed", "busy", "failed", "no-answer", "canceled"),
}
SIP_CODES = {"busy": "486", "no-answer": "487", "failed": "404"}


def states_of(events: Collection[str]) -> tuple[str, ...]:
    """The states that are reported for these events."""
    return tuple(state for event in events for state in EVENT_STATES[event])


class Callbacks:
    """Sends the call-backs of one call.

    Args:
        webhooks: Signs and sends.
        identity: Whose call it is.
        random: Fills the fields that vary.
        status_url: Where call states go; nowhere when empty.
        status_states: Which states go there.
        status_method: How.
    """

    def __init__(
        self,
        webhooks: Webhooks,
        identity: CallIdentity,
        random: Random,
        status_url: str = "",
        status_states: Collection[str] = (),
        status_method: str = "POST",
    ) -> None:
        self._webhooks = webhooks
        self._identity = identity
        self._status_url = status_url
        self._status_states = status_states
        self._status_method = status_method
        self._random = random
        self._sequence = 0
        self._pending: set[asyncio.Task[None]] = set()
        self.refused = 0

    def call_status(self, status: str, duration_s: float = 0.0, more: Form = ()) -> None:
        """Report a state of the call, if anybody wants to know it."""
        if not self._status_url or status not in self._status_states:
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
        if self._identity.direction != "inbound" and status in SIP_CODES:
            fields.append(("SipResponseCode", SIP_CODES[status]))
        form = call_form(self._identity, status, self._random)
        self._send(self._status_url, (*form, *fields, *more), self._status_method)

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

    def recording_status(self, recording: LegRecording, event: str, url: str) -> None:
        """Report a state of a recording, if its order asks for it."""
        order = recording.order
        if not order.callback or event not in order.events:
            return
        fields = [
            ("AccountSid", self._identity.account_sid),
            ("CallSid", self._identity.call_sid),
            ("RecordingSid", recording.sid),
            ("RecordingUrl", url),
            ("RecordingStatus", event),
            ("RecordingChannels", str(order.channels)),
            ("RecordingSource", order.source),
            ("RecordingStartTime", format_datetime(recording.started_at)),
            ("RecordingTrack", order.track),
            ("ErrorCode", "0"),
        ]
        if recording.duration_s is not None:
            fields.append(("RecordingDuration", str(recording.duration_s)))
        self._send(order.callback, tuple(fields), order.callback_method)

    def machine(self, url: str, method: str, answered_by: str, detection_s: float) -> None:
        """Report the result of asynchronous machine detection."""
        fields = (
            ("AccountSid", self._identity.account_sid),
            ("CallSid", self._identity.call_sid),
            *detection_fields(answered_by, detection_s),
        )
        self._send(url, fields, method)

    def action_after_hang_up(self, url: str, method: str, more: Form = ()) -> None:
        """Tell the ``action`` URL that the caller is gone; what it answers is ignored."""
        self._send(url, (*call_form(self._identity, "completed", self._random), *more), method)

    async def delivered(self) -> None:
        """Wait until everything has been taken or refused."""
        while self._pending:
            await asyncio.gather(*self._pending)

    def _send(self, url: str, form: Form, method: str) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(url, form, method))
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _deliver(self, url: str, form: Form, method: str) -> None:
        if not await self._webhooks.notify(url, form, method):
            self.refused += 1


def detection_fields(answered_by: str, detection_s: float) -> Form:
    """What machine detection adds to a request."""
    return (
        ("AnsweredBy", answered_by),
        ("MachineDetectionDuration", str(round(detection_s * 1_000))),
    )
