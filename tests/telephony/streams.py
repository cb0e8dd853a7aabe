"""What Twilio would send on one stream, numbered as Twilio numbers it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from telephony.media_stream import MediaStream
from telephony.stream_events import AudioReceived, StreamEvent

STREAM_SID = "MZ00000000000000000000000000000001"
CALL_SID = "CA00000000000000000000000000000001"
ACCOUNT_SID = "AC00000000000000000000000000000001"
FIRST_TIMESTAMP_MS = 102

FIXTURES = Path(__file__).parent.parent / "fixtures" / "twilio"

CONNECTED = '{"event":"connected","protocol":"Call","version":"1.0.0"}'


def dumps(plain: object) -> str:
    return json.dumps(plain, separators=(",", ":"))


def start(sequence: int = 1, **changes: Any) -> str:
    """A start message; ``changes`` replace fields of its ``start`` object."""
    inner = {
        "accountSid": ACCOUNT_SID,
        "streamSid": STREAM_SID,
        "callSid": CALL_SID,
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"tok": "single-use-token"},
    } | changes
    return dumps(
        {
            "event": "start",
            "sequenceNumber": str(sequence),
            "start": inner,
            "streamSid": inner["streamSid"],
        }
    )


def media(
    sequence: int,
    timestamp_ms: int,
    ulaw: bytes = b"\x12" * 160,
    *,
    stream_sid: str = STREAM_SID,
    track: str = "inbound",
) -> str:
    inner = {
        "track": track,
        "chunk": str(sequence),
        "timestamp": str(timestamp_ms),
        "payload": base64.b64encode(ulaw).decode(),
    }
    return dumps(
        {
            "event": "media",
            "sequenceNumber": str(sequence),
            "media": inner,
            "streamSid": stream_sid,
        }
    )


def dtmf(sequence: int, digit: str) -> str:
    return dumps(
        {
            "event": "dtmf",
            "streamSid": STREAM_SID,
            "sequenceNumber": str(sequence),
            "dtmf": {"track": "inbound_track", "digit": digit},
        }
    )


def mark(sequence: int, name: str) -> str:
    return dumps(
        {
            "event": "mark",
            "sequenceNumber": str(sequence),
            "streamSid": STREAM_SID,
            "mark": {"name": name},
        }
    )


def stop(sequence: int) -> str:
    return dumps(
        {
            "event": "stop",
            "sequenceNumber": str(sequence),
            "streamSid": STREAM_SID,
            "stop": {"accountSid": ACCOUNT_SID, "callSid": CALL_SID},
        }
    )


def drain(stream: MediaStream) -> list[StreamEvent]:
    events: list[StreamEvent] = []
    while (event := stream.next_event()) is not None:
        events.append(event)
    return events


def audio(events: list[StreamEvent]) -> list[AudioReceived]:
    return [event for event in events if isinstance(event, AudioReceived)]


def started(*, now: float = 0.0) -> MediaStream:
    """A stream after connected and start, its events taken."""
    stream = MediaStream(now=now)
    stream.receive(CONNECTED, now=now)
    stream.receive(start(), now=now)
    drain(stream)
    return stream
