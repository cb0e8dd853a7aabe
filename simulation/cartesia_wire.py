"""Cartesia's messages: what a generation request may say, audio, times of words, errors."""

from __future__ import annotations

import base64
import json
import re
import uuid
from dataclasses import dataclass
from typing import Any

from simulation.errors import WireViolation
from simulation.voice_sound import Speech

MODELS = ("sonic-3.5", "sonic-3", "sonic-latest")
_LANGUAGES = """
    en fr de es pt zh ja hi it ko nl pl ru sv tr tl bg ro ar cs el fi hr ms sk da ta uk hu no vi bn
    th he ka id te gu kn ml mr pa
"""
LANGUAGES = frozenset(_LANGUAGES.split())
BYTES_A_S = {"pcm_mulaw": 8_000, "pcm_s16le": 16_000}
MISSING_VOICE = "00000000-0000-4000-8000-000000000000"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_WORD = re.compile(r"\S+|[\u3040-\u30ff\u3400-\u9fff]")
_CODES = {
    400: ("invalid_request", "Invalid request"),
    401: ("unauthorized", "Unauthorized"),
    402: ("quota_exceeded", "Quota exceeded"),
    403: ("forbidden", "Forbidden"),
    404: ("not_found", "Not found"),
    429: ("concurrency_limited", "Too many concurrent requests"),
}


class CartesiaRefusal(WireViolation):
    """A request that the service refuses: status and code of its ``error`` message."""

    def __init__(self, message: str = "", status: int = 400, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code or _CODES.get(status, ("", ""))[0]


@dataclass(frozen=True, slots=True)
class Generation:
    """One message that asks for speech.

    Attributes:
        fixed: What may not change within a context.
        goes_on: More text of the context may follow.
    """

    context_id: str
    transcript: str
    voice: str
    language: str
    encoding: str
    fixed: str
    goes_on: bool
    with_words: bool
    flush: bool


def generation_of(body: dict[str, Any]) -> Generation:
    """Check a request. Raises ``CartesiaRefusal`` as the service would."""
    context_id = body.get("context_id")
    if context_id is None:
        context_id = str(uuid.uuid4())
    if not isinstance(context_id, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", context_id):
        raise CartesiaRefusal("context_id has letters, digits, _ and -", code="invalid_context_id")
    if body.get("model_id") not in MODELS:
        raise CartesiaRefusal("The model is not valid", 404, "model_not_found")
    transcript, voice = body.get("transcript"), body.get("voice")
    if not isinstance(transcript, str):
        raise CartesiaRefusal("transcript is a text", code="invalid_transcript")
    voice_id = voice.get("id") if isinstance(voice, dict) else None
    if not isinstance(voice_id, str) or not _UUID.fullmatch(voice_id):
        raise CartesiaRefusal("voice has a mode and an id", code="invalid_voice")
    if voice_id == MISSING_VOICE:
        raise CartesiaRefusal("Voice not found", 404, "voice_not_found")
    language = body.get("language", "en")
    if language not in LANGUAGES:
        raise CartesiaRefusal("Language not supported", code="language_not_supported")
    goes_on = body.get("continue", False) is True
    if not transcript.strip() and not goes_on and not body.get("context_id"):
        raise CartesiaRefusal("transcript is empty", code="invalid_transcript")
    return Generation(
        context_id,
        transcript,
        voice_id,
        str(language),
        _encoding_of(body.get("output_format")),
        json.dumps([body.get(name) for name in ("model_id", "voice", "language", "output_format")]),
        goes_on,
        body.get("add_timestamps") is True,
        body.get("flush") is True,
    )


def _encoding_of(told: object) -> str:
    wanted = told if isinstance(told, dict) else {}
    encoding = wanted.get("encoding")
    if wanted.get("container") != "raw" or encoding not in BYTES_A_S:
        said = f"This emulator speaks raw {' and '.join(BYTES_A_S)}"
        raise CartesiaRefusal(said, code="invalid_output_format")
    if wanted.get("sample_rate") != 8_000:
        raise CartesiaRefusal("This emulator speaks 8000 Hz", code="invalid_output_format")
    return str(encoding)


def http_error(status: int, message: str, code: str = "") -> bytes:
    """The envelope of an HTTP error."""
    usual, title = _CODES.get(status, ("internal_error", "Internal error"))
    error = {
        "error_code": code or usual,
        "title": title,
        "message": message,
        "request_id": str(uuid.uuid4()),
    }
    return json.dumps(error).encode()


def error_message(refusal: CartesiaRefusal, context_id: str | None) -> str:
    """An ``error`` message; without a context when the request had none."""
    told: dict[str, Any] = {
        "type": "error",
        "done": True,
        "status_code": refusal.status,
        "error_code": refusal.code,
        "title": _CODES.get(refusal.status, ("", "Error"))[1],
        "message": refusal.message,
        "request_id": str(uuid.uuid4()),
    }
    if context_id is not None:
        told["context_id"] = context_id
    return json.dumps(told)


def chunk_message(audio: bytes, context_id: str) -> str:
    """A piece of audio."""
    data = base64.b64encode(audio).decode("ascii")
    return _of_context("chunk", context_id, data=data, step_time=1.0)


def words_message(words: list[tuple[str, float, float]], context_id: str) -> str:
    """When words begin and end, in seconds of the context's audio."""
    timed = {
        "words": [word for word, _, _ in words],
        "start": [round(start, 3) for _, start, _ in words],
        "end": [round(end, 3) for _, _, end in words],
    }
    return _of_context("timestamps", context_id, word_timestamps=timed)


def flush_message(context_id: str, flush_id: int) -> str:
    """All audio of what was sent before a flush has gone out."""
    return _of_context("flush_done", context_id, flush_done=True, flush_id=flush_id)


def done_message(context_id: str) -> str:
    """Nothing more comes of this context."""
    return _of_context("done", context_id, done=True)


def _of_context(kind: str, context_id: str, **fields: Any) -> str:
    told = {"type": kind, "done": False, "status_code": 206, "context_id": context_id, **fields}
    return json.dumps(told, ensure_ascii=False)


def words_of(speech: Speech) -> list[tuple[str, float, float]]:
    """The words of a text and when they begin and end."""
    starts = (*speech.char_starts_s, speech.duration_s)
    return [
        (match.group(), starts[match.start()], starts[match.end()])
        for match in _WORD.finditer(speech.text)
    ]
