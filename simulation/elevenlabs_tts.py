"""ElevenLabs' text-to-speech, over HTTP and WebSockets, spoken by the emulated voice.

Paths: ``POST /v1/text-to-speech/{voice}`` and ``.../stream``, sockets ``.../stream-input`` and
``.../multi-stream-input``, ``GET /v1/voices``, ``/v1/voices/{voice}``, ``/v2/voices`` (in pages),
``/v1/models``, ``/v1/user/subscription``. Audio formats are ``ulaw_8000`` and ``pcm_8000``.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from simulation.elevenlabs_socket import SpeechSocket, StreamSettings
from simulation.elevenlabs_wire import (
    PCM_BYTES_A_S,
    ULAW_BYTES_A_S,
    AudioPiece,
    cut_speech,
    http_error,
)
from simulation.faults import FaultBoard
from simulation.tongue import language_of
from simulation.voice_sound import Speech, SpokenVoice
from simulation.wire_http import Reply, Request
from simulation.wire_server import Refusal
from simulation.wire_socket import Socket
from telephony import g711

_SPEECH = re.compile(
    r"/v1/text-to-speech/(?P<voice>[^/]+)(?P<kind>/stream|/stream-input|/multi-stream-input)?"
)
_LISTS = ("/v1/voices", "/v2/voices", "/v1/models", "/v1/user/subscription")
_ONE_VOICE = re.compile(r"/v1/voices/(?P<id>[^/]+)")
BAD_KEY = "bad"
BAD_VOICE = "missing-voice"
_MOST_CHARS = 10_000
_FORMATS = {"ulaw_8000": ULAW_BYTES_A_S, "pcm_8000": PCM_BYTES_A_S}
_WITHOUT_SOCKET = "eleven_v3"
_MODELS = ("eleven_flash_v2_5", "eleven_turbo_v2_5", "eleven_multilingual_v2", _WITHOUT_SOCKET)


@dataclass(frozen=True, slots=True)
class ElevenLabsConfig:
    """How quick the voice is.

    Attributes:
        first_byte_s: From a segment's last character to its first audio.
        piece_s: Audio in one message.
        speed_ratio: How much faster than real time the rest follows; 0 for all at once.
        voices: Ids and names for ``GET /v1/voices``; any id speaks but ``missing-voice``.
        most_concurrent: Shown in the concurrency headers.
    """

    first_byte_s: float = 0.12
    piece_s: float = 0.25
    speed_ratio: float = 5.0
    voices: tuple[tuple[str, str], ...] = (
        ("21m00Tcm4TlvDq8ikWAM", "Rachel"),
        ("pNInz6obpgDQGcFmaJgB", "Adam"),
    )
    most_concurrent: int = 15


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One segment to speak."""

    text: str
    voice: str
    language: str
    audio_format: str


class ElevenLabsTextToSpeech:
    """The service behind one port.

    Args:
        config: Pace and voices.
        voice: Makes the sound.
        board: Its faults.
    """

    name = "elevenlabs"

    def __init__(self, config: ElevenLabsConfig, voice: SpokenVoice, board: FaultBoard) -> None:
        self._config = config
        self._voice = voice
        self._board = board
        self._speaking = 0
        # One thread: the voice library has one global state, and the event loop stays free.
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="voice")

    def close(self) -> None:
        """Give the voice's thread back."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def check(self, request: Request) -> None:
        """Path, key, voice and format. Raises ``Refusal``."""
        match = _SPEECH.fullmatch(request.path)
        of_one = _ONE_VOICE.fullmatch(request.path)
        if match is None and of_one is None and request.path not in _LISTS:
            raise Refusal(404, http_error(404, "Not found", "not_found"))
        key = request.headers.get("xi-api-key", "")
        if key == BAD_KEY or (not key and not request.is_upgrade):
            raise Refusal(401, http_error(401, "Invalid API key"))
        if of_one is not None and of_one["id"] not in dict(self._config.voices):
            raise Refusal(404, http_error(404, f"A voice with id {of_one['id']} was not found"))
        if match is None:
            return
        if match["voice"] == BAD_VOICE:
            raise Refusal(404, http_error(404, f"A voice with id {BAD_VOICE} was not found"))
        wanted = request.query.get("output_format", "mp3_44100_128")
        if wanted not in _FORMATS:
            message = f"This emulator speaks {', '.join(_FORMATS)}, not {wanted}"
            raise Refusal(400, http_error(400, message, "invalid_output_format"))

    def open(self, request: Request, socket: Socket) -> SpeechSocket:
        """A client opens a streaming socket. Raises ``Refusal``."""
        match = _SPEECH.fullmatch(request.path)
        if match is None or match["kind"] not in ("/stream-input", "/multi-stream-input"):
            raise Refusal(404, http_error(404, "No such socket", "not_found"))
        query = request.query
        if query.get("model_id") == _WITHOUT_SOCKET:
            raise Refusal(403, http_error(403, f"{_WITHOUT_SOCKET} has no WebSocket"))
        timeout = query.get("inactivity_timeout", "20")
        settings = StreamSettings(
            several=match["kind"] == "/multi-stream-input",
            auto_mode=query.get("auto_mode", "").lower() == "true",
            inactivity_timeout_s=min(180.0, float(timeout)) if timeout.isdigit() else 20.0,
            needs_key="xi-api-key" not in request.headers,
        )
        voice, language = match["voice"], query.get("language_code", "")
        audio_format = query["output_format"]

        def speak(text: str) -> AsyncIterator[AudioPiece]:
            return self._speak(_Wanted(text, voice, language, audio_format))

        return SpeechSocket(settings, socket, speak, self._board)

    def error_body(self, status: int, message: str) -> bytes:
        """ElevenLabs' error envelope."""
        return http_error(status, message)

    async def answer(self, request: Request, reply: Reply) -> None:
        """Plain HTTP. Raises ``Refusal``, ``WireViolation``."""
        match = _SPEECH.fullmatch(request.path)
        if match is None:
            reply.json(200, self._list(request))
            return
        if request.method != "POST" or match["kind"] not in (None, "/stream"):
            raise Refusal(405, http_error(405, "POST text to speak"))
        body = request.json()
        text = body.get("text")
        if not isinstance(text, str) or not text.strip():
            raise Refusal(400, http_error(400, "text must not be empty", "validation_error"))
        if len(text) > _MOST_CHARS:
            raise Refusal(
                400, http_error(400, f"more than {_MOST_CHARS} characters", "text_too_long")
            )
        wanted = _Wanted(
            text,
            match["voice"],
            str(body.get("language_code") or ""),
            request.query["output_format"],
        )
        pieces = self._speak(wanted)
        headers = {
            "content-type": "audio/basic" if wanted.audio_format == "ulaw_8000" else "audio/pcm",
            "request-id": uuid.uuid4().hex,
            "current-concurrent-requests": str(self._speaking + 1),
            "maximum-concurrent-requests": str(self._config.most_concurrent),
        }
        reply.start(headers)
        async for piece in pieces:
            await reply.chunk(piece.audio)
        if self._board.of(self.name).never_end:
            await asyncio.get_running_loop().create_future()  # until the client gives up
        reply.end()

    async def _speak(self, wanted: _Wanted) -> AsyncIterator[AudioPiece]:
        """A segment's audio at the service's pace."""
        loop = asyncio.get_running_loop()
        first_s = self._config.first_byte_s + self._board.of(self.name).first_delay_s()
        due = loop.time() + first_s
        self._speaking += 1
        try:
            language = wanted.language or language_of(wanted.text)
            speech = await loop.run_in_executor(
                self._executor, self._voice.speak, wanted.text, language, wanted.voice
            )
            for piece in cut_speech(
                speech, self._config.piece_s, _audio(speech, wanted), _FORMATS[wanted.audio_format]
            ):
                wait_s = due - loop.time()
                if wait_s > 0:
                    await asyncio.sleep(wait_s)
                yield piece
                if self._config.speed_ratio > 0:
                    due += self._config.piece_s / self._config.speed_ratio
        finally:
            self._speaking -= 1

    def _list(self, request: Request) -> Any:
        path = request.path
        if (of_one := _ONE_VOICE.fullmatch(path)) is not None:
            return _voice(of_one["id"], dict(self._config.voices)[of_one["id"]])
        voices = [_voice(voice_id, name) for voice_id, name in self._config.voices]
        if path == "/v1/voices":
            return {"voices": voices}
        if path == "/v2/voices":
            return _page(voices, request)
        if path == "/v1/models":
            return [
                {"model_id": name, "name": name, "can_do_text_to_speech": True, "languages": []}
                for name in _MODELS
            ]
        return {
            "tier": "creator",
            "character_count": 0,
            "character_limit": 100_000,
            "status": "active",
        }


def _voice(voice_id: str, name: str) -> dict[str, Any]:
    return {
        "voice_id": voice_id,
        "name": name,
        "category": "premade",
        "labels": {"language": "en"},
        "available_for_tiers": [],
    }


def _page(voices: list[dict[str, Any]], request: Request) -> dict[str, Any]:
    """One page of the list; its token is where the next one begins."""
    size, token = request.query.get("page_size", "10"), request.query.get("next_page_token", "0")
    if not (size.isdigit() and 1 <= int(size) <= 100 and token.isdigit()):
        raise Refusal(400, http_error(400, "page_size is 1 to 100", "validation_error"))
    after = int(token) + int(size)
    has_more = after < len(voices)
    return {
        "voices": voices[int(token) : after],
        "has_more": has_more,
        "total_count": len(voices),
        "next_page_token": str(after) if has_more else None,
    }


def _audio(speech: Speech, wanted: _Wanted) -> bytes:
    if wanted.audio_format == "ulaw_8000":
        return speech.ulaw
    return g711.decode(speech.ulaw).astype("<i2").tobytes()
