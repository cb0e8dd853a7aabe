"""ElevenLabs' realtime transcription (Scribe) so far as a client of its WebSocket can tell.

Source: ``elevenlabs.realtime`` and the payload types of the ``elevenlabs`` package (2.78): the
query of ``/v1/speech-to-text/realtime``, the messages of both sides, their bounds, names of errors.
Plain requests are answered for ``/v1/user/subscription`` only.

Rules
1. ``session_started`` comes first and tells the settings back.
2. ``partial_transcript`` has all words of the running segment, whenever there is a new one.
3. A segment is committed by the client or, with ``commit_strategy=vad``, by silence behind its
   words. ``committed_transcript`` is followed by the one with times of words, if it was asked for.
   A commit of less than 0.3 s is ``commit_throttled``.
4. A message that is not understood is an error by its name, and the socket is closed.
5. Only ``ulaw_8000`` is emulated; other formats are refused here alone.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simulation.azure_phrase import tongue
from simulation.elevenlabs_wire import http_error
from simulation.faults import SILENT_S, FaultBoard
from simulation.fingerprint import ClipIndex, Fingerprint, WordHeard
from simulation.transcribing import WordListener, text_of
from simulation.wire_http import Reply, Request
from simulation.wire_server import Refusal
from simulation.wire_socket import Socket

_PATH, _USER = "/v1/speech-to-text/realtime", "/v1/user/subscription"
BAD_KEY = "bad"
_MODEL = "scribe_v2_realtime"
_MOST_KEYTERMS, _MOST_KEYTERM_CHARS = 50, 20
_MOST_CHUNK_BYTES = 1 << 20
_LEAST_COMMIT_S = 0.3
_POLICY = 1008


@dataclass(frozen=True, slots=True)
class ScribeConfig:
    """How quick the recogniser is.

    Attributes:
        decode_lag_s: Audio behind a word that it takes to know it.
        lag_s: From the arrival of audio to the message about it.
        commit_lag_s: From a commit to the final words.
    """

    decode_lag_s: float = 0.1
    lag_s: float = 0.05
    commit_lag_s: float = 0.1


@dataclass(frozen=True, slots=True)
class _Settings:
    by_silence: bool
    silence_s: float
    with_times: bool
    language: str
    keyterms: tuple[str, ...]
    others: tuple[str, ...]


class ScribeEmulator:
    """The service behind one port.

    Args:
        config: Lags.
        index: The clips it recognises.
        board: Its faults.

    Attributes:
        sessions: Every session so far, oldest first: what a test looks at.
    """

    name = "scribe"

    def __init__(self, config: ScribeConfig, index: ClipIndex, board: FaultBoard) -> None:
        self.config = config
        self.index = index
        self.board = board
        self.sessions: list[ScribeSession] = []

    def check(self, request: Request) -> None:
        """Path and key. Raises ``Refusal``: 404, 401."""
        if request.path not in (_PATH, _USER):
            raise Refusal(404, http_error(404, "Not found", "not_found"))
        key = request.headers.get("xi-api-key", "") or request.query.get("token", "")
        if not key or key == BAD_KEY:
            raise Refusal(401, http_error(401, "Invalid API key"))

    def open(self, request: Request, socket: Socket) -> ScribeSession:
        """A client connects. Raises ``Refusal``: 400."""
        if request.path != _PATH:
            raise Refusal(404, http_error(404, "No such socket", "not_found"))
        session = ScribeSession(self, _settings_of(request), socket)
        self.sessions.append(session)
        return session

    async def answer(self, request: Request, reply: Reply) -> None:
        """What shows that a key is good. Raises ``Refusal``."""
        if request.path != _USER or request.method != "GET":
            raise Refusal(400, http_error(400, "This path takes a WebSocket"))
        reply.json(200, {"tier": "creator", "status": "active"})

    def error_body(self, status: int, message: str) -> bytes:
        """ElevenLabs' error envelope."""
        return http_error(status, message)


def _settings_of(request: Request) -> _Settings:
    query = request.query
    if query.get("model_id") != _MODEL:
        raise Refusal(400, http_error(400, "No such model", "model_not_found"))
    if query.get("audio_format") != "ulaw_8000":
        raise Refusal(400, http_error(400, "Only ulaw_8000 is emulated", "invalid_audio_format"))
    strategy = query.get("commit_strategy", "manual")
    try:
        silence_s = float(query.get("vad_silence_threshold_secs", "1.5"))
    except ValueError:
        silence_s = 0.0
    if strategy not in ("manual", "vad") or not 0.3 <= silence_s <= 3.0:
        raise Refusal(400, http_error(400, "Bad commit strategy", "invalid_parameters"))
    language = query.get("language_code", "")
    if language and not (language.isalpha() and len(language) in (2, 3)):
        raise Refusal(400, http_error(400, "Bad language", "invalid_language_code"))
    keyterms = tuple(value for name, value in request.fields if name == "keyterms")
    if len(keyterms) > _MOST_KEYTERMS or any(len(t) > _MOST_KEYTERM_CHARS for t in keyterms):
        raise Refusal(400, http_error(400, "Bad keyterms", "invalid_keyterms"))
    with_times = query.get("include_timestamps", "") == "true"
    others = tuple(value for name, value in request.fields if name == "secondary_languages")
    return _Settings(strategy == "vad", silence_s, with_times, language, keyterms, others)


class ScribeSession:
    """One client's socket.

    Args:
        service: Lags, clips, faults.
        settings: From the query.
        socket: Where messages go.
    """

    def __init__(self, service: ScribeEmulator, settings: _Settings, socket: Socket) -> None:
        self._service = service
        self.settings = settings
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        self._listener = WordListener(Fingerprint(service.index), service.config.decode_lag_s)
        self._cut_s = 0.0
        self._free_at = 0.0
        self._is_closed = False
        self._is_silent = service.board.of("scribe").silent_ratio > 0 and (
            service.board.of("scribe").first_delay_s() >= SILENT_S
        )
        # The handshake is answered first.
        self._loop.call_soon(self._greet)

    def receive_text(self, message: str) -> None:
        """A piece of audio, a commit, or both."""
        if self._is_closed:
            return
        try:
            body = json.loads(message)
        except ValueError:
            body = None
        if not isinstance(body, dict) or body.get("message_type") != "input_audio_chunk":
            self._fail("invalid_request", "Messages are of type input_audio_chunk")
            return
        audio = body.get("audio_base_64")
        try:
            ulaw = base64.b64decode(audio, validate=True) if isinstance(audio, str) else None
        except (binascii.Error, ValueError):
            ulaw = None
        if ulaw is None:
            self._fail("input_error", "audio_base_64 is no base64")
        elif len(ulaw) > _MOST_CHUNK_BYTES:
            self._fail("chunk_size_exceeded", "The chunk is too large")
        elif body.get("sample_rate", 8_000) != 8_000:
            self._fail("input_error", "sample_rate does not fit audio_format")
        else:
            self._hear(ulaw)
            if body.get("commit") and not self.settings.by_silence:
                self._commit()

    def receive_binary(self, _message: bytes) -> None:
        """Never sent by a client of this protocol."""
        self._fail("invalid_request", "Messages are JSON text")

    def closed(self) -> None:
        """The client went away."""
        self._is_closed = True

    def _hear(self, ulaw: bytes) -> None:
        for frame in self._listener.frames(ulaw):
            if self._listener.take(frame):
                text = text_of(self._listener.known)
                self._say(self._service.config.lag_s, message_type="partial_transcript", text=text)
            elif self.settings.by_silence and self._listener.known:
                quiet_s = self._listener.now_s - self._listener.last_sound_s
                if quiet_s >= self.settings.silence_s - 1e-6:
                    self._commit()

    def _commit(self) -> None:
        if self._listener.now_s - self._cut_s < _LEAST_COMMIT_S - 1e-6:
            self._say(0.0, message_type="commit_throttled", error="Less than 0.3s of audio")
            return
        words = self._listener.cut()
        self._cut_s = self._listener.now_s
        if self._service.board.of("scribe").never_end:
            return
        text, lag_s = text_of(words, whole=True), self._service.config.commit_lag_s
        self._say(lag_s, message_type="committed_transcript", text=text)
        if self.settings.with_times:
            self._say(
                0.0,
                message_type="committed_transcript_with_timestamps",
                text=text,
                language_code=self._language_of(words),
                words=_timed(words),
            )

    def _language_of(self, words: Sequence[WordHeard]) -> str:
        """What was specified, or what was detected where that leaves a choice."""
        settings = self.settings
        own = settings.language or "en"
        spoken = tongue(words[0].clip.language) if words else own
        if settings.others:
            return spoken if spoken in settings.others else own
        return settings.language or spoken

    def _greet(self) -> None:
        config = {
            "sample_rate": 8_000,
            "audio_format": "ulaw_8000",
            "language_code": self.settings.language or None,
            "commit_strategy": "vad" if self.settings.by_silence else "manual",
            "vad_silence_threshold_secs": self.settings.silence_s,
            "model_id": _MODEL,
            "include_timestamps": self.settings.with_times,
            "keyterms": list(self.settings.keyterms) or None,
        }
        self._send(
            {"message_type": "session_started", "session_id": uuid.uuid4().hex, "config": config}
        )

    def _say(self, lag_s: float, **message: Any) -> None:
        """Send after a lag; order is kept."""
        if self._is_silent:
            return
        lag_s += self._service.board.of("scribe").first_byte_delay_s
        # Never two at the same moment: timers of one moment have no order.
        self._free_at = max(self._free_at + 1e-6, self._loop.time() + lag_s)
        self._loop.call_at(self._free_at, self._send, message)

    def _send(self, message: dict[str, Any]) -> None:
        if not self._is_closed:
            self._socket.send_text(json.dumps(message, ensure_ascii=False))

    def _fail(self, kind: str, error: str) -> None:
        self._send({"message_type": kind, "error": error})
        self._is_closed = True
        self._socket.close(_POLICY, kind)


def _timed(words: list[WordHeard]) -> list[dict[str, Any]]:
    timed: list[dict[str, Any]] = []
    for number, word in enumerate(words):
        if number:
            before = words[number - 1].end_s
            timed.append({"text": " ", "start": before, "end": word.start_s, "type": "spacing"})
        text = word.clip.words[word.index].display
        times = {"start": round(word.start_s, 3), "end": round(word.end_s, 3)}
        timed.append({"text": text, "type": "word", "logprob": -0.05, **times})
    return timed
