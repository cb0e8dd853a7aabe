"""OpenAI's text-to-speech, so far as the unmodified SDK can tell, spoken by the emulated voice.

Paths: ``POST /v1/audio/speech``, ``GET /v1/models`` and ``/v1/models/{id}``. Formats are ``pcm``
(24 kHz, 16 bits, mono, without a header) and ``wav``; the answer is streamed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import struct
import uuid
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from simulation.faults import FaultBoard
from simulation.resampling import resample
from simulation.tongue import language_of
from simulation.voice_sound import SAMPLE_RATE_HZ, SpokenVoice
from simulation.wire_http import Reply, Request
from simulation.wire_server import Refusal
from simulation.wire_socket import Socket, SocketSession
from telephony import g711

_SPEECH = "/v1/audio/speech"
_MODELS = re.compile(r"/v1/models(?:/(?P<model>[^/]+))?")
BAD_KEY = "bad"
BAD_MODEL = "missing-model"
RATE_HZ = 24_000
_MOST_CHARS = 4_096
_VOICES = (
    "alloy ash ballad coral echo fable onyx nova sage shimmer verse marin cedar".split()  # noqa: SIM905
)
_TYPES = {"pcm": "audio/pcm", "wav": "audio/wav"}
_ERROR_CODES = {
    400: ("invalid_request_error", "invalid_value"),
    401: ("invalid_request_error", "invalid_api_key"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}


@dataclass(frozen=True, slots=True)
class OpenAITtsConfig:
    """How quick the voice is.

    Attributes:
        first_byte_s: From the request to its first audio.
        piece_s: Audio in one chunk of the answer.
        speed_ratio: How much faster than real time the rest follows; 0 for all at once.
        models: Listed by ``GET /v1/models``; any name is served but ``missing-model``.
    """

    first_byte_s: float = 0.3
    piece_s: float = 0.1
    speed_ratio: float = 4.0
    models: tuple[str, ...] = ("gpt-4o-mini-tts", "tts-1")


class OpenAITextToSpeech:
    """The service behind one port.

    Args:
        config: Pace.
        voice: Makes the sound.
        board: Its faults.
    """

    name = "openai_tts"

    def __init__(self, config: OpenAITtsConfig, voice: SpokenVoice, board: FaultBoard) -> None:
        self._config = config
        self._voice = voice
        self._board = board
        self.speaking = 0
        # One thread: the voice library has one global state, and the event loop stays free.
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="openai-voice")

    def close(self) -> None:
        """Give the voice's thread back."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def check(self, request: Request) -> None:
        """Path and key. Raises ``Refusal``: 404, 401."""
        if request.path != _SPEECH and not _MODELS.fullmatch(request.path):
            raise Refusal(404, self.error_body(404, f"Invalid URL ({request.method})"))
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not key or key == BAD_KEY:
            raise Refusal(401, self.error_body(401, "Incorrect API key provided"))

    def open(self, request: Request, socket: Socket) -> SocketSession:
        """No WebSocket here. Raises ``Refusal``."""
        raise Refusal(404, self.error_body(404, "This emulator speaks HTTP only"))

    def error_body(self, status: int, message: str) -> bytes:
        """OpenAI's error envelope."""
        return _error(status, message)

    async def answer(self, request: Request, reply: Reply) -> None:
        """Speech and the list of models. Raises ``Refusal``, ``WireViolation``."""
        if match := _MODELS.fullmatch(request.path):
            self._answer_models(match["model"], reply)
            return
        if request.method != "POST":
            raise Refusal(405, _error(405, f"Not allowed: {request.method}"))
        wanted = request.json()
        _check(wanted)
        audio_format = wanted.get("response_format", "mp3")
        content = {"content-type": _TYPES[audio_format], "x-request-id": f"req_{uuid.uuid4().hex}"}
        async with contextlib.aclosing(self._speak(wanted["input"], wanted["voice"])) as pieces:
            async for piece in pieces:
                if not reply.started:
                    reply.start(content)
                    if audio_format == "wav":
                        await reply.chunk(_wav_header())
                await reply.chunk(piece)
        if not reply.started:
            reply.start(content)
        if self._board.of(self.name).never_end:
            await asyncio.get_running_loop().create_future()  # until the client gives up
        reply.end()

    async def _speak(self, text: str, voice: str) -> AsyncGenerator[bytes, None]:
        """PCM at the service's pace."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._config.first_byte_s + self._board.of(self.name).first_delay_s()
        self.speaking += 1
        try:
            pcm = await loop.run_in_executor(self._executor, self._pcm, text, voice)
            step = max(2, round(self._config.piece_s * RATE_HZ) * 2)
            for at in range(0, len(pcm), step):
                if (wait_s := due - loop.time()) > 0:
                    await asyncio.sleep(wait_s)
                yield pcm[at : at + step]
                if self._config.speed_ratio > 0:
                    due += self._config.piece_s / self._config.speed_ratio
        finally:
            self.speaking -= 1

    def _pcm(self, text: str, voice: str) -> bytes:
        speech = self._voice.speak(text, language_of(text), voice)
        samples = resample(g711.decode(speech.ulaw), SAMPLE_RATE_HZ, RATE_HZ)
        return samples.astype("<i2").tobytes()

    def _answer_models(self, model: str | None, reply: Reply) -> None:
        listed = [
            {"id": name, "object": "model", "created": 1_780_000_000, "owned_by": "simulation"}
            for name in self._config.models
        ]
        if model is None:
            reply.json(200, {"object": "list", "data": listed})
            return
        found = [entry for entry in listed if entry["id"] == model]
        if not found:
            raise Refusal(404, _error(404, f"The model '{model}' does not exist"))
        reply.json(200, found[0])


def _check(wanted: dict[str, Any]) -> None:
    """Raises ``Refusal`` for what OpenAI refuses."""
    text, voice, model = (wanted.get(name) for name in ("input", "voice", "model"))
    if not isinstance(model, str) or model == BAD_MODEL:
        raise Refusal(404, _error(404, f"The model '{model}' does not exist", "model"))
    if not isinstance(text, str) or not text:
        raise Refusal(400, _error(400, "input must be a non-empty string", "input"))
    if len(text) > _MOST_CHARS:
        raise Refusal(400, _error(400, f"input: at most {_MOST_CHARS} characters", "input"))
    if voice not in _VOICES:
        known = ", ".join(_VOICES)
        raise Refusal(400, _error(400, f"Unknown voice. Supported values are: {known}", "voice"))
    if wanted.get("response_format", "mp3") not in _TYPES:
        message = f"This emulator speaks {' and '.join(_TYPES)}"
        raise Refusal(400, _error(400, message, "response_format"))
    if wanted.get("stream_format", "audio") != "audio":
        raise Refusal(400, _error(400, "This emulator streams audio only", "stream_format"))


def _error(status: int, message: str, param: str | None = None) -> bytes:
    kind, code = _ERROR_CODES.get(status, ("server_error", None))
    error = {"message": message, "type": kind, "param": param, "code": code}
    return json.dumps({"error": error}).encode()


def _wav_header() -> bytes:
    """As a stream has it whose length is not known."""
    form = struct.pack("<IHHIIHH", 16, 1, 1, RATE_HZ, RATE_HZ * 2, 2, 16)
    unknown = b"\xff\xff\xff\xff"
    return b"RIFF" + unknown + b"WAVEfmt " + form + b"data" + unknown
