"""ElevenLabs' messages: audio with its alignment, and errors on both of its transports."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from simulation.voice_sound import SAMPLE_RATE_HZ, Speech

_ERROR_TYPES = {
    400: ("invalid_request", "invalid_request"),
    401: ("authentication_error", "invalid_api_key"),
    402: ("payment_required", "insufficient_credits"),
    403: ("authorization_error", "forbidden"),
    404: ("not_found", "voice_not_found"),
    429: ("rate_limit_error", "concurrent_limit_exceeded"),
}


def http_error(status: int, message: str, code: str = "") -> bytes:
    """The envelope of an HTTP error."""
    kind, usual = _ERROR_TYPES.get(status, ("server_error", "system_busy"))
    detail = {
        "type": kind,
        "code": code or usual,
        "message": message,
        "status": code or usual,
        "request_id": uuid.uuid4().hex,
        "param": None,
    }
    return json.dumps({"detail": detail}).encode()


def socket_error(message: str, error: str) -> str:
    """What is sent before a socket is closed with 1008."""
    return json.dumps({"message": message, "error": error, "code": 1008})


@dataclass(frozen=True, slots=True)
class AudioPiece:
    """A piece of a segment's audio and the characters that begin in it, times from its start."""

    audio: bytes
    alignment: dict[str, list[Any]] | None


def cut_speech(
    speech: Speech, piece_s: float, audio: bytes, bytes_a_s: int
) -> Iterator[AudioPiece]:
    """Cut a segment into pieces of ``piece_s``.

    A piece's last character lasts to the end of the piece, so that a client who adds up starts and
    durations stays in step with the audio.

    Args:
        speech: Text and character times.
        piece_s: Length of a piece.
        audio: The sound in the format that was asked for.
        bytes_a_s: Bytes of one second of ``audio``.
    """
    step = max(2, int(piece_s * bytes_a_s) & ~1)
    char = 0
    for at in range(0, len(audio), step):
        piece = audio[at : at + step]
        start_s, end_s = at / bytes_a_s, (at + len(piece)) / bytes_a_s
        first = char
        is_last = at + step >= len(audio)
        while char < len(speech.text) and (is_last or speech.char_starts_s[char] < end_s):
            char += 1
        yield AudioPiece(piece, _alignment(speech, first, char, (start_s, end_s)))


def _alignment(
    speech: Speech, first: int, after: int, span_s: tuple[float, float]
) -> dict[str, list[Any]] | None:
    if first == after:
        return None
    starts = [min(max(s, span_s[0]), span_s[1]) for s in speech.char_starts_s[first:after]]
    ends = [*starts[1:], span_s[1]]
    starts_ms = [round((s - span_s[0]) * 1_000) for s in starts]
    ends_ms = [round((s - span_s[0]) * 1_000) for s in ends]
    return {
        "chars": list(speech.text[first:after]),
        "charStartTimesMs": starts_ms,
        "charDurationsMs": [end - start for start, end in zip(starts_ms, ends_ms, strict=True)],
    }


def audio_message(piece: AudioPiece, context_id: str | None) -> str:
    """One piece of audio; ``context_id`` is None on a single-stream socket."""
    body: dict[str, Any] = {
        "audio": base64.b64encode(piece.audio).decode("ascii"),
        "isFinal": None,
        "normalizedAlignment": piece.alignment,
        "alignment": piece.alignment,
    }
    if context_id is not None:
        body["contextId"] = context_id
    return json.dumps(body, ensure_ascii=False)


def final_message(context_id: str | None) -> str:
    """The end of a context, or of a single stream."""
    if context_id is None:
        return json.dumps({"audio": None, "isFinal": True})
    return json.dumps({"isFinal": True, "contextId": context_id})


ULAW_BYTES_A_S = SAMPLE_RATE_HZ
PCM_BYTES_A_S = SAMPLE_RATE_HZ * 2
