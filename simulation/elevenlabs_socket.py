"""ElevenLabs' streaming sockets: ``multi-stream-input`` and ``stream-input``.

Rules
1. A context is born with its first message, which alone may carry ``voice_settings``; five may
   live at once, those that are closing included. The sixth is an error 1008.
2. Text is spoken when there is enough of it: with ``auto_mode`` each message, otherwise 120
   characters; ``flush`` and the end of the context speak the rest.
3. ``close_context`` speaks what was sent before it, then comes ``isFinal`` for that context.
4. A single stream is one context without a name; ``{"text": ""}`` ends it and the socket.
5. Each context ends by itself after ``inactivity_timeout_s`` without a message; a socket on which
   nothing was said for as long is closed with 1008.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from simulation.elevenlabs_wire import AudioPiece, audio_message, final_message, socket_error
from simulation.faults import FaultBoard
from simulation.wire_socket import Socket

MOST_CONTEXTS = 5
_SINGLE = ""  # the name of a single stream's only context


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """What the URL of a socket asks for.

    Attributes:
        several: Many contexts (``multi-stream-input``) or one stream.
        auto_mode: Speak every message at once.
        enough_chars: Without it, speak when this much has gathered.
        needs_key: The handshake had no key: the first message must bring one.
    """

    several: bool
    auto_mode: bool = False
    enough_chars: int = 120
    inactivity_timeout_s: float = 20.0
    needs_key: bool = False


@dataclass(slots=True)
class _Context:
    name: str
    task: asyncio.Task[None] | None = None
    segments: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)
    gathered: str = ""
    closing: bool = False
    last_message_at: float = 0.0


class SpeechSocket:
    """One client's socket.

    Args:
        settings: From the URL.
        socket: Where audio goes.
        speak: Yields a segment's audio, paced; runs as long as the context lives.
        board: Faults.
    """

    def __init__(
        self,
        settings: StreamSettings,
        socket: Socket,
        speak: Callable[[str], AsyncIterator[AudioPiece]],
        board: FaultBoard,
    ) -> None:
        self._settings = settings
        self._socket = socket
        self._speak = speak
        self._board = board
        self._contexts: dict[str, _Context] = {}
        self._keyed = not settings.needs_key
        self._loop = asyncio.get_running_loop()
        self._last_message_at = self._loop.time()
        self._timer = self._loop.call_later(settings.inactivity_timeout_s, self._check_idle)

    def receive_text(self, message: str) -> None:
        """One client message."""
        try:
            body = json.loads(message)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            self._fail("Messages are JSON objects", "invalid_message")
            return
        self._last_message_at = self._loop.time()
        if not self._keyed and not body.get("xi_api_key"):
            self._fail("Send xi-api-key as a header or in the first message", "missing_api_key")
            return
        self._keyed = True
        if body.get("close_socket"):
            self._close_all()
            return
        name = str(body.get("context_id") or "default") if self._settings.several else _SINGLE
        self._to_context(name, body)

    def receive_binary(self, message: bytes) -> None:
        """Never sent by a client of this protocol."""
        self._fail("Messages are JSON text", "invalid_message")

    def closed(self) -> None:
        """The client went away: nothing more is synthesised."""
        self._timer.cancel()
        for context in self._contexts.values():
            if context.task is not None:
                context.task.cancel()
        self._contexts.clear()

    def _to_context(self, name: str, body: dict[str, Any]) -> None:
        context = self._contexts.get(name)
        if context is None:
            if body.get("close_context") and not body.get("text"):
                return  # it has ended already
            if len(self._contexts) >= MOST_CONTEXTS:
                self._fail(
                    "Maximum simultaneous contexts per WebSocket connection exceeded"
                    f" ({MOST_CONTEXTS}). Close one first.",
                    "max_active_conversations",
                )
                return
            context = self._contexts[name] = _Context(name)
            context.task = self._loop.create_task(self._run(context))
        elif body.get("voice_settings") or body.get("generation_config"):
            self._fail(
                "voice_settings and generation_config belong into a context's first message",
                "invalid_message",
            )
            return
        context.last_message_at = self._last_message_at
        if not context.closing:
            self._take_text(context, body)

    def _take_text(self, context: _Context, body: dict[str, Any]) -> None:
        text = body.get("text")
        text = text if isinstance(text, str) else ""
        context.gathered += text
        enough = self._settings.auto_mode or body.get("try_trigger_generation")
        if len(context.gathered) >= self._settings.enough_chars:
            enough = True
        ends = bool(body.get("close_context")) or (
            not self._settings.several and body.get("text") == "" and not body.get("flush")
        )
        if enough or ends or body.get("flush"):
            if context.gathered.strip():
                context.segments.put_nowait(context.gathered)
            context.gathered = ""
        if ends:
            self._close(context)

    def _close(self, context: _Context) -> None:
        if not context.closing:
            context.closing = True
            context.segments.put_nowait(None)

    def _close_all(self) -> None:
        for context in self._contexts.values():
            self._close(context)
        tasks = [context.task for context in self._contexts.values() if context.task is not None]
        if not tasks:
            self._socket.close(1000, "")
            return
        # The last context to end closes the socket.
        for task in tasks:
            task.add_done_callback(self._close_when_empty)

    def _close_when_empty(self, _task: asyncio.Task[None]) -> None:
        if not self._contexts:
            self._socket.close(1000, "")

    async def _run(self, context: _Context) -> None:
        while (segment := await context.segments.get()) is not None:
            async for piece in self._speak(segment):
                self._socket.send_text(audio_message(piece, self._name_on_wire(context)))
        if self._board.of("elevenlabs").never_end:
            await self._loop.create_future()  # until the client goes away
        self._socket.send_text(final_message(self._name_on_wire(context)))
        del self._contexts[context.name]
        if not self._settings.several:
            self._socket.close(1000, "")

    def _name_on_wire(self, context: _Context) -> str | None:
        if not self._settings.several:
            return None
        if self._board.of("elevenlabs").wrong_request_id:
            return uuid.uuid4().hex
        return context.name

    def _check_idle(self) -> None:
        limit_s = self._settings.inactivity_timeout_s
        oldest_allowed = self._loop.time() - limit_s + 1e-3
        if self._last_message_at <= oldest_allowed:
            self._fail(
                f"Have not received a new text input within the timeout of {limit_s:g} seconds",
                "input_timeout_exceeded",
            )
            return
        for context in self._contexts.values():
            if context.last_message_at <= oldest_allowed:
                self._close(context)
        waiting = [c.last_message_at for c in self._contexts.values() if not c.closing]
        next_at = min([self._last_message_at, *waiting]) + limit_s
        self._timer = self._loop.call_at(next_at, self._check_idle)

    def _fail(self, message: str, error: str) -> None:
        self._socket.send_text(socket_error(message, error))
        self._socket.close(1008, message[:100])
        self.closed()
