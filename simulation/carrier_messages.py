"""Media Streams messages, the carrier's side: what it sends, and what it accepts.

Everything the server sends is checked as strictly as the error pages allow: a missing field, an
extra field, a foreign ``streamSid`` or an unknown event is 31951, a binary frame 31950.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MALFORMED = 31951
BINARY = 31950
_CONTAINER_HEADERS = (b"RIFF", b"ID3", b"OggS", b"fLaC")


@dataclass(frozen=True, slots=True)
class Violation:
    """Something the server did that the protocol forbids.

    Attributes:
        code: Twilio's error code.
        detail: What was wrong, naming the field; never holds audio or text of the call.
    """

    code: int
    detail: str


@dataclass(frozen=True, slots=True)
class ServerMedia:
    """Audio to play: mu-law, 8 kHz, any number of bytes."""

    audio: bytes


@dataclass(frozen=True, slots=True)
class ServerMark:
    """A mark to echo when everything before it has played."""

    name: str


@dataclass(frozen=True, slots=True)
class ServerClear:
    """Drop what has not played."""


FromServer = ServerMedia | ServerMark | ServerClear

CONNECTED = '{"event":"connected","protocol":"Call","version":"1.0.0"}'
_FIELDS = {
    "media": {"event", "streamSid", "media"},
    "mark": {"event", "streamSid", "mark"},
    "clear": {"event", "streamSid"},
}


def read_server_message(text: str, stream_sid: str) -> FromServer | Violation:
    """Read one text frame of the server; never raises."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return Violation(MALFORMED, "not JSON")
    if not isinstance(message, dict):
        return Violation(MALFORMED, "not a JSON object")
    event = message.get("event")
    expected = _FIELDS.get(event) if isinstance(event, str) else None
    if expected is None:
        return Violation(MALFORMED, "event is not one of media, mark, clear")
    wrong = _wrong_fields(message, expected, "the message")
    if wrong:
        return wrong
    if message["streamSid"] != stream_sid:
        return Violation(MALFORMED, f"{event}: streamSid is not this stream's")
    if event == "media":
        return _read_media(message["media"])
    if event == "mark":
        return _read_mark(message["mark"])
    return ServerClear()


def _wrong_fields(value: Any, expected: set[str], where: str) -> Violation | None:
    if not isinstance(value, dict):
        return Violation(MALFORMED, f"{where} is not an object")
    if value.keys() == expected:
        return None
    missing = ", ".join(sorted(expected - value.keys()))
    extra = ", ".join(sorted(str(key)[:40] for key in value.keys() - expected))
    parts = [f"missing {missing}" if missing else "", f"extra {extra}" if extra else ""]
    return Violation(MALFORMED, f"{where}: " + "; ".join(part for part in parts if part))


def _read_media(media: Any) -> FromServer | Violation:
    wrong = _wrong_fields(media, {"payload"}, "media")
    if wrong:
        return wrong
    payload = media["payload"]
    if not isinstance(payload, str) or not payload:
        return Violation(MALFORMED, "media.payload is not a text with audio in it")
    try:
        audio = binascii.a2b_base64(payload, strict_mode=True)
    except ValueError:
        return Violation(MALFORMED, "media.payload is not base64")
    if audio.startswith(_CONTAINER_HEADERS):
        return Violation(MALFORMED, "media.payload begins with a file header: heard as noise")
    return ServerMedia(audio)


def _read_mark(mark: Any) -> FromServer | Violation:
    wrong = _wrong_fields(mark, {"name"}, "mark")
    if wrong:
        return wrong
    name = mark["name"]
    if not isinstance(name, str) or not name:
        return Violation(MALFORMED, "mark.name is not a text")
    return ServerMark(name)


def encode_frames(ulaw: bytes, frame_bytes: int = 160) -> tuple[str, ...]:
    """Base64 payloads of 20 ms frames, so that a clip is encoded once and not for each call."""
    return tuple(
        base64.b64encode(ulaw[at : at + frame_bytes]).decode("ascii")
        for at in range(0, len(ulaw), frame_bytes)
    )


class MessageWriter:
    """Writes one stream's messages with the carrier's numbering.

    ``start`` is number 1, every message after it counts on; chunks of the inbound track start at 1;
    the first timestamp is not 0. All numbers are JSON strings except those of ``mediaFormat``.

    Args:
        account_sid: ``AC`` and 32 hexadecimal digits.
        call_sid: ``CA`` likewise.
        stream_sid: ``MZ`` likewise.
        first_timestamp_ms: Timestamp of the first media message; above 0.
    """

    def __init__(
        self, account_sid: str, call_sid: str, stream_sid: str, first_timestamp_ms: int
    ) -> None:
        self._account_sid = account_sid
        self._call_sid = call_sid
        self._stream_sid = stream_sid
        self._sequence = 0
        self._chunk = 0
        self._first_timestamp_ms = first_timestamp_ms
        self._tail = f'"}},"streamSid":"{stream_sid}"}}'

    def start(self, parameters: Mapping[str, str], tracks: Sequence[str] = ("inbound",)) -> str:
        """The ``start`` message; ``parameters`` become ``customParameters``."""
        return self._numbered(
            {
                "event": "start",
                "sequenceNumber": "",
                "start": {
                    "accountSid": self._account_sid,
                    "streamSid": self._stream_sid,
                    "callSid": self._call_sid,
                    "tracks": list(tracks),
                    "mediaFormat": {
                        "encoding": "audio/x-mulaw",
                        "sampleRate": 8000,
                        "channels": 1,
                    },
                    "customParameters": dict(parameters),
                },
                "streamSid": self._stream_sid,
            }
        )

    def media(self, payload: str, elapsed_ms: int) -> str:
        """One frame of the caller; ``elapsed_ms`` counts from the first frame of the stream."""
        self._sequence += 1
        self._chunk += 1
        return (
            f'{{"event":"media","sequenceNumber":"{self._sequence}","media":{{"track":"inbound"'
            f',"chunk":"{self._chunk}","timestamp":"{self._first_timestamp_ms + elapsed_ms}"'
            f',"payload":"{payload}{self._tail}'
        )

    def mark(self, name: str) -> str:
        """The echo of a mark."""
        return self._numbered(
            {
                "event": "mark",
                "sequenceNumber": "",
                "streamSid": self._stream_sid,
                "mark": {"name": name},
            }
        )

    def dtmf(self, digit: str) -> str:
        """One key press."""
        return self._numbered(
            {
                "event": "dtmf",
                "streamSid": self._stream_sid,
                "sequenceNumber": "",
                "dtmf": {"track": "inbound_track", "digit": digit},
            }
        )

    def stop(self) -> str:
        """The end of the stream at the carrier's side."""
        return self._numbered(
            {
                "event": "stop",
                "sequenceNumber": "",
                "streamSid": self._stream_sid,
                "stop": {"accountSid": self._account_sid, "callSid": self._call_sid},
            }
        )

    def _numbered(self, message: dict[str, Any]) -> str:
        self._sequence += 1
        message["sequenceNumber"] = str(self._sequence)
        return json.dumps(message, separators=(",", ":"))
