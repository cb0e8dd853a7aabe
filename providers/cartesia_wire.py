"""What Cartesia's text-to-speech says on its websocket, and what it is told; no I/O.

Source: Cartesia's pages "Text to Speech (WebSocket)", "Contexts", "API Errors" and "Concurrency and
WebSocket Limits" (version 2026-03-01 of the interface). Unknown types of messages and unknown
fields are passed over.
"""

from __future__ import annotations

import binascii
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from providers.containers import container_of
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
from providers.json_message import json_object, whole_text
from providers.models import CARTESIA_LANGUAGES, DEFAULT_CARTESIA_MODEL
from providers.socket_peer import Peer, socket_origin
from providers.socket_settings import (
    CARTESIA_BASE_URL,
    CARTESIA_KEY,
    CARTESIA_MODEL,
    CartesiaConfig,
)
from voice.ports import SAMPLE_RATE_HZ, SpeakRequest

PROVIDER: Final = "cartesia"
VERSION: Final = "2026-03-01"
VOICE_PATTERN: Final = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
VOICE_EXAMPLE: Final = "f786b574-daa5-4673-aa0c-cbe3e8534c02"
_LONGEST_MESSAGE_BYTES: Final = 8 << 20
_MOST_WORDS: Final = 10_000


@dataclass(frozen=True, slots=True)
class AudioMade:
    """More audio of a context."""

    context_id: str
    ulaw: bytes


@dataclass(frozen=True, slots=True)
class WordsTimed:
    """Words of a context and where each ends, in seconds of its audio."""

    context_id: str
    words: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Done:
    """No more comes of a context."""

    context_id: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A context failed; the socket and the others on it are whole."""

    context_id: str
    error: ProviderError


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that changes nothing here."""

    type: str


CartesiaMessage = AudioMade | WordsTimed | Done | Failed | Remark


def check_config(config: CartesiaConfig) -> None:
    """See that there is a key and an address.

    Raises:
        ProviderRefused: The key is missing, or is none.
        ProviderRejected: The address is no http(s) or ws(s) URL.
    """
    if not config.api_key:
        raise ProviderRefused("there is no key", PROVIDER, CARTESIA_KEY)
    check_key(config.api_key, PROVIDER, CARTESIA_KEY)
    socket_url(config)


def socket_url(config: CartesiaConfig) -> str:
    """The address of a socket, which serves any voice. Raises ``ProviderRejected``."""
    origin = socket_origin(config.base_url, PEER)
    return f"{origin}/tts/websocket?cartesia_version={VERSION}"


def language_code(language: str) -> str:
    """The service's name of a BCP-47 language; Chinese is Mandarin.

    Raises:
        ProviderRejected: It does not speak it.
    """
    tag = language.lower()
    code = tag.split("-", 1)[0]
    if tag in ("zh-hk", "zh-mo") or code not in CARTESIA_LANGUAGES:
        raise ProviderRejected(f"it does not speak {language}", PROVIDER, "language")
    return {"nb": "no", "nn": "no", "fil": "tl", "cmn": "zh"}.get(code, code)


def speak(context_id: str, request: SpeakRequest, model: str) -> str:
    """Ask for the whole text of a context, which ends with it.

    Raises:
        ProviderRejected: No voice is given, or the language is not spoken.
    """
    if not request.voice:
        raise ProviderRejected("no voice is given", PROVIDER, "voice")
    message = {
        "context_id": context_id,
        "model_id": model or DEFAULT_CARTESIA_MODEL,
        "transcript": whole_text(request.text),
        "voice": {"mode": "id", "id": request.voice},
        "language": language_code(request.language),
        "output_format": {
            "container": "raw",
            "encoding": "pcm_mulaw",
            "sample_rate": SAMPLE_RATE_HZ,
        },
        "continue": False,
        "add_timestamps": True,
    }
    return json.dumps(message, ensure_ascii=False)


def cancel(context_id: str) -> str:
    """Nobody listens to this context any more."""
    return json.dumps({"context_id": context_id, "cancel": True})


def parse(raw: str | bytes) -> CartesiaMessage:
    """One message of the service.

    Raises:
        ProviderProtocolError: It does not follow the protocol, and it is about no context.
        ProviderError: It reports an error that is about no context.
    """
    message = json_object(raw, PROVIDER)
    kind, context_id = message.get("type"), message.get("context_id")
    if kind == "error":
        error = _error_of_report(message)
        if not isinstance(context_id, str) or not context_id:
            raise error
        return Failed(context_id, error)
    if kind not in ("chunk", "timestamps", "done"):
        return Remark(safe_code(kind))
    if not isinstance(context_id, str) or not context_id:
        raise ProviderProtocolError("a message without a context", PROVIDER)
    try:
        if kind == "chunk":
            return AudioMade(context_id, _audio(message.get("data")))
        if kind == "timestamps":
            return WordsTimed(context_id, _words(message.get("word_timestamps")))
    except ProviderProtocolError as error:
        return Failed(context_id, error)
    return Done(context_id)


def check_beginning(audio: bytes) -> None:
    """See that audio does not begin as a file of another format.

    Raises:
        ProviderProtocolError: It does.
    """
    if name := container_of(audio):
        said = f"it sent {name} where mu-law was asked for"
        raise ProviderProtocolError(said, PROVIDER, CARTESIA_BASE_URL)


def _audio(encoded: object) -> bytes:
    if not isinstance(encoded, str):
        raise ProviderProtocolError("audio that is no text", PROVIDER)
    try:
        return binascii.a2b_base64(encoded, strict_mode=True)
    except ValueError:
        raise ProviderProtocolError("audio that is no base64", PROVIDER) from None


def _words(told: object) -> tuple[tuple[str, float], ...]:
    """Times are a help: those that make no sense are none."""
    if not isinstance(told, dict):
        return ()
    words, ends = told.get("words"), told.get("end")
    if not isinstance(words, list) or not isinstance(ends, list) or len(words) != len(ends):
        return ()
    timed: list[tuple[str, float]] = []
    for word, end in zip(words[:_MOST_WORDS], ends, strict=False):
        is_time = isinstance(end, int | float) and not isinstance(end, bool)
        if not isinstance(word, str) or not is_time or not 0 <= end < 1e6 or math.isnan(end):
            return ()
        timed.append((word, float(end)))
    return tuple(timed)


def _error_of_report(message: Mapping[str, Any]) -> ProviderError:
    code, status = safe_code(message.get("error_code")), message.get("status_code")
    said = f"it reports {code or 'an error'}"
    if "concurrency" in code or "rate_limit" in code:
        return ProviderBusy(said, PROVIDER)
    if any(word in code for word in ("quota", "credit", "payment", "plan_upgrade")):
        return ProviderRefused(said, PROVIDER, CARTESIA_KEY)
    for word, setting in (("voice", "voice"), ("model", CARTESIA_MODEL), ("language", "language")):
        if word in code:
            return ProviderRejected(said, PROVIDER, setting)
    if isinstance(status, int) and not isinstance(status, bool) and 400 <= status <= 599:
        return error_of_status(status, _blame(status), code=code)
    return ProviderUnavailable(said, PROVIDER)


def _blame(status: int) -> Blame:
    request = CARTESIA_BASE_URL if status == 404 else f"voice or {CARTESIA_MODEL}"
    return Blame(PROVIDER, CARTESIA_KEY, request, CARTESIA_BASE_URL)


def error_of_handshake(status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
    """The typed error for a refused upgrade; ``headers`` in lower case."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    fields = told if isinstance(told, dict) else {}
    return error_of_status(
        status,
        _blame(status),
        code=fields.get("error_code"),
        request_id=safe_code(fields.get("request_id")),
        retry_after=retry_after_s(headers),
    )


def error_of_close(code: int | None, _reason: str) -> ProviderError:
    """The typed error for a socket that the service closed; None for one that hung up."""
    if code is None:
        return ProviderUnavailable("the connection broke", PROVIDER)
    if code == 1013:
        return ProviderBusy("closed with 1013", PROVIDER)
    return ProviderUnavailable(f"closed with {code}", PROVIDER)


PEER: Final = Peer(
    PROVIDER, CARTESIA_BASE_URL, error_of_handshake, error_of_close, _LONGEST_MESSAGE_BYTES
)
