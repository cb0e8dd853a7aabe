"""ConversationRelay messages, the carrier's side: what it sends, and what it accepts.

What the server sends is checked as the documentation has it: a message that is not JSON, of an
unknown type, or with a field of the wrong type is 64107; ten in a row end the session with 1007.
Fields that nobody knows are let through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulation.carrier_messages import Violation
from simulation.carrier_webhooks import CallIdentity

INVALID_MESSAGE = 64107
TOO_MANY_INVALID = 64105
MAX_INVALID_IN_A_ROW = 10
_DIGITS = re.compile(r"[0-9w#*]+")


@dataclass(frozen=True, slots=True)
class Text:
    """Words to be spoken; None where the TwiML decides."""

    token: str
    is_last: bool = False
    language: str = ""
    is_interruptible: bool | None = None
    is_preemptible: bool | None = None


@dataclass(frozen=True, slots=True)
class PlayFile:
    """A sound file to be played ``loop`` times."""

    source: str
    loop: int = 1
    is_interruptible: bool | None = None
    is_preemptible: bool | None = None


@dataclass(frozen=True, slots=True)
class SendDigits:
    """Keys to be pressed."""

    digits: str


@dataclass(frozen=True, slots=True)
class Language:
    """Another language for the voice, the recogniser, or both; empty for no change."""

    spoken: str = ""
    heard: str = ""


@dataclass(frozen=True, slots=True)
class End:
    """The end of the session; ``handoff_data`` is None when there is none."""

    handoff_data: str | None = None


FromServer = Text | PlayFile | SendDigits | Language | End


def read_relay_message(text: str) -> FromServer | Violation:
    """Read one text frame of the server; never raises."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return Violation(INVALID_MESSAGE, "not JSON")
    if not isinstance(message, dict):
        return Violation(INVALID_MESSAGE, "not a JSON object")
    try:
        return _read(message)
    except _Wrong as wrong:
        return Violation(INVALID_MESSAGE, str(wrong))


class _Wrong(Exception):
    """A field is not what it has to be."""


def _read(message: Mapping[str, Any]) -> FromServer:
    flags = {
        "is_interruptible": _flag(message, "interruptible"),
        "is_preemptible": _flag(message, "preemptible"),
    }
    match message.get("type"):
        case "text":
            last = _flag(message, "last") or False
            return Text(_text(message, "token"), last, _optional(message, "lang"), **flags)
        case "play":
            loop = message.get("loop", 1)
            if isinstance(loop, bool) or not isinstance(loop, int) or not 0 <= loop <= 1_000:
                raise _Wrong("play: loop is 0 to 1000")
            return PlayFile(_text(message, "source"), loop, **flags)
        case "sendDigits":
            digits = _text(message, "digits")
            if _DIGITS.fullmatch(digits) is None:
                raise _Wrong("sendDigits: digits are of 0-9 w # *")
            return SendDigits(digits)
        case "language":
            spoken = _optional(message, "ttsLanguage")
            heard = _optional(message, "transcriptionLanguage")
            if not spoken and not heard:
                raise _Wrong("language: neither ttsLanguage nor transcriptionLanguage")
            return Language(spoken, heard)
        case "end":
            data = message.get("handoffData")
            if data is not None and not isinstance(data, str):
                raise _Wrong("end: handoffData is a text")
            return End(data)
    raise _Wrong("type is not one of text, play, sendDigits, language, end")


def _text(message: Mapping[str, Any], key: str) -> str:
    value = message.get(key)
    if not isinstance(value, str):
        raise _Wrong(f"{message.get('type')}: {key} is a text")
    return value


def _optional(message: Mapping[str, Any], key: str) -> str:
    return _text(message, key) if message.get(key) is not None else ""


def _flag(message: Mapping[str, Any], key: str) -> bool | None:
    value = message.get(key)
    if value is not None and not isinstance(value, bool):
        raise _Wrong(f"{key} is true or false")
    return value


# --- what the carrier says ------------------------------------------------------------------------


def setup(
    identity: CallIdentity, session_id: str, parameters: Mapping[str, str], status: str
) -> str:
    """The first message of a session."""
    return _written(
        type="setup",
        sessionId=session_id,
        accountSid=identity.account_sid,
        parentCallSid=identity.parent_call_sid,
        callSid=identity.call_sid,
        **{"from": identity.from_number},
        to=identity.to_number,
        forwardedFrom="",
        callType="PSTN",
        callerName="",
        direction=identity.direction,
        callStatus=status,
        customParameters=dict(parameters),
    )


def prompt(text: str, language: str, *, is_last: bool) -> str:
    """The caller's words."""
    return _written(type="prompt", voicePrompt=text, lang=language, last=is_last)


def interrupt(heard: str, after_ms: int) -> str:
    """The caller has cut the speech."""
    return _written(
        type="interrupt", utteranceUntilInterrupt=heard, durationUntilInterruptMs=after_ms
    )


def dtmf(digit: str) -> str:
    """One key press."""
    return _written(type="dtmf", digit=digit)


def info(name: str, value: str) -> str:
    """Something that was subscribed to."""
    return _written(type="info", name=name, value=value)


def complaint(message: str) -> str:
    """A message of the server could not be used; it is quoted, as Twilio does."""
    return _written(type="error", description=f"Invalid message received: {message[:500]}")


def _written(**fields: Any) -> str:
    return json.dumps(fields, separators=(",", ":"))
