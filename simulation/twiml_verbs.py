"""The verbs and nouns of TwiML that a simulated phone leg runs, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulation.twiml_relay import Relay


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a text, ``loop`` times."""

    text: str
    language: str = ""
    voice: str = ""
    loop: int = 1


@dataclass(frozen=True, slots=True)
class Play:
    """Play a sound file, ``loop`` times; or press ``digits`` (``w`` 0.5 s, ``W`` 1 s)."""

    url: str
    digits: str = ""
    loop: int = 1


@dataclass(frozen=True, slots=True)
class Pause:
    """Say nothing for ``length_s``."""

    length_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Do not answer the call; ``reason`` is ``rejected`` or ``busy``."""

    reason: str = "rejected"


@dataclass(frozen=True, slots=True)
class Redirect:
    """Go on with the document at ``url``."""

    url: str
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Stream:
    """A two-way media stream."""

    url: str
    name: str = ""
    status_callback: str = ""
    status_callback_method: str = "POST"
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Connect:
    """Hand the call to a stream or a relay; ``action`` is None when the document has none."""

    stream: Stream | Relay
    action: str | None = None
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Number:
    """A phone to ring.

    Attributes:
        number: E.164.
        send_digits: Pressed when it is answered.
        status_callback: Told of ``status_events`` of the dialled call; nobody when empty.
    """

    number: str
    send_digits: str = ""
    status_callback: str = ""
    status_callback_method: str = "POST"
    status_events: tuple[str, ...] = ("completed",)


@dataclass(frozen=True, slots=True)
class Dial:
    """Connect the call to another phone.

    Attributes:
        numbers: Who is rung: all at once, or in turn when ``is_sequential``. None when the
            document named nobody that can be rung.
        action: Asked when the dialled call is over; None when the document has none.
        timeout_s: How long each rings.
        time_limit_s: How long the two may talk.
        caller_id: What the phone shows; the caller's own number when empty.
    """

    numbers: tuple[Number, ...]
    action: str | None = None
    method: str = "POST"
    timeout_s: float = 30.0
    time_limit_s: float = 14_400.0
    caller_id: str = ""
    is_sequential: bool = False


@dataclass(frozen=True, slots=True)
class StartRecording:
    """Record the call from here on; the next verb runs at once.

    Attributes:
        callback: Told of ``events`` of the recording; nobody when empty.
        channels: 1 or 2.
        track: ``both``, ``inbound`` or ``outbound``.
    """

    callback: str = ""
    callback_method: str = "POST"
    events: tuple[str, ...] = ("completed",)
    channels: int = 1
    track: str = "both"


Verb = Say | Play | Pause | Hangup | Reject | Redirect | Connect | Dial | StartRecording
