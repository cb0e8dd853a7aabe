"""What the carrier keeps of calls and recordings: the truth behind its REST interface."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from simulation.carrier_recording import LegRecording, RecordingOrder
from simulation.carrier_webhooks import CallIdentity

FINAL = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
_KEPT = 5_000


@dataclass(slots=True)
class CallRecord:
    """One call as REST shows it.

    Attributes:
        status: ``queued``, ``ringing``, ``in-progress`` or one of ``FINAL``.
        started_at: When it was dialled, or came in.
        duration_s: From the answer to the end, whole seconds; None before, or without an answer.
        answered_by: Of machine detection.
        queue_time_ms: An estimate, made when it was created.
    """

    identity: CallIdentity
    status: str = "queued"
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    updated_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started_at: datetime | None = None
    ended_at: datetime | None = None
    duration_s: int | None = None
    answered_by: str = ""
    queue_time_ms: int = 0
    answered_s: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.status in FINAL

    def change(self, status: str) -> None:
        """It has reached a state; nothing leads out of a final one."""
        if self.is_over:
            return
        self.updated_at = datetime.now(UTC)
        now = asyncio.get_running_loop().time()
        if self.started_at is None:
            self.started_at = self.updated_at
        if status == "in-progress":
            self.answered_s = now
        elif status in FINAL:
            self.ended_at = self.updated_at
            if self.answered_s is not None:
                self.duration_s = round(now - self.answered_s)
        if status != "initiated":
            self.status = status


class LiveCall(Protocol):
    """A call that REST can steer."""

    @property
    def record(self) -> CallRecord:
        """What REST shows of it."""

    def facts(self) -> dict[str, object]:
        """What REST does not show: what was said and pressed, and what went wrong."""

    def update(self, twiml: bytes) -> bool:
        """Run this document instead; False when the call is not in progress."""

    def redirect(self, url: str, method: str) -> bool:
        """Ask this URL for another document; False when the call is not in progress."""

    def hang_up(self) -> bool:
        """End it, answered or not; False when it is over."""

    def record_sound(self, order: RecordingOrder) -> LegRecording | None:
        """Begin to record; None when the call is not in progress."""


class CallLog:
    """Calls and recordings by sid; the oldest calls that are over are forgotten.

    Args:
        api_url: Scheme and host of the REST interface: where recordings are fetched.
    """

    def __init__(self, api_url: str = "https://api.twilio.com") -> None:
        self.api_url = api_url
        self._calls: dict[str, LiveCall] = {}
        self._recordings: dict[str, LegRecording] = {}

    def __iter__(self) -> Iterator[LiveCall]:
        """The latest first, as REST lists them."""
        return reversed(list(self._calls.values()))

    def add(self, call: LiveCall) -> None:
        """A new call."""
        self._calls[call.record.identity.call_sid] = call
        if len(self._calls) > _KEPT:
            over = next((sid for sid, each in self._calls.items() if each.record.is_over), None)
            if over is not None:
                del self._calls[over]

    def call(self, call_sid: str) -> LiveCall | None:
        """A call, over or not."""
        return self._calls.get(call_sid)

    def add_recording(self, recording: LegRecording) -> None:
        """A new recording."""
        self._recordings[recording.sid] = recording

    def recording(self, sid: str) -> LegRecording | None:
        """A recording that was not deleted."""
        return self._recordings.get(sid)

    def recordings(self, call_sid: str = "") -> list[LegRecording]:
        """Of one call, or of all; the latest first."""
        found = [each for each in self._recordings.values() if call_sid in ("", each.call_sid)]
        return found[::-1]

    def delete_recording(self, sid: str) -> bool:
        """Forget a recording; False when there is none."""
        return self._recordings.pop(sid, None) is not None
