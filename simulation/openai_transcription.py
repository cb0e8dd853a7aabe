"""OpenAI's realtime transcription (``/v1/realtime?intent=transcription``) as clients see it.

Sources: OpenAI's reference of Realtime events, its pages "Realtime transcription" and "Voice
activity detection", and ``openai.types.realtime``. Paths: ``/v1/realtime`` with the intent, without
a model; plain requests are answered for ``/v1/models`` only.

Rules
1. ``session.created`` comes first; what is refused is an ``error`` event, and the session goes on.
2. Models that stream tell words as ``delta`` while they are heard, under the id that the item will
   have; the others after it is committed. Neither finds turns where its kind cannot.
3. A commit needs 100 ms of audio. A committed item is ``completed`` a little later, in order.
4. Only telephone audio (``audio/pcmu``) is emulated; other formats are refused here alone.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulation.faults import SILENT_S, FaultBoard
from simulation.fingerprint import ClipIndex, Fingerprint, WordHeard
from simulation.realtime_response import new_id
from simulation.realtime_settings import RealtimeRefusal
from simulation.transcribing import WordListener, text_of
from simulation.wire_http import Reply, Request
from simulation.wire_server import Refusal
from simulation.wire_socket import Socket

_PATHS = frozenset({"/v1/realtime", "/openai/v1/realtime"})
_MODELS_PATHS = frozenset({"/v1/models", "/openai/v1/models"})
BAD_KEY = "bad"
_KEYWORD_MODELS = frozenset({"gpt-live-transcribe", "gpt-transcribe"})
_STREAMING_MODELS = frozenset({"gpt-live-transcribe", "gpt-realtime-whisper"})
_NAMING_MODELS = frozenset({"gpt-transcribe"})
_MODELS = _KEYWORD_MODELS | _STREAMING_MODELS | {"whisper-1", "gpt-4o-transcribe"}
_FIELD_MODELS = (
    ("languages", _KEYWORD_MODELS),
    ("keywords", _KEYWORD_MODELS),
    ("prompt", _MODELS - _STREAMING_MODELS),
)
_LEAST_COMMIT_S = 0.1
_INPUT = "session.audio.input"
_SEMANTIC_S = {"low": 8.0, "medium": 4.0, "high": 2.0, "auto": 4.0}
_WHOLE_SENTENCE_S = 0.3
_ERRORS = {
    400: ("invalid_request_error", "invalid_value"),
    401: ("invalid_request_error", "invalid_api_key"),
    404: ("invalid_request_error", None),
    429: ("requests", "rate_limit_exceeded"),
}


@dataclass(frozen=True, slots=True)
class TranscriptionConfig:
    """How quick the model is.

    Attributes:
        decode_lag_s: Audio behind a word that it takes to know it.
        words_s: From a commit to the completed words.
        longest_session_s: After which a session is ended.
    """

    decode_lag_s: float = 0.1
    words_s: float = 0.15
    longest_session_s: float = 3_600.0


class OpenAITranscriptionEmulator:
    """The service behind one port.

    Args:
        config: Pace.
        index: The clips that it understands.
        board: Its faults.

    Attributes:
        sessions: Every session so far, oldest first: what a test looks at.
    """

    name = "openai_transcription"

    def __init__(self, config: TranscriptionConfig, index: ClipIndex, board: FaultBoard) -> None:
        self.config = config
        self.index = index
        self.board = board
        self.sessions: list[TranscriptionSession] = []

    def check(self, request: Request) -> None:
        """Path and key. Raises ``Refusal``: 404, 401."""
        if request.path not in _PATHS | _MODELS_PATHS:
            raise Refusal(404, self.error_body(404, f"Invalid URL ({request.method})"))
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        key = bearer or request.headers.get("api-key", "")
        if not key or key == BAD_KEY:
            raise Refusal(401, self.error_body(401, "Incorrect API key provided"))

    def open(self, request: Request, socket: Socket) -> TranscriptionSession:
        """A client connects. Raises ``Refusal``: 400 for another kind of session."""
        query = request.query
        if request.path not in _PATHS or query.get("intent") != "transcription":
            raise Refusal(400, self.error_body(400, "Only intent=transcription is emulated"))
        if query.get("model"):
            raise Refusal(400, self.error_body(400, "A transcription session takes no model"))
        session = TranscriptionSession(self, socket)
        self.sessions.append(session)
        return session

    async def answer(self, request: Request, reply: Reply) -> None:
        """The list of models, by which a key is tried. Raises ``Refusal``."""
        if request.path not in _MODELS_PATHS or request.method != "GET":
            raise Refusal(400, self.error_body(400, "This path takes a WebSocket"))
        listed = [{"id": name, "object": "model", "owned_by": "simulation"} for name in _MODELS]
        reply.json(200, {"object": "list", "data": listed})

    def error_body(self, status: int, message: str) -> bytes:
        """OpenAI's error envelope."""
        kind, code = _ERRORS.get(status, ("server_error", None))
        error = {"message": message, "type": kind, "param": None, "code": code}
        return json.dumps({"error": error}).encode()


class TranscriptionSession:
    """One client's session.

    Args:
        service: Pace, clips, faults.
        socket: Where events go.

    Attributes:
        settings: The session object as the client left it.
        refused: Codes of what was refused.
    """

    def __init__(self, service: OpenAITranscriptionEmulator, socket: Socket) -> None:
        self._service = service
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        self._listener = WordListener(Fingerprint(service.index), service.config.decode_lag_s)
        self.settings: dict[str, Any] = {"type": "transcription", "audio": {"input": {}}}
        self.refused: list[str] = []
        self._model = "gpt-live-transcribe"
        self._patience_s: float | None = None  # of semantic detection; None for none
        self._item_id = new_id("item")
        self._last_item_id: str | None = None
        self._told = ""  # of the running item
        self._cut_s = 0.0
        self._timers: set[asyncio.TimerHandle] = set()
        self._later(service.config.longest_session_s, self._expire)
        # The handshake is answered first.
        self._later(0.0, lambda: self._emit("session.created", session=self._session_wire()))

    # --- SocketSession ----------------------------------------------------------------------------

    def receive_text(self, message: str) -> None:
        """A client event."""
        try:
            told = json.loads(message)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            self._refuse(RealtimeRefusal("The message is no JSON object.", "invalid_json"), {})
            return
        try:
            match told.get("type"):
                case "session.update":
                    self._update(told.get("session"))
                case "input_audio_buffer.append":
                    self._append(told.get("audio"))
                case "input_audio_buffer.commit":
                    self._commit()
                case "input_audio_buffer.clear":
                    self._begin_item()
                    self._listener.cut()
                    self._emit("input_audio_buffer.cleared")
                case kind:
                    raise RealtimeRefusal(f"Invalid value: '{kind}'.", "invalid_value", "type")
        except RealtimeRefusal as refusal:
            self._refuse(refusal, told)

    def receive_binary(self, _message: bytes) -> None:
        """The service takes JSON text alone."""
        self._refuse(RealtimeRefusal("Binary messages are not supported.", "invalid_json"), {})

    def closed(self) -> None:
        """The client went away."""
        for timer in self._timers:
            timer.cancel()

    # --- client events ----------------------------------------------------------------------------

    def _update(self, session: object) -> None:
        if not isinstance(session, dict) or session.get("type") != "transcription":
            said = (
                "Passing a realtime session update event to a transcription session is not allowed."
            )
            raise RealtimeRefusal(said, "invalid_value", "session.type")
        if unknown := set(session) - {"type", "audio", "include"}:
            name = f"session.{min(unknown)}"
            raise RealtimeRefusal(f"Unknown parameter: '{name}'.", "unknown_parameter", name)
        audio = session.get("audio")
        heard = audio.get("input") if isinstance(audio, dict) else None
        heard = heard if isinstance(heard, dict) else {}
        _check_format(heard.get("format"))
        model = _model_of(heard.get("transcription"), self._model)
        self._patience_s = _patience_of(heard.get("turn_detection"), model)
        self._model = model
        self.settings = {**self.settings, "audio": {"input": heard}}
        self._emit("session.updated", session=self._session_wire())

    def _append(self, audio: object) -> None:
        try:
            ulaw = base64.b64decode(audio, validate=True) if isinstance(audio, str) else None
        except (binascii.Error, ValueError):
            ulaw = None
        if ulaw is None:
            raise RealtimeRefusal("Invalid 'audio'. Expected base64.", "invalid_value", "audio")
        for frame in self._listener.frames(ulaw):
            is_new = self._listener.take(frame)
            if is_new and self._model in _STREAMING_MODELS:
                self._tell(self._item_id, text_of(self._listener.known))
            elif self._patience_s is not None:
                self._find_turn(is_new)

    def _find_turn(self, is_new: bool) -> None:
        listener = self._listener
        if not listener.known:
            return
        if is_new and len(listener.known) == 1:
            began_ms = round(max(0.0, listener.known[0].start_s - 0.3) * 1_000)
            self._emit(
                "input_audio_buffer.speech_started", audio_start_ms=began_ms, item_id=self._item_id
            )
        last = listener.known[-1]
        is_whole = last.index == len(last.clip.words) - 1
        wait_s = _WHOLE_SENTENCE_S if is_whole else self._patience_s or 0.0
        if listener.now_s - listener.last_sound_s >= wait_s:
            end_ms = round(listener.now_s * 1_000)
            self._emit(
                "input_audio_buffer.speech_stopped", audio_end_ms=end_ms, item_id=self._item_id
            )
            self._commit()

    def _commit(self) -> None:
        span_s = self._listener.now_s - self._cut_s
        if span_s < _LEAST_COMMIT_S:
            raise RealtimeRefusal(
                "Error committing input audio buffer: buffer too small. Expected at least 100ms of"
                f" audio, but buffer only has {span_s * 1_000:.2f}ms of audio.",
                "input_audio_buffer_commit_empty",
            )
        words, item_id, seconds = self._listener.cut(), self._item_id, span_s
        self._emit(
            "input_audio_buffer.committed", item_id=item_id, previous_item_id=self._last_item_id
        )
        content = [{"type": "input_audio", "transcript": None}]
        item = {"id": item_id, "type": "message", "role": "user", "content": content}
        for kind in ("conversation.item.added", "conversation.item.done"):
            self._emit(kind, previous_item_id=self._last_item_id, item=item)
        self._last_item_id = item_id
        told = self._told
        self._begin_item()
        wait_s = self._service.config.words_s + self._faults().first_delay_s()
        if wait_s < SILENT_S:
            self._later(wait_s, lambda: self._complete(item_id, words, told, seconds))

    def _begin_item(self) -> None:
        self._item_id, self._told, self._cut_s = new_id("item"), "", self._listener.now_s

    # --- what it tells ----------------------------------------------------------------------------

    def _tell(self, item_id: str, text: str) -> None:
        delta, self._told = text[len(self._told) :], text
        self._emit_words("delta", item_id, delta=delta)

    def _complete(self, item_id: str, words: list[WordHeard], told: str, seconds: float) -> None:
        if self._faults().never_end:
            return
        text = text_of(words, whole=True)
        if (rest := text_of(words)[len(told) :]) and words:
            self._emit_words("delta", item_id, delta=rest)
        usage = {"type": "duration", "seconds": round(seconds, 3)}
        self._emit_words("completed", item_id, transcript=text, usage=usage, **self._heard(words))

    def _heard(self, words: list[WordHeard]) -> dict[str, Any]:
        """The languages that were heard, from a model that says so; none where nothing was."""
        if self._model not in _NAMING_MODELS:
            return {}
        codes = dict.fromkeys(word.clip.language.split("-")[0] for word in words)
        return {"languages": [{"code": code} for code in codes]}

    def _emit_words(self, kind: str, item_id: str, **fields: Any) -> None:
        told_id = new_id("item") if self._faults().wrong_request_id else item_id
        name = f"conversation.item.input_audio_transcription.{kind}"
        self._emit(name, item_id=told_id, content_index=0, **fields)

    def _expire(self) -> None:
        told = "Your session hit the maximum duration of 60 minutes."
        error = {"type": "invalid_request_error", "code": "session_expired", "message": told}
        self._emit("error", error={**error, "param": None, "event_id": None})
        self._socket.close(1001, told)

    def _refuse(self, refusal: RealtimeRefusal, told: dict[str, Any]) -> None:
        self.refused.append(refusal.code)
        event_id = told.get("event_id")
        error = {
            "type": "invalid_request_error",
            "code": refusal.code,
            "message": refusal.message,
            "param": refusal.param or None,
            "event_id": event_id if isinstance(event_id, str) else None,
        }
        self._emit("error", error=error)

    def _session_wire(self) -> dict[str, Any]:
        return {
            **self.settings,
            "object": "realtime.transcription_session",
            "id": "sess_emulated",
            "expires_at": int(time.time() + self._service.config.longest_session_s),
        }

    def _faults(self) -> Any:
        return self._service.board.of(self._service.name)

    def _later(self, wait_s: float, work: Callable[[], None]) -> None:
        def run() -> None:
            self._timers.discard(timer)
            work()

        timer = self._loop.call_later(wait_s, run)
        self._timers.add(timer)

    def _emit(self, kind: str, **fields: Any) -> None:
        event = {"type": kind, "event_id": new_id("event"), **fields}
        self._socket.send_text(json.dumps(event, ensure_ascii=False))


def _check_format(told: object) -> None:
    kind = told.get("type") if isinstance(told, dict) else told
    if kind != "audio/pcmu":
        said = f"Only audio/pcmu is emulated; got {kind!r}"
        raise RealtimeRefusal(said, "invalid_value", f"{_INPUT}.format")


def _model_of(told: object, usual: str) -> str:
    where = f"{_INPUT}.transcription"
    wanted = told if isinstance(told, dict) else {}
    model = wanted.get("model", usual)
    if model not in _MODELS:
        raise RealtimeRefusal(f"Invalid value: '{model}'.", "invalid_value", f"{where}.model")
    language = wanted.get("language")
    if language is not None and not (
        isinstance(language, str) and re.fullmatch(r"[a-z]{2,3}", language)
    ):
        said = f"Invalid language '{language}'. Language parameter must be in ISO-639-1 format."
        raise RealtimeRefusal(said, "invalid_value", f"{where}.language")
    several = wanted.get("languages") or []
    if not isinstance(several, list) or not all(
        isinstance(each, str) and re.fullmatch(r"[a-z]{2,3}", each) for each in several
    ):
        said = f"Invalid languages {several!r}. They must be in ISO-639-1 format."
        raise RealtimeRefusal(said, "invalid_value", f"{where}.languages")
    for name, models in _FIELD_MODELS:
        if wanted.get(name) and model not in models:
            said = f"'{name}' is not supported with {model}."
            raise RealtimeRefusal(said, "invalid_value", f"{where}.{name}")
    return str(model)


def _patience_of(told: object, model: str) -> float | None:
    where = f"{_INPUT}.turn_detection"
    if told is None:
        return None
    if model in _STREAMING_MODELS:
        said = f"Turn detection is not supported with {model}."
        raise RealtimeRefusal(said, "invalid_value", where)
    if not isinstance(told, dict) or told.get("type") not in ("server_vad", "semantic_vad"):
        said = "Supported values are: 'server_vad' and 'semantic_vad'."
        raise RealtimeRefusal(said, "invalid_value", where)
    if told["type"] == "server_vad":
        return float(told.get("silence_duration_ms", 500)) / 1_000
    eagerness = told.get("eagerness", "auto")
    if eagerness not in _SEMANTIC_S:
        raise RealtimeRefusal("Unknown eagerness.", "invalid_value", f"{where}.eagerness")
    return _SEMANTIC_S[eagerness]
