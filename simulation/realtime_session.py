"""One socket of the emulated Realtime service: client events in, server events out.

Rules
1. One response at a time; another one that is asked for meanwhile is refused.
2. Speech of the caller cancels the response that is being made, where the settings say so.
3. A turn that is over is committed, answered, and written down a little later, in this order.
4. What is refused is an ``error`` event, and the session goes on.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any

from simulation.faults import SILENT_S, FaultBoard
from simulation.fingerprint import ClipIndex, Fingerprint
from simulation.openai_replies import Answer, ScriptLine, answer
from simulation.openai_tools import DEFAULT_TOOL_RULES, ToolRule
from simulation.realtime_hearing import RealtimeEar, SpeechBegan, SpeechOver
from simulation.realtime_items import BYTES_A_MS, Conversation, Item, wish_of
from simulation.realtime_response import EmulatedResponse, limited, new_id
from simulation.realtime_settings import RealtimeRefusal, RealtimeSettings
from simulation.tongue import language_of
from simulation.voice_sound import Speech, SpokenVoice
from simulation.wire_socket import Socket

_GOING_AWAY = 1001
_POLICY = 4000  # as it is reported for models that do not exist
_BYTES_A_S = 8_000


@dataclass(frozen=True, slots=True)
class RealtimeEmulatorConfig:
    """How quick the model is and what it knows.

    Attributes:
        first_audio_s: From the beginning of a response to its first audio.
        piece_s: Audio in one event.
        speed_ratio: How much faster than real time the audio comes; 0 for all at once.
        words_s: From the end of a turn to its transcript.
        longest_session_s: After which a session is ended.
        script: Answers that come before the built-in ones.
        tool_rules: What callers say to have which tool called, where it is offered.
    """

    first_audio_s: float = 0.3
    piece_s: float = 0.1
    speed_ratio: float = 5.0
    words_s: float = 0.2
    longest_session_s: float = 3_600.0
    script: tuple[ScriptLine, ...] = ()
    tool_rules: tuple[ToolRule, ...] = DEFAULT_TOOL_RULES


@dataclass(frozen=True, slots=True)
class ServiceParts:
    """What all sessions of the service share."""

    name: str
    pace: RealtimeEmulatorConfig
    index: ClipIndex
    voice: SpokenVoice
    board: FaultBoard
    executor: Executor


class EmulatedSession:
    """One client's session.

    Args:
        parts: Of the service.
        model: As the address names it.
        socket: Where events go.
        is_known: Whether there is such a model.

    Attributes:
        conversation: Its items, with what was truncated.
        events: Types of the client's events, in order.
    """

    def __init__(self, parts: ServiceParts, model: str, socket: Socket, *, is_known: bool) -> None:
        self._parts = parts
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        self.settings = RealtimeSettings(model)
        self.conversation = Conversation()
        self.events: list[str] = []
        self.refused: list[str] = []
        self._ear = RealtimeEar(Fingerprint(parts.index), self.settings.turns)
        self._buffered = 0  # bytes that were not committed
        self._speech_item = ""
        self._response: EmulatedResponse | None = None
        self._task: asyncio.Task[None] | None = None
        self._timers = [
            self._loop.call_later(parts.pace.longest_session_s, self._expire),
            # The handshake is answered first.
            self._loop.call_soon(self._greet if is_known else self._reject),
        ]
        self._expires_at = int(time.time() + parts.pace.longest_session_s)

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
        kind = told.get("type")
        self.events.append(str(kind))
        try:
            handle = self._handlers().get(kind) if isinstance(kind, str) else None
            if handle is None:
                raise RealtimeRefusal(f"Invalid value: '{kind}'.", "invalid_value", "type")
            handle(told)
        except RealtimeRefusal as refusal:
            self._refuse(refusal, told)

    def receive_binary(self, message: bytes) -> None:
        """The service takes JSON text alone."""
        self._refuse(RealtimeRefusal("Binary messages are not supported.", "invalid_json"), {})

    def closed(self) -> None:
        """The client went away."""
        for timer in self._timers:
            timer.cancel()
        if self._task is not None:
            self._task.cancel()

    # --- client events ----------------------------------------------------------------------------

    def _handlers(self) -> dict[str, Callable[[dict[str, Any]], None]]:
        return {
            "session.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
            "conversation.item.create": self._create,
            "conversation.item.truncate": self._truncate,
            "conversation.item.delete": self._delete,
            "conversation.item.retrieve": self._retrieve,
            "response.create": self._respond,
            "response.cancel": self._cancel,
        }

    def _update(self, told: dict[str, Any]) -> None:
        has_spoken = self.conversation.has_speech
        self.settings = self.settings.updated(told.get("session"), has_spoken=has_spoken)
        self._ear.rules = self.settings.turns
        self._emit("session.updated", session=self._session_wire())

    def _append(self, told: dict[str, Any]) -> None:
        audio = told.get("audio")
        try:
            ulaw = base64.b64decode(audio, validate=True) if isinstance(audio, str) else None
        except (binascii.Error, ValueError):
            ulaw = None
        if ulaw is None:
            raise RealtimeRefusal("Invalid 'audio'. Expected base64.", "invalid_value", "audio")
        self._buffered += len(ulaw)
        for event in self._ear.receive(ulaw):
            if isinstance(event, SpeechBegan):
                self._speech_began(event)
            else:
                self._speech_over(event)

    def _commit(self, _told: dict[str, Any]) -> None:
        if not self._buffered:
            raise RealtimeRefusal(
                "Error committing input audio buffer: the buffer is empty.",
                "input_audio_buffer_commit_empty",
            )
        self._add_user_audio(new_id("item"), self._ear.take_words(), self._buffered)

    def _clear(self, _told: dict[str, Any]) -> None:
        self._buffered = 0
        self._ear.take_words()
        self._emit("input_audio_buffer.cleared")

    def _create(self, told: dict[str, Any]) -> None:
        item = self.conversation.create(told.get("item"), new_id("item"))
        before = self.conversation.add(item)
        self._emit("conversation.item.added", previous_item_id=before, item=item.wire())
        self._emit("conversation.item.done", previous_item_id=before, item=item.wire())

    def _truncate(self, told: dict[str, Any]) -> None:
        item = self.conversation.truncate(told)
        self._emit(
            "conversation.item.truncated",
            item_id=item.id,
            content_index=told.get("content_index", 0),
            audio_end_ms=item.truncated_ms,
        )

    def _delete(self, told: dict[str, Any]) -> None:
        item = self.conversation.delete(told.get("item_id"))
        self._emit("conversation.item.deleted", item_id=item.id)

    def _retrieve(self, told: dict[str, Any]) -> None:
        item = self.conversation.find(told.get("item_id"))
        self._emit("conversation.item.retrieved", item=item.wire())

    def _cancel(self, told: dict[str, Any]) -> None:
        response, wanted = self._response, told.get("response_id")
        if response is None or response.is_over or wanted not in (None, response.id):
            raise RealtimeRefusal(
                "Cancellation failed: no active response found", "response_cancel_not_active"
            )
        self._stop(response, "client_cancelled")

    def _respond(self, told: dict[str, Any]) -> None:
        wish = told.get("response")
        wish = wish if isinstance(wish, dict) else {}
        if self._response is not None and not self._response.is_over:
            raise RealtimeRefusal(
                f"Conversation already has an active response in progress: {self._response.id}.",
                "conversation_already_has_active_response",
            )
        self._begin_response(wish)

    # --- what the caller does ---------------------------------------------------------------------

    def _speech_began(self, event: SpeechBegan) -> None:
        self._speech_item = new_id("item")
        at_ms = round(event.at_s * 1_000)
        self._emit(
            "input_audio_buffer.speech_started", audio_start_ms=at_ms, item_id=self._speech_item
        )
        response = self._response
        is_busy = response is not None and not response.is_over
        if response is not None and is_busy and self.settings.turns.interrupts_response:
            self._stop(response, "turn_detected")

    def _speech_over(self, event: SpeechOver) -> None:
        at_ms, item_id = round(event.at_s * 1_000), self._speech_item
        self._emit("input_audio_buffer.speech_stopped", audio_end_ms=at_ms, item_id=item_id)
        size = round((event.at_s - event.began_s) * 1_000) * BYTES_A_MS
        self._add_user_audio(item_id, event.text, size)
        is_busy = self._response is not None and not self._response.is_over
        if self.settings.turns.creates_response and not is_busy:
            self._begin_response({})

    def _add_user_audio(self, item_id: str, text: str, size: int) -> None:
        item = Item(item_id, "message", "user", text, audio_bytes=max(1, size))
        before = self.conversation.add(item)
        self._buffered = 0
        self._emit("input_audio_buffer.committed", previous_item_id=before, item_id=item_id)
        self._emit("conversation.item.added", previous_item_id=before, item=item.wire())
        self._emit("conversation.item.done", previous_item_id=before, item=item.wire())
        if self.settings.transcribes:
            words_s = self._parts.pace.words_s
            self._timers.append(self._loop.call_later(words_s, self._write_down, item))

    def _write_down(self, item: Item) -> None:
        item.is_transcribed = True
        kind = "conversation.item.input_audio_transcription"
        where = {"item_id": item.id, "content_index": 0}
        if item.text:
            self._emit(f"{kind}.delta", **where, delta=item.text)
        seconds = -(-item.audio_bytes // _BYTES_A_S)
        usage = {"type": "duration", "seconds": seconds}
        self._emit(f"{kind}.completed", **where, transcript=item.text, usage=usage)

    # --- responses --------------------------------------------------------------------------------

    def _begin_response(self, wish: dict[str, Any]) -> None:
        faults = self._parts.board.of(self._parts.name)
        told_id = new_id("resp") if faults.wrong_request_id else ""
        metadata = wish.get("metadata")
        response = EmulatedResponse(
            self.conversation,
            self._emit,
            metadata if isinstance(metadata, dict) else None,
            told_id,
        )
        self._response = response
        self._task = self._loop.create_task(self._make(response, wish))

    async def _make(self, response: EmulatedResponse, wish: dict[str, Any]) -> None:
        pace, board = self._parts.pace, self._parts.board
        loop, first_s = self._loop, board.of(self._parts.name).first_delay_s()
        if first_s >= SILENT_S:
            await loop.create_future()
        response.begin()
        due = loop.time() + pace.first_audio_s + first_s
        said = self._think(wish)
        if said.text:
            speech = await loop.run_in_executor(self._parts.executor, self._speak, said.text)
            await asyncio.sleep(max(0.0, due - loop.time()))
            response.open_message()
            for piece in response.pieces(speech, max(160, round(pace.piece_s * _BYTES_A_S))):
                await asyncio.sleep(max(0.0, due - loop.time()))
                response.speak(piece)
                if pace.speed_ratio > 0:
                    due += pace.piece_s / pace.speed_ratio
            response.close_message()
        else:
            await asyncio.sleep(max(0.0, due - loop.time()))
        for call in said.calls:
            response.call(call)
        response.end("completed", tell=not board.of(self._parts.name).never_end)

    def _think(self, wish: dict[str, Any]) -> Answer:
        exactly = wish_of(wish.get("instructions"))
        instructions = str(wish.get("instructions") or self.settings.instructions)
        choice = wish.get("tool_choice", self.settings.tool_choice)
        tools = [] if choice == "none" else list(self.settings.tools)
        pace = self._parts.pace
        messages = self.conversation.messages(instructions)
        said = limited(answer(messages, tools, pace.script, pace.tool_rules))
        return replace(said, text=exactly, calls=()) if exactly else said

    def _speak(self, text: str) -> Speech:
        return self._parts.voice.speak(text, language_of(text), self.settings.voice)

    def _stop(self, response: EmulatedResponse, reason: str) -> None:
        if self._task is not None:
            self._task.cancel()
        never_end = self._parts.board.of(self._parts.name).never_end
        response.end("cancelled", reason, tell=not never_end)

    # --- the socket -------------------------------------------------------------------------------

    def _greet(self) -> None:
        self._emit("session.created", session=self._session_wire())

    def _reject(self) -> None:
        error = {
            "type": "invalid_request_error",
            "code": "model_not_found",
            "message": f"The model `{self.settings.model}` does not exist.",
            "param": None,
            "event_id": None,
        }
        self._emit("error", error=error)
        self._socket.close(_POLICY, "invalid_request_error.model_not_found")

    def _expire(self) -> None:
        minutes = round(self._parts.pace.longest_session_s / 60)
        told = f"Your session hit the maximum duration of {minutes} minutes."
        error = {
            "type": "invalid_request_error",
            "code": "session_expired",
            "message": told,
            "param": None,
            "event_id": None,
        }
        self._emit("error", error=error)
        self._socket.close(_GOING_AWAY, told)

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
            **self.settings.wire,
            "type": "realtime",
            "object": "realtime.session",
            "id": "sess_emulated",
            "model": self.settings.model,
            "expires_at": self._expires_at,
        }

    def _emit(self, kind: str, **fields: Any) -> None:
        event = {"type": kind, "event_id": new_id("event"), **fields}
        self._socket.send_text(json.dumps(event, ensure_ascii=False))
