"""The messages of Twilio Media Streams as data: what Twilio says to us.

``parse`` turns one text frame into one frozen message or raises a ``MalformedMessage`` that names
the fault. An event that we do not know is no fault, since Twilio may add some: it becomes an
``UnknownEvent`` to be counted and ignored. Unknown *fields* are ignored for the same reason. What
we say to Twilio is written in ``stream_writer.py``.

Fifty media messages a second and call arrive, so the layout that Twilio has always used is read by
one regular expression (no character class in it lets an escape through, so it reads what a JSON
parser would). Anything else takes the JSON road to the same result.

Source: Twilio, Media Streams, WebSocket Messages.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from telephony.errors import InvalidField, InvalidPayload
from telephony.json_fields import (
    MAX_MESSAGE_CHARS,
    any_field,
    number_field,
    object_field,
    optional_text_field,
    read_object,
    sid_field,
    text_field,
    whole_text,
)

# Whoever reads a stream also answers it: both halves can be had from here.
from telephony.stream_writer import StreamWriter as StreamWriter

MAX_PAYLOAD_BYTES = 8_000
"""One second of audio in one message; Twilio sends 20 ms and promises nothing."""

_DIGITS = frozenset("0123456789*#ABCD")
_MAX_NAME_CHARS = 64

_MEDIA_LAYOUT = re.compile(
    r'\{"event":"media","sequenceNumber":"([0-9]{1,15})",'
    r'"media":\{"track":"inbound","chunk":"([0-9]{1,15})","timestamp":"([0-9]{1,15})",'
    r'"payload":"([0-9A-Za-z+/]+={0,2})"\},"streamSid":"([0-9A-Za-z]{1,64})"\}'
)


@dataclass(frozen=True, slots=True)
class MediaFormat:
    """How the payloads are coded; ``sample_rate_hz`` and ``channels`` are plain numbers."""

    encoding: str
    sample_rate_hz: int
    channels: int


@dataclass(frozen=True, slots=True)
class Connected:
    """The first message of a socket; carries no stream yet."""

    protocol: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """The stream begins; ``sequence`` is 1.

    Attributes:
        custom_parameters: What the ``<Parameter>`` children of our TwiML said; may hold a token, so
            never printed.
    """

    sequence: int
    stream_sid: str
    account_sid: str
    call_sid: str
    tracks: tuple[str, ...]
    media_format: MediaFormat
    custom_parameters: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Media:
    """Audio of the caller.

    Attributes:
        timestamp_ms: Milliseconds since the stream began; the first one is not zero.
        ulaw: Mu-law, 8 kHz, mono; 1 to 8,000 bytes, usually 160.
    """

    sequence: int
    stream_sid: str
    track: str
    chunk: int
    timestamp_ms: int
    ulaw: bytes


@dataclass(frozen=True, slots=True)
class Dtmf:
    """One key: ``0-9``, ``*``, ``#``, ``A-D``."""

    sequence: int
    stream_sid: str
    digit: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark of ours is no longer pending: played, or dropped by a ``clear``."""

    sequence: int
    stream_sid: str
    name: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Twilio ends the stream. It says no reason; a socket may also close without it."""

    sequence: int
    stream_sid: str
    account_sid: str
    call_sid: str


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event that this version does not know; its name is cut to 64 characters."""

    event: str


Message = Connected | Start | Media | Dtmf | Mark | Stop | UnknownEvent


def parse(message: str | bytes) -> Message:
    """Read one WebSocket message of Twilio.

    Args:
        message: The text of a text frame. ``bytes`` means a binary frame, which is refused.

    Returns:
        The message; ``UnknownEvent`` for an event that we do not know.

    Raises:
        MalformedMessage: One of its subclasses, naming the fault.
    """
    if isinstance(message, str) and len(message) <= MAX_MESSAGE_CHARS:
        layout = _MEDIA_LAYOUT.fullmatch(message)
        if layout is not None:
            sequence, chunk, timestamp, payload, stream_sid = layout.groups()
            return Media(
                int(sequence), stream_sid, "inbound", int(chunk), int(timestamp), _audio(payload)
            )
    plain = read_object(message)
    match text_field(plain, "event", ""):
        case "media":
            return _media(plain)
        case "mark":
            return Mark(_sequence(plain), sid_field(plain, "streamSid"), _in(plain, "mark", "name"))
        case "dtmf":
            return Dtmf(_sequence(plain), sid_field(plain, "streamSid"), _digit(plain))
        case "connected":
            return Connected(
                optional_text_field(plain, "protocol", ""),
                optional_text_field(plain, "version", ""),
            )
        case "start":
            return _start(plain)
        case "stop":
            stop = object_field(plain, "stop", "")
            return Stop(
                _sequence(plain),
                sid_field(plain, "streamSid"),
                sid_field(stop, "accountSid", "stop."),
                sid_field(stop, "callSid", "stop."),
            )
        case event:
            return UnknownEvent(event[:_MAX_NAME_CHARS])


def read_media(text: str) -> tuple[int, str, int, bytes] | None:
    """Read a media message in Twilio's usual layout, as fast as Python allows.

    Returns:
        Sequence number, stream sid, timestamp in milliseconds, mu-law bytes. None for anything that
        is not certainly a good inbound media message: let ``parse`` look at it.
    """
    layout = _MEDIA_LAYOUT.fullmatch(text)
    if layout is None:
        return None
    sequence, timestamp, payload, stream_sid = layout.group(1, 3, 4, 5)
    try:
        ulaw = a2b_base64(payload, strict_mode=True)
    except ValueError:
        return None
    if len(ulaw) > MAX_PAYLOAD_BYTES or len(text) > MAX_MESSAGE_CHARS:
        return None
    return int(sequence), stream_sid, int(timestamp), ulaw


# --- reading, message by message ------------------------------------------------------------------


def _in(plain: Mapping[str, Any], outer: str, key: str) -> str:
    return text_field(object_field(plain, outer, ""), key, f"{outer}.")


def _sequence(plain: Mapping[str, Any]) -> int:
    return number_field(plain, "sequenceNumber", "")


def _audio(payload: str) -> bytes:
    try:
        ulaw = a2b_base64(payload, strict_mode=True)
    except ValueError:
        raise InvalidPayload("media.payload is not base64", "media.payload") from None
    if not ulaw:
        raise InvalidPayload("media.payload is empty", "media.payload")
    if len(ulaw) > MAX_PAYLOAD_BYTES:
        raise InvalidPayload(
            f"media.payload is {len(ulaw)} bytes, at most {MAX_PAYLOAD_BYTES} (1 s) are taken",
            "media.payload",
        )
    return ulaw


def _media(plain: Mapping[str, Any]) -> Media:
    media = object_field(plain, "media", "")
    return Media(
        _sequence(plain),
        sid_field(plain, "streamSid"),
        text_field(media, "track", "media."),
        number_field(media, "chunk", "media."),
        number_field(media, "timestamp", "media."),
        _audio(text_field(media, "payload", "media.")),
    )


def _digit(plain: Mapping[str, Any]) -> str:
    digit = _in(plain, "dtmf", "digit")
    if digit not in _DIGITS:
        raise InvalidField("dtmf.digit is one of 0-9 * # A-D", "dtmf.digit")
    return digit


def _start(plain: Mapping[str, Any]) -> Start:
    start = object_field(plain, "start", "")
    stream_sid = sid_field(plain, "streamSid")
    if sid_field(start, "streamSid", "start.") != stream_sid:
        raise InvalidField("start.streamSid differs from streamSid", "start.streamSid")
    tracks = start.get("tracks", [])
    if not isinstance(tracks, list) or not all(isinstance(track, str) for track in tracks):
        raise InvalidField("start.tracks is a list of strings", "start.tracks")
    return Start(
        sequence=_sequence(plain),
        stream_sid=stream_sid,
        account_sid=sid_field(start, "accountSid", "start."),
        call_sid=sid_field(start, "callSid", "start."),
        tracks=tuple(tracks),
        media_format=_format(object_field(start, "mediaFormat", "start.")),
        custom_parameters=_parameters(start.get("customParameters")),
    )


def _format(plain: Mapping[str, Any]) -> MediaFormat:
    path = "start.mediaFormat."
    counts = []
    for key in ("sampleRate", "channels"):
        value = any_field(plain, key, path)
        if isinstance(value, bool) or not isinstance(value, int):
            raise InvalidField(f"{path}{key} is a whole number", path + key)
        counts.append(value)
    return MediaFormat(text_field(plain, "encoding", path)[:_MAX_NAME_CHARS], counts[0], counts[1])


def _parameters(plain: object) -> dict[str, str]:
    """No parameters at all is as good as an empty object."""
    path = "start.customParameters"
    if plain is None:
        return {}
    if not isinstance(plain, dict) or not all(isinstance(value, str) for value in plain.values()):
        raise InvalidField(f"{path} is an object of strings", path)
    return {whole_text(name, path): whole_text(value, path) for name, value in plain.items()}
