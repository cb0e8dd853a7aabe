"""What the service says on a socket of Deepgram's turn-based recognition (Flux, ``/v2/listen``).

Source: Deepgram's AsyncAPI description of ``listen.v2`` and its page "Understanding the Flux State
Machine". Unknown types of messages, unknown events of a turn and unknown fields are passed over:
all three are open sets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from providers.deepgram_errors import PROVIDER, error_of_code
from providers.errors import ProviderProtocolError
from providers.http_status import safe_code
from providers.json_message import json_object

_END_OF_TURN = "EndOfTurn"
_EAGER_END = "EagerEndOfTurn"
_RESUMED = "TurnResumed"
_BY_ITSELF = ("manual", "timeout")  # what ended a turn, when it was not the model


@dataclass(frozen=True, slots=True)
class Connected:
    """The first message. Every later one of this socket carries the same ``request_id``."""

    request_id: str


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word as it is written; its times, in seconds of the socket's audio, are optional."""

    text: str
    start_s: float | None
    end_s: float | None


@dataclass(frozen=True, slots=True)
class TurnInfo:
    """The current turn as it stands.

    Attributes:
        index: Counts the turns of the socket.
        window_start_s, window_end_s: The audio that was transcribed, in seconds of the socket's.
        transcript: All words of the turn so far; they may change until it ends.
        is_end: The turn is over.
        is_likely_end: The model believes that it is: then, or ahead of that.
        is_resumed: It no longer believes so.
        end_ratio: How sure it is, 0 to 1; None when it does not say.
        language: What most of its words are in, as the multilingual model says; else empty.
    """

    request_id: str
    index: int
    window_start_s: float
    window_end_s: float
    transcript: str
    words: tuple[HeardWord, ...]
    is_end: bool
    is_likely_end: bool = False
    is_resumed: bool = False
    end_ratio: float | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that changes nothing here: its type, and a code where it has one."""

    type: str
    code: str


FluxMessage = Connected | TurnInfo | Remark


def parse(raw: str | bytes) -> FluxMessage:
    """One message of the service.

    Raises:
        ProviderProtocolError: It does not follow the protocol.
        ProviderError: It reports a fatal error; typed by its code.
    """
    message = json_object(raw, PROVIDER)
    kind = message.get("type")
    if kind == "TurnInfo":
        return _turn_info(message)
    if kind == "Connected":
        return Connected(_text(message, "request_id"))
    if kind == "Error":
        raise error_of_code(message.get("code"))
    return Remark(safe_code(kind), safe_code(message.get("code")))


def _turn_info(message: dict[str, Any]) -> TurnInfo:
    words = message.get("words", [])
    if not isinstance(words, list):
        raise ProviderProtocolError("words that are no list", PROVIDER)
    index = message.get("turn_index")
    if not isinstance(index, int):
        raise ProviderProtocolError("turn_index that is no number", PROVIDER)
    event, sure = _text(message, "event"), message.get("end_of_turn_confidence")
    is_end = event == _END_OF_TURN
    return TurnInfo(
        request_id=_text(message, "request_id"),
        index=index,
        window_start_s=_number(message.get("audio_window_start")),
        window_end_s=_number(message.get("audio_window_end")),
        transcript=_text(message, "transcript"),
        words=tuple(_word(word) for word in words),
        is_end=is_end,
        is_likely_end=event == _EAGER_END or (is_end and message.get("trigger") not in _BY_ITSELF),
        is_resumed=event == _RESUMED,
        end_ratio=None if sure is None else min(_number(sure), 1.0),
        language=_first_language(message.get("languages")),
    )


def _first_language(languages: object) -> str:
    """They are sorted, the one of most words first; empty where nothing was said."""
    first = languages[0] if isinstance(languages, list) and languages else ""
    return safe_code(first)


def _word(word: object) -> HeardWord:
    if not isinstance(word, dict):
        raise ProviderProtocolError("a word that is no object", PROVIDER)
    times = [None if word.get(key) is None else _number(word[key]) for key in ("start", "end")]
    return HeardWord(_text(word, "word"), times[0], times[1])


def _text(message: dict[str, Any], name: str) -> str:
    value = message.get(name)
    if not isinstance(value, str):
        raise ProviderProtocolError(f"{name} that is no text", PROVIDER)
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProviderProtocolError("a time or a confidence that is no number", PROVIDER)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number < 0:
        raise ProviderProtocolError("a time or a confidence that cannot be", PROVIDER)
    return number
