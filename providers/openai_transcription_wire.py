"""What a session of OpenAI's realtime transcription says on the wire, and what it is told; no I/O.

Source: ``openai.types.realtime`` (openai 3.52) and OpenAI's pages "Realtime transcription" and
"Voice activity detection". A session is asked for with ``?intent=transcription`` and without a
model; which model writes is said in ``session.update``. Unknown types of events and unknown fields
are passed over: both sets are open.

The vendor's own client is not used: one of its messages costs 500 microseconds, one as it is 18.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

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
from providers.models import (
    DEFAULT_TRANSCRIPTION_MODEL,
    TRANSCRIBERS_WITH_KEYWORDS,
    TRANSCRIBERS_WITH_LANGUAGES,
    TRANSCRIBERS_WITH_PROMPT,
    TRANSCRIBERS_WITHOUT_TURNS,
    TRANSCRIPTION_LANGUAGES,
)
from providers.settings import OPENAI_BASE_URL, OPENAI_KEY
from providers.socket_peer import Peer, socket_origin
from providers.socket_settings import (
    OPENAI_STT_BASE_URL,
    OPENAI_STT_KEY,
    OPENAI_STT_MODEL,
    OPENAI_STT_PAUSE,
    OPENAI_STT_TURNS,
    OpenAITranscriptionConfig,
)
from voice.ports import RecogniseRequest

PROVIDER: Final = "openai_transcription"
OPENAI_ADDRESS: Final = "https://api.openai.com/v1"
COMMIT: Final = '{"type":"input_audio_buffer.commit"}'
_KEY: Final = f"{OPENAI_STT_KEY} or {OPENAI_KEY}"
_ADDRESS: Final = f"{OPENAI_STT_BASE_URL} or {OPENAI_BASE_URL}"
_BLAME: Final = Blame(PROVIDER, _KEY, f"{OPENAI_STT_MODEL} or {OPENAI_STT_BASE_URL}", _ADDRESS)
_MOST_MS: Final = 1 << 40

_NOTHING_SAID: Final = "input_audio_buffer_commit_empty"
_NO_MONEY: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_NO_KEY: Final = frozenset({"invalid_api_key", "authentication_error", "permission_denied"})
_NO_MODEL: Final = frozenset({"model_not_found", "invalid_model"})
_BUSY: Final = frozenset({"rate_limit_exceeded", "rate_limit_error", "tokens", "requests"})
_SESSION_OVER: Final = frozenset({"session_expired", "session_not_found"})
# Which setting a refused field of ``session.update`` comes from, by a part of its path.
_FIELDS: Final = (
    ("language", "language"),
    ("keywords", "hints"),
    ("prompt", "hints"),
    ("turn_detection", OPENAI_STT_TURNS),
    ("model", OPENAI_STT_MODEL),
    ("format", OPENAI_STT_BASE_URL),
)


@dataclass(frozen=True, slots=True)
class SessionCreated:
    """The first event."""


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The service found the end of a phrase, so many milliseconds into the session's audio."""

    item_id: str
    audio_end_ms: int


@dataclass(frozen=True, slots=True)
class AudioCommitted:
    """A phrase is an item now."""

    item_id: str


@dataclass(frozen=True, slots=True)
class WordsArrived:
    """More words of an item, which may not be committed yet."""

    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class WordsKnown:
    """All words of an item that was committed.

    Attributes:
        language: What was heard, where the model says so; else empty.
    """

    item_id: str
    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class NothingSaid:
    """There was nothing to commit."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that changes nothing here."""

    type: str


TranscriptionEvent = (
    SessionCreated
    | SpeechStopped
    | AudioCommitted
    | WordsArrived
    | WordsKnown
    | NothingSaid
    | Remark
)


def model_of(config: OpenAITranscriptionConfig) -> str:
    """The model that writes."""
    return config.model or DEFAULT_TRANSCRIPTION_MODEL


def check_config(config: OpenAITranscriptionConfig) -> None:
    """See that the service can be asked.

    Raises:
        ProviderRefused: The key is missing, or is none.
        ProviderRejected: Something makes no sense; names the setting.
    """
    if not config.api_key and config.base_url.rstrip("/") == OPENAI_ADDRESS:
        raise ProviderRefused("there is no key", PROVIDER, _KEY)
    check_key(config.api_key, PROVIDER, _KEY)
    socket_origin(config.base_url, PEER)
    if config.turns not in ("pauses", "semantic_vad"):
        raise ProviderRejected("neither pauses nor semantic_vad", PROVIDER, OPENAI_STT_TURNS)
    if config.turns == "semantic_vad" and model_of(config) in TRANSCRIBERS_WITHOUT_TURNS:
        said = f"{model_of(config)} finds no turns: set pauses, or another model"
        raise ProviderRejected(said, PROVIDER, OPENAI_STT_TURNS)
    if not 0.2 <= config.pause_s <= 3.0:
        raise ProviderRejected("not from 200 to 3000", PROVIDER, OPENAI_STT_PAUSE)


def language_code(language: str) -> str:
    """The service's name of a BCP-47 language.

    Raises:
        ProviderRejected: It is not among those that are listed; Cantonese is not.
    """
    tag = language.lower()
    code = tag.split("-", 1)[0]
    if tag in ("zh-hk", "zh-mo") or code not in TRANSCRIPTION_LANGUAGES:
        raise ProviderRejected(f"it does not hear {language}", PROVIDER, "language")
    return {"nb": "no", "nn": "no", "fil": "tl", "cmn": "zh"}.get(code, code)


def other_codes(request: RecogniseRequest) -> tuple[str, ...]:
    """The service's names of what the caller may change to, as far as it hears it."""
    return other_names(request, language_code)


def socket_url(config: OpenAITranscriptionConfig) -> str:
    """The address of a session. Raises ``ProviderRejected`` when there can be none."""
    return f"{socket_origin(config.base_url, PEER)}/realtime?intent=transcription"


def update_session(config: OpenAITranscriptionConfig, request: RecogniseRequest) -> str:
    """What is written, in which languages, and who finds the ends of phrases."""
    model = model_of(config)
    own, others = language_code(request.language), other_codes(request)
    transcription: dict[str, Any] = {"model": model, "language": own}
    if others and model in TRANSCRIBERS_WITH_LANGUAGES:
        transcription = {"model": model, "languages": [own, *others]}
    terms = [term for phrase in request.phrases if (term := " ".join(phrase.split()))]
    if terms and model in TRANSCRIBERS_WITH_KEYWORDS:
        transcription["keywords"] = terms
    elif terms and model in TRANSCRIBERS_WITH_PROMPT:
        transcription["prompt"] = ", ".join(terms)
    detection = None
    if config.turns == "semantic_vad":
        detection = {"type": "semantic_vad", "eagerness": "high"}
    heard = {
        "format": {"type": "audio/pcmu"},
        "transcription": transcription,
        "turn_detection": detection,
    }
    session = {"type": "transcription", "audio": {"input": heard}}
    return json.dumps({"type": "session.update", "session": session}, ensure_ascii=False)


def append_audio(ulaw: bytes) -> str:
    """A piece of audio."""
    audio = b64encode(ulaw).decode("ascii")
    return f'{{"type":"input_audio_buffer.append","audio":"{audio}"}}'


def parse(raw: str | bytes) -> TranscriptionEvent:
    """One event of the service.

    Raises:
        ProviderProtocolError: It does not follow the protocol.
        ProviderError: It reports a refusal or a failure; typed by its code.
    """
    event = json_object(raw, PROVIDER)
    kind = event.get("type")
    match kind:
        case "conversation.item.input_audio_transcription.delta":
            delta = event.get("delta")  # may be left out where there is nothing new
            return WordsArrived(_text(event, "item_id"), delta if isinstance(delta, str) else "")
        case "conversation.item.input_audio_transcription.completed":
            language = _only_language(event.get("languages"))
            return WordsKnown(_text(event, "item_id"), _text(event, "transcript"), language)
        case "conversation.item.input_audio_transcription.failed":
            raise _error_of_report(event.get("error"))
        case "input_audio_buffer.committed":
            return AudioCommitted(_text(event, "item_id"))
        case "input_audio_buffer.speech_stopped":
            return SpeechStopped(_text(event, "item_id"), _ms(event, "audio_end_ms"))
        case "session.created":
            return SessionCreated()
        case "error":
            report = event.get("error")
            if isinstance(report, dict) and report.get("code") == _NOTHING_SAID:
                return NothingSaid()
            raise _error_of_report(report)
    if not isinstance(kind, str):
        raise ProviderProtocolError("an event without a type", PROVIDER)
    return Remark(safe_code(kind))


def _only_language(languages: object) -> str:
    """The language that was heard, where it was one; some models do not say, or are not sure."""
    if not isinstance(languages, list) or len(languages) != 1:
        return ""
    return safe_code(languages[0].get("code")) if isinstance(languages[0], dict) else ""


def _error_of_report(report: object) -> ProviderError:
    told: Mapping[str, Any] = report if isinstance(report, dict) else {}
    kind, code = safe_code(told.get("type")), safe_code(told.get("code"))
    message, known = f"it reports {code or kind or 'an error'}", {code, kind}
    if known & _NO_MONEY or known & _NO_KEY:
        return ProviderRefused(message, PROVIDER, _KEY)
    if known & _NO_MODEL:
        return ProviderRejected(message, PROVIDER, OPENAI_STT_MODEL)
    if known & _BUSY:
        return ProviderBusy(message, PROVIDER)
    if kind == "invalid_request_error" and not known & _SESSION_OVER:
        param = told.get("param")
        path = param if isinstance(param, str) else ""
        setting = next((setting for part, setting in _FIELDS if part in path), "")
        return ProviderRejected(message, PROVIDER, setting)
    return ProviderUnavailable(message, PROVIDER)


def _text(event: Mapping[str, Any], name: str) -> str:
    value = event.get(name)
    if not isinstance(value, str):
        raise ProviderProtocolError(f"{name} that is no text", PROVIDER)
    return value


def _ms(event: Mapping[str, Any], name: str) -> int:
    value = event.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MOST_MS:
        raise ProviderProtocolError(f"{name} that is no time", PROVIDER)
    return value


def error_of_handshake(status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
    """The typed error of a refused handshake; ``headers`` in lower case."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    report = told.get("error") if isinstance(told, dict) else None
    return error_of_status(
        status,
        _BLAME,
        code=report.get("code") if isinstance(report, dict) else "",
        request_id=headers.get("x-request-id", ""),
        retry_after=retry_after_s(headers),
    )


def error_of_close(code: int | None, reason: str) -> ProviderError:
    """The typed error of a socket that the service closed; None for one that hung up."""
    known = safe_code(reason.rpartition(".")[2])
    if known in _NO_KEY:
        return ProviderRefused(f"closed with {code} {known}", PROVIDER, _KEY)
    if known in _NO_MODEL:
        return ProviderRejected(f"closed with {code} {known}", PROVIDER, OPENAI_STT_MODEL)
    if code is None:
        return ProviderUnavailable("the connection broke", PROVIDER)
    if code == 1013:
        return ProviderBusy("closed with 1013", PROVIDER)
    return ProviderUnavailable(f"closed with {code}", PROVIDER)


PEER: Final = Peer(PROVIDER, _ADDRESS, error_of_handshake, error_of_close)
