"""What we say to Twilio in a ConversationRelay session: text, play, digits, language, end.

Ten messages in a row that Twilio cannot use end the session (1007), so whatever it would refuse is
refused here, where there is still somebody to tell.

Source: Twilio, ConversationRelay, WebSocket Messages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from telephony.errors import LocalProtocolError

MAX_LOOP = 1_000
_DIGITS = re.compile(r"[0-9w#*]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


def text_message(
    token: str,
    *,
    is_last: bool,
    language: str | None = None,
    is_interruptible: bool | None = None,
    is_preemptible: bool | None = None,
) -> str:
    """Words to be spoken, a piece of a talk cycle.

    Args:
        token: The words with the blanks between them; may be empty, to end a cycle.
        is_last: Nothing more of this cycle follows.
        language: BCP-47 tag for these words; None for that of the session.
        is_interruptible: Whether the caller can cut them; None as the TwiML says.
        is_preemptible: Whether the next cycle cuts them; None as the TwiML says.

    Raises:
        LocalProtocolError: Half a character, or no language tag.
    """
    plain: dict[str, Any] = {"type": "text", "token": token, "last": is_last}
    if language is not None:
        plain["lang"] = _language(language)
    return _written(plain, interruptible=is_interruptible, preemptible=is_preemptible)


def play_message(
    source: str,
    *,
    loop: int = 1,
    is_interruptible: bool | None = None,
    is_preemptible: bool | None = None,
) -> str:
    """A sound file to be played.

    Args:
        source: Absolute ``http(s)://`` URL.
        loop: How often, 0 for as often as Twilio allows (1,000 times).
        is_interruptible: As ``text_message`` has it.
        is_preemptible: Likewise.

    Raises:
        LocalProtocolError: No such URL, or a number out of range.
    """
    if urlsplit(source).scheme not in {"http", "https"}:
        raise LocalProtocolError("source is an absolute http(s) URL")
    if not 0 <= loop <= MAX_LOOP:
        raise LocalProtocolError(f"loop is 0 to {MAX_LOOP}")
    plain = {"type": "play", "source": source, "loop": loop}
    return _written(plain, interruptible=is_interruptible, preemptible=is_preemptible)


def digits_message(digits: str) -> str:
    """Keys to be pressed on the line: ``0-9 # *``, ``w`` for a pause of 0.5 s, ``W`` for 1 s.

    Raises:
        LocalProtocolError: Something else among them, or nothing at all.
    """
    halves = digits.replace("W", "ww")  # this interface knows the short pause only
    if _DIGITS.fullmatch(halves) is None:
        raise LocalProtocolError("digits are of 0-9 # * w W, at least one")
    return _written({"type": "sendDigits", "digits": halves})


def language_message(*, spoken: str | None = None, heard: str | None = None) -> str:
    """Another language from here on, for the voice, the recogniser, or both.

    Raises:
        LocalProtocolError: Neither is given, or one is no BCP-47 tag.
    """
    plain = {"type": "language"}
    if spoken is not None:
        plain["ttsLanguage"] = _language(spoken)
    if heard is not None:
        plain["transcriptionLanguage"] = _language(heard)
    if len(plain) == 1:
        raise LocalProtocolError("a language for the voice, the recogniser, or both")
    return _written(plain)


def end_message(handoff_data: Mapping[str, Any] | None = None) -> str:
    """The end of the session; the call stays up, and ``action`` is asked with the data.

    Args:
        handoff_data: JSON types; posted as one JSON text.
    """
    plain: dict[str, Any] = {"type": "end"}
    if handoff_data is not None:
        plain["handoffData"] = json.dumps(handoff_data, separators=(",", ":"))
    return _written(plain)


def _language(tag: str) -> str:
    if _LANGUAGE.fullmatch(tag) is None:
        raise LocalProtocolError("language is a BCP-47 tag, such as en-US")
    return tag


def _written(plain: Mapping[str, Any], **flags: bool | None) -> str:
    """As JSON; ``flags`` that are None are left to the TwiML."""
    given = {name: value for name, value in flags.items() if value is not None}
    text = json.dumps({**plain, **given}, separators=(",", ":"), ensure_ascii=False)
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise LocalProtocolError("half a character cannot be sent") from None
    return text
