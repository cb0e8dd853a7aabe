"""The framing of Azure's speech protocol ("USP"): header lines, a blank line, a body.

Text messages carry headers and JSON; binary ones a two-byte big-endian header length, the headers,
and audio. Times are in units of 100 ns.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass

from simulation.errors import WireViolation

TICKS_PER_S = 10_000_000


@dataclass(frozen=True, slots=True)
class Message:
    """A client's message: its path, the turn it belongs to (may be empty), and its body."""

    path: str
    request_id: str
    body: bytes


def parse_text(text: str) -> Message:
    """Parse a text message. Raises ``WireViolation`` without a Path header."""
    head, _, body = text.partition("\r\n\r\n")
    return _message(head, body.encode())


def parse_binary(data: bytes) -> Message:
    """Parse a binary message. Raises ``WireViolation`` when it is cut short or has no Path."""
    if len(data) < 2:
        raise WireViolation("a binary message without its header length")
    (length,) = struct.unpack_from(">H", data)
    if len(data) < 2 + length:
        raise WireViolation("a binary message shorter than its header says")
    return _message(data[2 : 2 + length].decode("latin-1"), data[2 + length :])


def _message(head: str, body: bytes) -> Message:
    path = request_id = ""
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        match name.strip().lower():
            case "path":
                path = value.strip().lower()
            case "x-requestid":
                request_id = value.strip()
    if not path:
        raise WireViolation("a message without a Path header")
    return Message(path, request_id, body)


def format_text(path: str, request_id: str, body: object) -> str:
    """Serialise a server message."""
    return (
        f"X-RequestId:{request_id}\r\nContent-Type:application/json; charset=utf-8\r\n"
        f"Path:{path}\r\n\r\n{json.dumps(body, ensure_ascii=False)}"
    )


def format_binary(path: str, request_id: str, stream_id: str, body: bytes) -> bytes:
    """Serialise a server's audio message; an empty body ends the stream."""
    head = (
        f"X-RequestId:{request_id}\r\nContent-Type:audio/basic\r\n"
        f"X-StreamId:{stream_id}\r\nPath:{path}\r\n"
    ).encode()
    return struct.pack(">H", len(head)) + head + body


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """What the RIFF header in the first audio message says."""

    tag: int
    channels: int
    rate_hz: int
    bits: int


def parse_riff(payload: bytes) -> tuple[AudioFormat, bytes]:
    """Cut a RIFF header off; returns the format and the audio behind it.

    Raises:
        WireViolation: No ``fmt`` chunk.
    """
    at = payload.find(b"fmt ", 0, 64)
    if at < 0 or len(payload) < at + 24:
        raise WireViolation("an audio header without a fmt chunk")
    tag, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", payload, at + 8)
    data_at = payload.find(b"data", at)
    audio = payload[data_at + 8 :] if data_at >= 0 else b""
    return AudioFormat(tag, channels, rate_hz, bits), audio
