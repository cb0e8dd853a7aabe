"""Cartesia's text-to-speech over its WebSocket, spoken by the emulated voice.

Source: Cartesia's pages "Text to Speech (WebSocket)", "Contexts", "API Errors" and "Concurrency
and WebSocket Limits". Paths: the socket ``/tts/websocket``, and ``GET /voices`` by which a key is
tried.

Rules
1. A context is born with its first message. Its messages are spoken one after the other; the last
   has no ``continue``. What is fixed within a context (voice, model, format) may not change.
2. A context whose last audio went out more than a second ago takes nothing more.
3. ``cancel`` stops a context; nothing more comes of it.
4. So many contexts may be active at a time for the account; one more is an error 429 of its own.
5. A socket on which nothing was said for ``idle_s`` is closed.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from simulation.cartesia_wire import (
    BYTES_A_S,
    CartesiaRefusal,
    Generation,
    chunk_message,
    done_message,
    error_message,
    flush_message,
    generation_of,
    http_error,
    words_message,
    words_of,
)
from simulation.faults import FaultBoard
from simulation.voice_sound import Speech, SpokenVoice
from simulation.wire_http import Reply, Request
from simulation.wire_server import Refusal
from simulation.wire_socket import Socket
from telephony import g711

_SOCKET, _VOICES = "/tts/websocket", "/voices"
BAD_KEY = "bad"
_EXPIRES_S = 1.0


@dataclass(frozen=True, slots=True)
class CartesiaConfig:
    """How quick the voice is.

    Attributes:
        first_byte_s: From a text to its first audio.
        piece_s: Audio in one message.
        speed_ratio: How much faster than real time the rest follows; 0 for all at once.
        most_concurrent: Active contexts of the account.
        idle_s: After which a silent socket is closed.
    """

    first_byte_s: float = 0.09
    piece_s: float = 0.2
    speed_ratio: float = 5.0
    most_concurrent: int = 100
    idle_s: float = 300.0


class CartesiaTextToSpeech:
    """The service behind one port.

    Args:
        config: Pace and limits.
        voice: Makes the sound.
        board: Its faults.

    Attributes:
        active: Contexts that are being spoken.
    """

    name = "cartesia"

    def __init__(self, config: CartesiaConfig, voice: SpokenVoice, board: FaultBoard) -> None:
        self.config = config
        self.board = board
        self.active = 0
        self._voice = voice
        # One thread: the voice library has one global state, and the event loop stays free.
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cartesia")

    def close(self) -> None:
        """Give the voice's thread back."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def check(self, request: Request) -> None:
        """Path and key. Raises ``Refusal``: 404, 401."""
        if request.path.rstrip("/") not in (_SOCKET, _VOICES):
            raise Refusal(404, http_error(404, "No such path"))
        headers, query = request.headers, request.query
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        key = headers.get("x-api-key", "") or bearer or query.get("api_key", "")
        if not key or key == BAD_KEY:
            raise Refusal(401, http_error(401, "Invalid API key"))
        if not (headers.get("cartesia-version") or query.get("cartesia_version")):
            raise Refusal(400, http_error(400, "Say which version", "missing_version"))

    def open(self, request: Request, socket: Socket) -> CartesiaSocket:
        """A client connects. Raises ``Refusal``: 404."""
        if request.path != _SOCKET:
            raise Refusal(404, http_error(404, "This path takes no WebSocket"))
        return CartesiaSocket(self, socket)

    async def answer(self, request: Request, reply: Reply) -> None:
        """The list of voices, by which a key is tried. Raises ``Refusal``."""
        if request.path.rstrip("/") != _VOICES or request.method != "GET":
            raise Refusal(400, http_error(400, "This path takes a WebSocket"))
        voice = {"id": "f786b574-daa5-4673-aa0c-cbe3e8534c02", "name": "Katie", "language": "en"}
        reply.json(200, {"data": [voice], "has_more": False})

    def error_body(self, status: int, message: str) -> bytes:
        """Cartesia's error envelope."""
        return http_error(status, message)

    async def speech(self, wanted: Generation) -> Speech:
        """The sound of one text."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._executor, self._voice.speak, wanted.transcript, wanted.language, wanted.voice
        )


@dataclass(slots=True)
class _Context:
    name: str
    fixed: str
    texts: asyncio.Queue[Generation] = field(default_factory=asyncio.Queue)
    task: asyncio.Task[None] | None = None
    is_closing: bool = False
    spoken_s: float = 0.0
    flushes: int = 0


class CartesiaSocket:
    """One client's socket.

    Args:
        service: Pace, voice, faults.
        socket: Where messages go.
    """

    def __init__(self, service: CartesiaTextToSpeech, socket: Socket) -> None:
        self._service = service
        self._socket = socket
        self._contexts: dict[str, _Context] = {}
        self._expired: set[str] = set()
        self._loop = asyncio.get_running_loop()
        self._used_s = self._loop.time()
        self._timer = self._loop.call_later(service.config.idle_s, self._check_idle)

    def receive_text(self, message: str) -> None:
        """One client message."""
        self._used_s = self._loop.time()
        try:
            body = json.loads(message)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            self._refuse(CartesiaRefusal("Messages are JSON objects"), None)
            return
        name = body.get("context_id")
        try:
            if body.get("cancel"):
                self._cancel(name)
            else:
                self._generate(generation_of(body))
        except CartesiaRefusal as refusal:
            self._refuse(refusal, name if isinstance(name, str) else None)

    def receive_binary(self, _message: bytes) -> None:
        """Never sent by a client of this protocol."""
        self._refuse(CartesiaRefusal("Messages are JSON text"), None)

    def closed(self) -> None:
        """The client went away: nothing more is spoken."""
        self._timer.cancel()
        for context in list(self._contexts.values()):
            self._forget(context)

    def _generate(self, wanted: Generation) -> None:
        context = self._contexts.get(wanted.context_id)
        if context is None:
            if wanted.context_id in self._expired:
                raise CartesiaRefusal("The context has expired", code="context_expired")
            if self._service.active >= self._service.config.most_concurrent:
                raise CartesiaRefusal("You have exceeded your concurrency limit", 429)
            context = self._contexts[wanted.context_id] = _Context(wanted.context_id, wanted.fixed)
            self._service.active += 1
            context.task = self._loop.create_task(self._run(context))
        elif context.is_closing:
            raise CartesiaRefusal("The context is closed", code="context_closed")
        elif context.fixed != wanted.fixed:
            raise CartesiaRefusal("Only the transcript may change", code="context_mismatch")
        context.is_closing = not wanted.goes_on
        context.texts.put_nowait(wanted)

    def _cancel(self, name: Any) -> None:
        context = self._contexts.get(name) if isinstance(name, str) else None
        if context is not None:
            self._forget(context)

    def _forget(self, context: _Context) -> None:
        if self._contexts.pop(context.name, None) is None:
            return
        self._expired.add(context.name)
        self._service.active -= 1
        if context.task is not None and context.task is not asyncio.current_task():
            context.task.cancel()

    async def _run(self, context: _Context) -> None:
        while True:
            if context.spoken_s and not context.is_closing:
                try:
                    async with asyncio.timeout(_EXPIRES_S):
                        wanted = await context.texts.get()
                except TimeoutError:
                    break
            else:
                wanted = await context.texts.get()
            if wanted.transcript.strip():
                await self._speak(context, wanted)
            if wanted.flush:
                context.flushes += 1
                self._socket.send_text(flush_message(context.name, context.flushes))
            if not wanted.goes_on:
                break
        if self._service.board.of("cartesia").never_end:
            await self._loop.create_future()  # until the client goes away
        self._socket.send_text(done_message(self._name_of(context)))
        self._forget(context)

    async def _speak(self, context: _Context, wanted: Generation) -> None:
        config, board = self._service.config, self._service.board
        due = self._loop.time() + config.first_byte_s + board.of("cartesia").first_delay_s()
        speech = await self._service.speech(wanted)
        audio = speech.ulaw
        if wanted.encoding == "pcm_s16le":
            audio = g711.decode(speech.ulaw).astype("<i2").tobytes()
        step = max(2, int(config.piece_s * BYTES_A_S[wanted.encoding]) & ~1)
        words = words_of(speech) if wanted.with_words else []
        for at in range(0, len(audio), step):
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            name = self._name_of(context)
            until_s = (at + step) / BYTES_A_S[wanted.encoding]
            count = sum(start < until_s for _, start, _ in words)
            if at + step >= len(audio):
                count = len(words)
            if count:
                base_s = context.spoken_s
                timed = [(word, base_s + a, base_s + b) for word, a, b in words[:count]]
                self._socket.send_text(words_message(timed, name))
                words = words[count:]
            self._socket.send_text(chunk_message(audio[at : at + step], name))
            if config.speed_ratio > 0:
                due += config.piece_s / config.speed_ratio
        context.spoken_s += speech.duration_s

    def _name_of(self, context: _Context) -> str:
        is_wrong = self._service.board.of("cartesia").wrong_request_id
        return str(uuid.uuid4()) if is_wrong else context.name

    def _refuse(self, refusal: CartesiaRefusal, name: str | None) -> None:
        self._socket.send_text(error_message(refusal, name))

    def _check_idle(self) -> None:
        now, idle_s = self._loop.time(), self._service.config.idle_s
        if not self._contexts and now - self._used_s >= idle_s - 1e-3:
            self._socket.close(1000, "connection idle timeout")
            return
        wait_s = idle_s if self._contexts else max(1e-3, self._used_s + idle_s - now)
        self._timer = self._loop.call_later(wait_s, self._check_idle)
