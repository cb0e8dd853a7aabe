"""What ElevenLabs' realtime transcription (Scribe) says on the wire, and what it is told; no I/O.

Source: ``elevenlabs.realtime`` and the payload types of the ``elevenlabs`` package (2.78), which
hold the address, the messages of both sides and the names of what goes wrong. Unknown types of
messages and unknown fields are passed over: both sets are open.

The vendor's own client is not used: it opens its socket without a deadline and with compression,
prints whatever a handler raises, and costs 0.7 s to import.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from providers.endpoint_checks import check_key
from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
    ProviderUnavailable,
)
from providers.http_status import Blame, error_of_status, retry_after_s, safe_code
from providers.json_message import json_object
from providers.locales import other_names
from providers.models import DEFAULT_SCRIBE_MODEL, SCRIBE_LANGUAGES
from providers.settings import ELEVENLABS_KEY
from providers.socket_peer import Peer, socket_origin
from providers.socket_settings import (
    SCRIBE_BASE_URL,
    SCRIBE_COMMIT,
    SCRIBE_KEY,
    SCRIBE_MODEL,
    SCRIBE_PAUSE,
    ScribeConfig,
)
from voice.ports import SAMPLE_RATE_HZ, RecogniseRequest

PROVIDER: Final = "scribe"
MAX_KEYTERMS: Final = 50
_MAX_KEYTERM_CHARS: Final = 20
_KEY: Final = f"{SCRIBE_KEY} or {ELEVENLABS_KEY}"
# A commit of too little audio, or of audio in which nobody speaks, is answered so.
_NOTHING_SAID: Final = frozenset({"commit_throttled", "insufficient_audio_activity"})
_ERRORS: Final[Mapping[str, tuple[type[ProviderError], str]]] = {
    "error": (ProviderUnavailable, ""),
    "auth_error": (ProviderRefused, _KEY),
    "quota_exceeded": (ProviderRefused, _KEY),
    "unaccepted_terms": (ProviderRefused, _KEY),
    "rate_limited": (ProviderBusy, ""),
    "queue_overflow": (ProviderBusy, ""),
    "resource_exhausted": (ProviderBusy, ""),
    "transcriber_error": (ProviderUnavailable, ""),
    "session_time_limit_exceeded": (ProviderUnavailable, ""),
    "input_error": (ProviderRejected, SCRIBE_BASE_URL),
    "chunk_size_exceeded": (ProviderRejected, SCRIBE_BASE_URL),
    "invalid_request": (ProviderRejected, SCRIBE_MODEL),
}
_SAME: Final = {"nb": "no", "nn": "no", "cmn": "zh"}
_NO_WORD: Final = frozenset({"spacing", "audio_event"})


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """The first message."""


@dataclass(frozen=True, slots=True)
class PartialWords:
    """All words of the running segment, as they are heard now."""

    text: str


@dataclass(frozen=True, slots=True)
class CommittedWords:
    """A segment that will not change.

    Attributes:
        end_s: Where its last word ends, in seconds of the session; None when it does not say.
        has_times: It is the message with the times of words, which comes after the one without.
        language: What the service says that it is in, or was told; empty when it does not say.
    """

    text: str
    end_s: float | None = None
    has_times: bool = False
    language: str = ""


@dataclass(frozen=True, slots=True)
class NothingSaid:
    """The answer to a commit in which there was nothing to write down; its code."""

    code: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that changes nothing here."""

    type: str


ScribeMessage = SessionStarted | PartialWords | CommittedWords | NothingSaid | Remark


def check_config(config: ScribeConfig) -> None:
    """See that there is a key, an address and a way to commit.

    Raises:
        ProviderRefused: The key is missing, or is none.
        ProviderRejected: Something makes no sense; names the setting.
    """
    if not config.api_key:
        raise ProviderRefused("there is no key", PROVIDER, _KEY)
    check_key(config.api_key, PROVIDER, _KEY)
    socket_origin(config.base_url, PEER)
    if config.commit not in ("manual", "vad"):
        raise ProviderRejected("neither manual nor vad", PROVIDER, SCRIBE_COMMIT)
    if not 0.3 <= config.pause_s <= 3.0:
        raise ProviderRejected("not from 300 to 3000", PROVIDER, SCRIBE_PAUSE)


def language_code(language: str) -> str:
    """The service's name of a BCP-47 language; Cantonese has one of its own.

    Raises:
        ProviderRejected: It does not hear it.
    """
    tag = language.lower()
    primary = tag.split("-", 1)[0]
    code = "yue" if tag in ("zh-hk", "zh-mo") else _SAME.get(primary, primary)
    if code not in SCRIBE_LANGUAGES:
        raise ProviderRejected(f"it does not hear {language}", PROVIDER, "language")
    return code


def socket_url(config: ScribeConfig, request: RecogniseRequest) -> str:
    """The address of a socket; languages, hints and audio format stand in it.

    Raises:
        ProviderRejected: The language is not heard, or the base URL is of another scheme.
    """
    query = [
        ("model_id", config.model or DEFAULT_SCRIBE_MODEL),
        ("audio_format", "ulaw_8000"),
        ("commit_strategy", config.commit),
        ("language_code", language_code(request.language)),
        ("include_timestamps", "true"),
    ]
    if config.commit == "vad":
        query.append(("vad_silence_threshold_secs", f"{config.pause_s:g}"))
    if others := other_codes(request):
        query += [("secondary_languages", code) for code in others]
        query.append(("include_language_detection", "true"))
    query += [("keyterms", term) for term in usable_keyterms(request.phrases)]
    return f"{socket_origin(config.base_url, PEER)}/v1/speech-to-text/realtime?{urlencode(query)}"


def other_codes(request: RecogniseRequest) -> tuple[str, ...]:
    """The service's names of what the caller may change to, as far as it hears it."""
    return other_names(request, language_code)


def usable_keyterms(phrases: tuple[str, ...]) -> tuple[str, ...]:
    """The phrases that the service takes, in order; one that it does not take would lose all."""
    terms = (" ".join(phrase.split()) for phrase in phrases)
    known = dict.fromkeys(term for term in terms if 0 < len(term) <= _MAX_KEYTERM_CHARS)
    return tuple(known)[:MAX_KEYTERMS]


def audio_chunk(ulaw: bytes) -> str:
    """A piece of audio."""
    return _chunk(b64encode(ulaw).decode("ascii"), "false")


def commit() -> str:
    """Let the segment so far be final."""
    return _chunk("", "true")


def _chunk(audio: str, is_commit: str) -> str:
    return (
        f'{{"message_type":"input_audio_chunk","audio_base_64":"{audio}",'
        f'"commit":{is_commit},"sample_rate":{SAMPLE_RATE_HZ}}}'
    )


def parse(raw: str | bytes) -> ScribeMessage:
    """One message of the service.

    Raises:
        ProviderProtocolError: It does not follow the protocol.
        ProviderError: It reports what ends the session; typed by its name.
    """
    message = json_object(raw, PROVIDER)
    kind = message.get("message_type")
    match kind:
        case "session_started":
            return SessionStarted()
        case "partial_transcript":
            return PartialWords(_text(message))
        case "committed_transcript":
            return CommittedWords(_text(message))
        case "committed_transcript_with_timestamps":
            language = safe_code(message.get("language_code"))
            return CommittedWords(_text(message), _end_of(message.get("words")), True, language)
    name = safe_code(kind)
    if name in _NOTHING_SAID:
        return NothingSaid(name)
    if name in _ERRORS:
        error, setting = _ERRORS[name]
        raise error(f"it reports {name}", PROVIDER, setting)
    if not name:
        raise ProviderProtocolError("a message without a type", PROVIDER)
    return Remark(name)


def _text(message: Mapping[str, Any]) -> str:
    text = message.get("text")
    if not isinstance(text, str):
        raise ProviderProtocolError("words that are no text", PROVIDER)
    return text


def _end_of(words: object) -> float | None:
    """Where the last word ends."""
    if words is None:
        return None
    if not isinstance(words, list):
        raise ProviderProtocolError("words that are no list", PROVIDER)
    for word in reversed(words):
        if not isinstance(word, dict):
            raise ProviderProtocolError("a word that is no object", PROVIDER)
        kind = word.get("type")
        if isinstance(kind, str) and kind in _NO_WORD:
            continue
        end = word.get("end")
        if end is None:
            return None
        if isinstance(end, bool) or not isinstance(end, int | float):
            raise ProviderProtocolError("a time that is no number", PROVIDER)
        if not 0 <= end < 1e9:  # false for NaN as well
            raise ProviderProtocolError("a time that cannot be", PROVIDER)
        return float(end) if math.isfinite(end) else None
    return None


def error_of_handshake(status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
    """The typed error for a refused upgrade, with the code of ``{"detail": {"code": ...}}``."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    detail = told.get("detail") if isinstance(told, dict) else None
    code = ""
    if isinstance(detail, dict):
        code = safe_code(detail.get("code")) or safe_code(detail.get("status"))
    request = SCRIBE_BASE_URL if status == 404 else SCRIBE_MODEL
    if "language" in code:
        request = "language"
    blame = Blame(PROVIDER, _KEY, request, SCRIBE_BASE_URL)
    return error_of_status(status, blame, code=code, retry_after=retry_after_s(headers))


def error_of_close(code: int | None, reason: str) -> ProviderError:
    """The typed error for a socket that the service closed; None for one that hung up."""
    if code is None:
        return ProviderUnavailable("the connection broke", PROVIDER)
    name = safe_code(reason)
    if name in _ERRORS:
        error, setting = _ERRORS[name]
        return error(f"closed with {code} {name}", PROVIDER, setting)
    if code == 1013:
        return ProviderBusy("closed with 1013", PROVIDER)
    return ProviderUnavailable(f"closed with {code}", PROVIDER)


PEER: Final = Peer(PROVIDER, SCRIBE_BASE_URL, error_of_handshake, error_of_close)
