"""What a ``MediaStream`` hands out: a closed union of events, and its counters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from telephony.errors import RemoteProtocolError
from telephony.messages import MediaFormat


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """The stream is up; ``custom_parameters`` hold our token and are never printed."""

    stream_sid: str
    call_sid: str
    account_sid: str
    custom_parameters: Mapping[str, str] = field(repr=False)
    media_format: MediaFormat


@dataclass(frozen=True, slots=True)
class AudioReceived:
    """Caller audio.

    Attributes:
        ulaw: Mu-law, 8 kHz, mono; a whole number of 160-byte frames, at least one.
        media_time_s: Where its first sample lies, in seconds of audio handed out before it.
        filled_frames: How many frames of silence were put in before what really arrived.
    """

    ulaw: bytes = field(repr=False)
    media_time_s: float
    filled_frames: int = 0


@dataclass(frozen=True, slots=True)
class DtmfReceived:
    """The caller pressed a key."""

    digit: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MarkReceived:
    """A mark came back; after a ``clear`` that does not mean that it was heard."""

    name: str


@dataclass(frozen=True, slots=True)
class StreamStopped:
    """Twilio ended the stream. A socket may also close without it."""


@dataclass(frozen=True, slots=True)
class ProtocolWarning:
    """A message was dropped, or tolerated; ``error`` says why and may be logged."""

    error: RemoteProtocolError


StreamEvent = (
    StreamStarted | AudioReceived | DtmfReceived | MarkReceived | StreamStopped | ProtocolWarning
)


@dataclass(slots=True)
class StreamStats:
    """What happened on one stream, in messages unless the name says frames.

    Attributes:
        media: Audio messages taken.
        skipped: Sequence numbers that did not come when they were due.
        late: Skipped ones that came after all.
        gaps: Places where silence was put in by timestamp.
        filled_frames: Frames of silence made up, by timestamp or by deadline.
        unfilled_frames: Frames by which a gap was too long to be filled.
        clock_jumps: Times when the timestamps or the sequence numbers started over.
        other_track: Audio of a track that is not the caller's, dropped.
        after_stop: Messages ignored because they came after ``stop``.
    """

    media: int = 0
    skipped: int = 0
    late: int = 0
    duplicates: int = 0
    gaps: int = 0
    filled_frames: int = 0
    unfilled_frames: int = 0
    clock_jumps: int = 0
    malformed: int = 0
    out_of_place: int = 0
    unknown: int = 0
    other_track: int = 0
    after_stop: int = 0
