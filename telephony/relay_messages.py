"""The messages of Twilio ConversationRelay as data: what Twilio says to us.

``parse_relay`` turns one text frame into one frozen message or raises a ``MalformedMessage`` that
names the fault. A type that we do not know is no fault, since Twilio may add some: it becomes an
``UnknownMessage`` to be counted and ignored; unknown *fields* are ignored for the same reason.
Here messages are told apart by ``type``, and there are no sequence numbers.

What was said, pressed and played is never printed with a message, nor is the description of an
error, which quotes what we have sent.

Source: Twilio, ConversationRelay, WebSocket Messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from telephony.errors import InvalidField
from telephony.json_fields import (
    optional_text_field,
    read_object,
    sid_field,
    text_field,
    whole_text,
)

_DIGITS = frozenset("0123456789*#ABCD")
_MAX_NAME_CHARS = 64
_MAX_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Setup:
    """The first message of a socket.

    Attributes:
        session_id: ``VX...``; another one for each session of the same call.
        call_type: ``PSTN``, ``SIP`` or ``CLIENT``.
        direction: ``inbound`` or ``outbound-api``.
        custom_parameters: What the ``<Parameter>`` children of our TwiML said; hold a token.
    """

    session_id: str
    call_sid: str
    account_sid: str = ""
    parent_call_sid: str = ""
    from_number: str = field(default="", repr=False)
    to_number: str = field(default="", repr=False)
    forwarded_from: str = field(default="", repr=False)
    caller_name: str = field(default="", repr=False)
    call_type: str = ""
    direction: str = ""
    call_status: str = ""
    custom_parameters: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Prompt:
    """The caller's words; all of the running utterance so far when ``is_last`` is False.

    Attributes:
        language: As Twilio heard it: ``en-US``, or ``en`` with automatic detection; may be empty.
    """

    text: str = field(repr=False)
    language: str = ""
    is_last: bool = True


@dataclass(frozen=True, slots=True)
class Interrupt:
    """The caller has cut the speech, which Twilio has stopped already.

    Attributes:
        heard_text: What was heard of it until then; may be empty.
        after_ms: How long it had been heard; None when Twilio does not say.
    """

    heard_text: str = field(repr=False)
    after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """One key: ``0-9``, ``*``, ``#``, ``A-D``."""

    digit: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CarrierComplaint:
    """Twilio could not use something of ours, or has trouble of its own; the session goes on.

    Attributes:
        description: In Twilio's words; may quote what we have sent.
    """

    description: str = field(repr=False)

    @property
    def kind(self) -> str:
        """The beginning of it that quotes nothing, for a log line: ``Invalid message received``."""
        head = self.description
        for stop in ":{['\"":
            head = head.partition(stop)[0]
        plain = "".join(char for char in head if char.isascii() and (char.isalpha() or char == " "))
        return " ".join(plain.split())[:_MAX_NAME_CHARS]


@dataclass(frozen=True, slots=True)
class Information:
    """Something that we have asked to be told: ``agentSpeaking`` on, ``tokensPlayed`` ..."""

    name: str
    value: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class UnknownMessage:
    """A type that this version does not know; cut to 64 characters."""

    kind: str


RelayMessage = (
    Setup | Prompt | Interrupt | KeyPressed | CarrierComplaint | Information | UnknownMessage
)


def parse_relay(message: str | bytes) -> RelayMessage:
    """Read one WebSocket message of Twilio.

    Args:
        message: The text of a text frame. ``bytes`` means a binary frame, which is refused.

    Raises:
        MalformedMessage: One of its subclasses, naming the fault.
    """
    plain = read_object(message)
    match text_field(plain, "type", ""):
        case "prompt":
            return Prompt(
                text_field(plain, "voicePrompt", ""),
                optional_text_field(plain, "lang", "")[:_MAX_NAME_CHARS],
                _flag(plain, "last", default=True),
            )
        case "interrupt":
            return Interrupt(
                optional_text_field(plain, "utteranceUntilInterrupt", ""), _milliseconds(plain)
            )
        case "dtmf":
            digit = text_field(plain, "digit", "")
            if digit not in _DIGITS:
                raise InvalidField("digit is one of 0-9 * # A-D", "digit")
            return KeyPressed(digit)
        case "info":
            name = text_field(plain, "name", "")[:_MAX_NAME_CHARS]
            return Information(name, _scalar(plain.get("value")))
        case "error":
            return CarrierComplaint(optional_text_field(plain, "description", ""))
        case "setup":
            return _setup(plain)
        case kind:
            return UnknownMessage(kind[:_MAX_NAME_CHARS])


def _setup(plain: Mapping[str, Any]) -> Setup:
    def text(key: str) -> str:
        return optional_text_field(plain, key, "")

    return Setup(
        session_id=sid_field(plain, "sessionId"),
        call_sid=sid_field(plain, "callSid"),
        account_sid=text("accountSid"),
        parent_call_sid=text("parentCallSid"),
        from_number=text("from"),
        to_number=text("to"),
        forwarded_from=text("forwardedFrom"),
        caller_name=text("callerName"),
        call_type=text("callType")[:_MAX_NAME_CHARS],
        direction=text("direction")[:_MAX_NAME_CHARS],
        call_status=text("callStatus")[:_MAX_NAME_CHARS],
        custom_parameters=_parameters(plain.get("customParameters")),
    )


def _parameters(plain: object) -> dict[str, str]:
    """No parameters at all is as good as an empty object."""
    path = "customParameters"
    if plain is None:
        return {}
    if not isinstance(plain, dict) or not all(isinstance(value, str) for value in plain.values()):
        raise InvalidField(f"{path} is an object of strings", path)
    return {whole_text(name, path): whole_text(value, path) for name, value in plain.items()}


def _flag(plain: Mapping[str, Any], key: str, *, default: bool) -> bool:
    value = plain.get(key, default)
    if not isinstance(value, bool):
        raise InvalidField(f"{key} is true or false", key)
    return value


def _milliseconds(plain: Mapping[str, Any]) -> int | None:
    """A number now, a string in older sessions."""
    key = "durationUntilInterruptMs"
    value = plain.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 15:
        value = int(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= _MAX_MS:
        raise InvalidField(f"{key} is a number of milliseconds", key)
    return round(value)


def _scalar(value: object) -> str:
    """The value of an information as text: most are strings, some may be numbers or flags."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return whole_text(value, "value")
    if isinstance(value, int | float):
        return str(value)
    raise InvalidField("value is a string", "value")
