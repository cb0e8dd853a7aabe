"""Recording a leg: what its phone says and hears, kept from the moment it is asked for.

Rules
- A recording lasts until the call is over, or REST stops it; a pause is silence in it.
- It can be fetched when it is ``completed``, a moment after its end.
"""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from simulation.carrier_stream import HangUp, Person, Press
from simulation.carrier_ticker import FRAME_S
from simulation.playout_clock import Heard
from simulation.recording import SAMPLE_RATE_HZ, Recording
from simulation.relay_ear import Saying
from simulation.wav_file import Sound, write_wav

PROCESSING_S = 0.2
"""From the end of a recording to the moment when it can be fetched."""


@dataclass(frozen=True, slots=True)
class RecordingOrder:
    """How to record a leg.

    Attributes:
        callback: Told of ``events``; nobody when empty.
        channels: 1 or 2.
        track: ``both``, ``inbound`` or ``outbound``.
        source: ``OutboundAPI``, ``StartCallRecordingAPI`` or ``StartCallRecordingTwiML``.
    """

    callback: str = ""
    callback_method: str = "POST"
    events: tuple[str, ...] = ("completed",)
    channels: int = 1
    track: str = "both"
    source: str = "StartCallRecordingAPI"


class LegRecording:
    """One recording of one leg.

    Args:
        sid: ``RE...``.
        call_sid: Whose.
        order: How.
        on_stop: Called once, when it is stopped.
    """

    def __init__(
        self,
        sid: str,
        call_sid: str,
        order: RecordingOrder,
        on_stop: Callable[[LegRecording], None],
    ) -> None:
        self.sid = sid
        self.call_sid = call_sid
        self.order = order
        self.status = "in-progress"
        self.started_at = datetime.now(UTC)
        self.updated_at = self.started_at
        self.duration_s: int | None = None
        self._on_stop = on_stop
        self._started_s = asyncio.get_running_loop().time()
        self._sound = Recording()
        # Sample 0 is where the recording began, even if nobody spoke then.
        self._sound.add_caller(self._started_s, b"")

    @property
    def is_running(self) -> bool:
        """Whether it has not been stopped."""
        return self.status in {"in-progress", "paused"}

    def change(self, status: str) -> None:
        """``paused``, ``in-progress`` or ``stopped``; nothing once it was stopped."""
        if self.is_running and status != self.status:
            self.status = status
            self.updated_at = datetime.now(UTC)
            if status == "stopped":
                self.duration_s = round(asyncio.get_running_loop().time() - self._started_s)
                self._on_stop(self)

    def complete(self) -> None:
        """It has been processed since it was stopped."""
        self.status = "completed"
        self.updated_at = datetime.now(UTC)

    def wav(self) -> bytes:
        """The sound: 8 kHz, 16 bits; left, of two channels, is what the phone said."""
        if self.order.channels == 1:
            both = self._sound.samples().astype(np.int32)
            return write_wav(Sound((both.sum(axis=1) // 2).astype(np.int16), SAMPLE_RATE_HZ))
        file = io.BytesIO()
        self._sound.write(file)
        return file.getvalue()

    def said(self, at_s: float, ulaw: bytes) -> None:
        """The phone said this."""
        if self.status == "in-progress":
            self._sound.add_caller(max(at_s, self._started_s), ulaw)

    def heard(self, at_s: float, ulaw: bytes) -> None:
        """The phone heard this."""
        if self.status == "in-progress":
            self._sound.add_agent(max(at_s, self._started_s), ulaw)


class TappedPerson:
    """Whoever holds the phone, overheard by recordings; a ``carrier_stream.Person``."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self.recordings: list[LegRecording] = []

    @property
    def speaking(self) -> bool:
        """See ``Person``; so are all that follow."""
        return self._person.speaking

    @property
    def saying(self) -> Saying | None:
        """What the person says, in words; None for one who tells only sound."""
        saying: Saying | None = getattr(self._person, "saying", None)
        return saying

    def stream_opened(self, *, now: float) -> None:  # noqa: D102
        self._person.stream_opened(now=now)

    def stream_closed(self, heard: Sequence[Heard], *, now: float) -> None:  # noqa: D102
        self._hear(heard)
        self._person.stream_closed(heard, now=now)

    def playout_cleared(self, heard: Sequence[Heard], *, now: float) -> None:  # noqa: D102
        self._hear(heard)
        self._person.playout_cleared(heard, now=now)

    def tick(  # noqa: D102
        self, due_s: float, now: float, heard: Sequence[Heard]
    ) -> tuple[str | None, Sequence[Press | HangUp]]:
        payload, actions = self._person.tick(due_s, now, heard)
        if self.recordings:
            self._hear(heard)
            if payload is not None:
                ulaw = base64.b64decode(payload)
                for each in self.recordings:
                    each.said(due_s - FRAME_S, ulaw)
        return payload, actions

    def _hear(self, heard: Sequence[Heard]) -> None:
        for piece in heard:
            for each in self.recordings:
                each.heard(piece.start_s, piece.audio)
