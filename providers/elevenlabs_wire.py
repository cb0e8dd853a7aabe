"""What ElevenLabs' multi-context text-to-speech says on the wire; no I/O.

Source: the message types of the ``elevenlabs`` package (2.78), ``websocket_tts_*_multi`` and its
neighbours. Clients write ``context_id``, the service writes ``contextId``.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from providers.containers import container_of
from providers.endpoint_checks import check_address
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
from providers.models import DEFAULT_SPEECH_MODEL, SPEECH_MODELS_WITH_LANGUAGE
from providers.settings import (
    ELEVENLABS_BASE_URL,
    ELEVENLABS_KEY,
    ELEVENLABS_MODEL,
    ElevenLabsConfig,
)
from voice.ports import SAMPLE_RATE_HZ, TextMark

PROVIDER = "elevenlabs"
BLAME = Blame(PROVIDER, ELEVENLABS_KEY, "voice", ELEVENLABS_BASE_URL)
MAX_CONTEXTS = 5

# Statuses of a front or a proxy that does not know websockets, or wants none.
_OF_SOMEBODY_ELSE = frozenset({400, 403, 404, 405, 406, 426, 501})

# No message holds so much audio.
_LONGEST_ALIGNED_MS = 3_600_000
# How far ahead the service may skip in the text (markup, characters it does not speak).
_SKIP_CHARS = 12


def socket_url(config: ElevenLabsConfig, voice: str, language: str) -> str:
    """The address of the socket of one voice; ``language`` is the primary subtag.

    Raises:
        ProviderRejected: The base URL is of another scheme.
    """
    scheme, separator, rest = config.base_url.partition("://")
    scheme = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}.get(scheme, "")
    if not scheme or not separator:
        raise ProviderRejected("the address is no http(s) URL", PROVIDER, ELEVENLABS_BASE_URL)
    check_address(config.base_url, PROVIDER, ELEVENLABS_BASE_URL)
    model = config.model or DEFAULT_SPEECH_MODEL
    query = {
        "model_id": model,
        "output_format": "ulaw_8000",
        "auto_mode": "true",
        "sync_alignment": "true",
        "inactivity_timeout": str(config.inactivity_timeout_s),
    }
    if language and model in SPEECH_MODELS_WITH_LANGUAGE:
        query["language_code"] = language
    path = f"/v1/text-to-speech/{quote(voice, safe='')}/multi-stream-input"
    return f"{scheme}://{rest.rstrip('/')}{path}?{urlencode(query)}"


def begin_context(context_id: str, voice_settings: Mapping[str, float | bool]) -> str:
    """The first message of a context: one space, and the only place for voice settings."""
    message: dict[str, Any] = {"text": " ", "context_id": context_id}
    if voice_settings:
        message["voice_settings"] = dict(voice_settings)
    return json.dumps(message)


def speak_text(context_id: str, text: str) -> str:
    """All the text of a context, to be spoken at once. It has to end with a space."""
    text = whole_text(text if text.endswith(" ") else text + " ")
    return json.dumps({"text": text, "context_id": context_id, "flush": True})


def close_context(context_id: str) -> str:
    """Let go of a context: what was flushed is still spoken, then ``isFinal`` comes."""
    return json.dumps({"context_id": context_id, "close_context": True})


def parse(raw: str | bytes) -> dict[str, Any]:
    """One message of the service.

    Raises:
        ProviderProtocolError: It is no JSON object.
    """
    return json_object(raw, PROVIDER)


def decode_audio(encoded: object) -> bytes:
    """The mu-law bytes of the ``audio`` field.

    Raises:
        ProviderProtocolError: It is no base64 text.
    """
    if not isinstance(encoded, str):
        raise ProviderProtocolError("audio that is no text", PROVIDER)
    try:
        return binascii.a2b_base64(encoded, strict_mode=True)
    except (ValueError, binascii.Error):
        raise ProviderProtocolError("audio that is no base64", PROVIDER) from None


def check_beginning(audio: bytes) -> None:
    """See that audio does not begin as a file of another format.

    Raises:
        ProviderProtocolError: It does.
    """
    if name := container_of(audio):
        said = f"it sent {name} where mu-law was asked for"
        raise ProviderProtocolError(said, PROVIDER, ELEVENLABS_BASE_URL)


def error_of_message(code: object) -> ProviderError:
    """The typed error for ``{"error": code, "code": 1008}``."""
    name = safe_code(code) or "error"
    message = f"{name} on the socket"
    if name in ("max_active_conversations", "system_busy") or "concurren" in name:
        return ProviderBusy(message, PROVIDER)
    if "rate_limit" in name or "too_many" in name:
        return ProviderBusy(message, PROVIDER)
    if any(word in name for word in ("api_key", "auth", "quota", "credit", "payment", "subscrip")):
        return ProviderRefused(message, PROVIDER, ELEVENLABS_KEY)
    if "voice" in name:
        return ProviderRejected(message, PROVIDER, "voice")
    if "model" in name:
        return ProviderRejected(message, PROVIDER, ELEVENLABS_MODEL)
    if "language" in name:
        return ProviderRejected(message, PROVIDER, "language")
    return ProviderUnavailable(message, PROVIDER)


def error_of_handshake(status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
    """The typed error for a refused upgrade, with the code of ``{"detail": {"code": ...}}``.

    A refusal without the service's own words is that of something in between, which lets no
    websocket through.
    """
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        message = None
    is_its_own = isinstance(message, dict) and "detail" in message
    if not is_its_own and status in _OF_SOMEBODY_ELSE:
        said = f"no websocket there (HTTP {status})"
        return ProviderProtocolError(said, PROVIDER, ELEVENLABS_BASE_URL)
    return error_of_http(status, headers, message)


def error_of_http(status: int, headers: Mapping[str, str], message: object) -> ProviderError:
    """The typed error for a refused request.

    Args:
        status: 400 or more.
        headers: Names in lower case.
        message: The body as JSON; anything.
    """
    detail = message.get("detail") if isinstance(message, dict) else None
    code = ""
    if isinstance(detail, dict):
        code = safe_code(detail.get("code")) or safe_code(detail.get("status"))
    blame = BLAME
    if status in (400, 404, 422) and "model" in code:
        blame = Blame(PROVIDER, ELEVENLABS_KEY, ELEVENLABS_MODEL, ELEVENLABS_BASE_URL)
    return error_of_status(status, blame, code=code, retry_after=retry_after_s(headers))


class TextTracker:
    """Follows through the caller's text what the service says it is speaking.

    The times of an ``alignment`` count from the start of its own message. Messages are laid one
    after the other: after the audio before them or after the last aligned character, whichever is
    later.
    """

    __slots__ = ("_at", "_covered_s", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._covered_s = 0.0

    def take(self, alignment: object, samples_before: int) -> tuple[TextMark, ...]:
        """Marks at the ends of words. An alignment that makes no sense gives no marks."""
        if not isinstance(alignment, dict):
            return ()
        chars = alignment.get("chars")
        starts_ms = alignment.get("charStartTimesMs")
        durations_ms = alignment.get("charDurationsMs")
        if not (
            isinstance(chars, list)
            and isinstance(starts_ms, list)
            and isinstance(durations_ms, list)
        ):
            return ()
        base_s = max(samples_before / SAMPLE_RATE_HZ, self._covered_s)
        marks: list[TextMark] = []
        marked = self._at
        last = len(chars) - 1
        try:
            for index, (char, start, duration) in enumerate(
                zip(chars, starts_ms, durations_ms, strict=True)
            ):
                self._advance(char)
                ends_ms = start + duration
                if not 0 <= ends_ms <= _LONGEST_ALIGNED_MS:  # false for NaN as well
                    return ()
                end_s = base_s + ends_ms / 1000
                if self._at > marked and (index == last or _ends_word(char)):
                    marked = self._at
                    marks.append(TextMark(marked, end_s))
                self._covered_s = max(self._covered_s, end_s)
        except (TypeError, ValueError, OverflowError):
            return ()
        return tuple(marks)

    def _advance(self, char: str) -> None:
        text, at = self._text, self._at
        if text.startswith(char, at):
            self._at = min(at + len(char), len(text))
        elif char and not char.isspace():
            found = text.find(char, at, at + _SKIP_CHARS)
            if found >= 0:
                self._at = found + len(char)


def _ends_word(char: str) -> bool:
    # Han, kana and Hangul have no spaces: every character is a place to stop.
    return not char.isalnum() or ord(char[-1]) >= 0x2E80
