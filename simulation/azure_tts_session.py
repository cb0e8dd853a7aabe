"""One socket of Azure's text-to-speech: turns in, audio and words out.

Rules
1. ``synthesis.context`` begins a turn: format, and for text in pieces the voice. ``ssml`` or
   ``text.piece`` bring what is spoken, ``text.end`` ends the pieces.
2. A turn is ``turn.start``, ``response``, ``audio.metadata`` and audio, an empty audio message,
   ``turn.end``. Turns of one socket are spoken one after the other, to their end: nothing that a
   client says takes one back, only closing the socket does.
3. What cannot be spoken closes the socket with 1007 and the reason: an unknown voice or format,
   SSML that is none, a message over 64 KiB. Too many turns at once over all sockets: 4429.
4. A socket on which nothing happens for ``idle_close_s`` is closed.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from simulation.azure_messages import Message, format_binary, format_text, parse_text
from simulation.azure_synthesis import (
    FORMATS,
    Pieces,
    Wanted,
    cut,
    is_multilingual,
    read_ssml,
    voice_locale,
)
from simulation.errors import WireViolation
from simulation.faults import Faults
from simulation.tongue import language_of
from simulation.voice_sound import SAMPLE_RATE_HZ, Speech
from simulation.wire_socket import Socket
from telephony import g711

_MOST_MESSAGE_BYTES = 65_536
_INVALID, _GOING_AWAY, _THROTTLED = 1007, 1000, 4429


@dataclass(frozen=True, slots=True)
class AzureTtsConfig:
    """How quick the voice is.

    Attributes:
        first_byte_s: From the text to its first audio.
        piece_s: Audio in one message.
        speed_ratio: How much faster than real time the rest follows; 0 for all at once.
        most_concurrent: Turns at the same time over all sockets.
        idle_close_s: Longest life of a silent socket.
    """

    first_byte_s: float = 0.15
    piece_s: float = 0.1
    speed_ratio: float = 6.0
    most_concurrent: int = 200
    idle_close_s: float = 300.0


class Mouth(Protocol):
    """The service, as one of its sockets sees it.

    Attributes:
        config: Pace and limits.
        speaking: Turns that are spoken now, over all sockets.
    """

    config: AzureTtsConfig
    speaking: int

    @property
    def faults(self) -> Faults:
        """What goes wrong now."""

    async def speak(self, wanted: Wanted) -> Speech:
        """Have a text spoken."""


@dataclass(eq=False, slots=True)
class _Turn:
    """One request: its text in whole sentences, then None."""

    request_id: str
    audio_format: str = ""
    voice: str = ""
    language: str = ""
    in_pieces: bool = False
    pieces: Pieces = field(default_factory=Pieces)
    texts: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)


class SynthesisSession:
    """One synthesiser's socket.

    Args:
        service: Voice, pace, faults.
        socket: Where audio goes.
        takes_pieces: Whether text may come in pieces (the path's version 2).
    """

    def __init__(self, service: Mouth, socket: Socket, *, takes_pieces: bool) -> None:
        self._service = service
        self._socket = socket
        self._takes_pieces = takes_pieces
        self._turns: dict[str, _Turn] = {}
        self._queue: asyncio.Queue[_Turn] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run())
        self._used_at = self._loop.time()
        self._timer = self._loop.call_later(service.config.idle_close_s, self._check_idle)

    def receive_text(self, message: str) -> None:
        """One client message."""
        self._used_at = self._loop.time()
        try:
            if len(message.encode()) > _MOST_MESSAGE_BYTES:
                raise WireViolation("Websocket message size cannot exceed 65536 bytes")
            self._take(parse_text(message))
        except WireViolation as violation:
            self._refuse(violation)

    def receive_binary(self, message: bytes) -> None:
        """Never sent by a synthesiser."""

    def closed(self) -> None:
        """The client went away: nothing more is synthesised."""
        self._timer.cancel()
        self._task.cancel()
        self._turns.clear()

    def _take(self, message: Message) -> None:
        if message.path == "synthesis.context":
            self._turns[message.request_id] = self._context(message)
            return
        turn = self._turns.get(message.request_id)
        if turn is None:
            return  # speech.config, telemetry
        if message.path == "ssml" and not turn.in_pieces:
            turn.voice, text = read_ssml(message.body)
            turn.texts.put_nowait(text)
            self._end(turn)
        elif message.path == "text.piece" and turn.in_pieces:
            if sentences := turn.pieces.take(message.body.decode("utf-8", "replace")):
                turn.texts.put_nowait(sentences)
        elif message.path == "text.end" and turn.in_pieces:
            turn.texts.put_nowait(turn.pieces.finish())
            self._end(turn)

    def _context(self, message: Message) -> _Turn:
        try:
            synthesis = json.loads(message.body)["synthesis"]
            turn = _Turn(message.request_id, str(synthesis["audio"]["outputFormat"]))
            wanted = synthesis.get("input", {})
            if wanted.get("bidirectionalStreamingMode"):
                turn.in_pieces, turn.voice = True, str(wanted["voiceName"])
                turn.language = str(wanted.get("language") or "")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise WireViolation("synthesis.context is not what it should be") from error
        if turn.audio_format not in FORMATS:
            known = ", ".join(FORMATS)
            raise WireViolation(f"Unsupported output format; this emulator speaks {known}")
        if turn.in_pieces and not self._takes_pieces:
            raise WireViolation("Text streaming is only supported by the v2 endpoint")
        if turn.in_pieces:
            self._queue.put_nowait(turn)
        return turn

    def _end(self, turn: _Turn) -> None:
        turn.texts.put_nowait(None)
        self._turns.pop(turn.request_id, None)
        if not turn.in_pieces:
            self._queue.put_nowait(turn)

    async def _run(self) -> None:
        try:
            while True:
                turn = await self._queue.get()
                if self._service.speaking >= self._service.config.most_concurrent:
                    self._socket.close(_THROTTLED, "The request is throttled")
                    return
                self._service.speaking += 1
                try:
                    await self._speak(turn)
                finally:
                    self._service.speaking -= 1
        except WireViolation as violation:
            self._refuse(violation)

    async def _speak(self, turn: _Turn) -> None:
        """Speak one turn at the service's pace."""
        if not voice_locale(turn.voice):
            raise WireViolation(f"Unsupported voice {turn.voice}.")
        config = self._service.config
        stream_id = uuid.uuid4().hex.upper()
        samples_a_piece = max(1, round(config.piece_s * SAMPLE_RATE_HZ))
        self._say(turn, "turn.start", {"context": {"serviceTag": uuid.uuid4().hex}})
        audio = {"type": "inline", "streamId": stream_id}
        tag = {"serviceTag": uuid.uuid4().hex}
        self._say(turn, "response", {"context": tag, "audio": audio})
        samples, due = 0, 0.0
        late_s = self._service.faults.first_delay_s()
        async for speech in self._spoken(turn):
            first_s = config.first_byte_s + late_s
            due = max(due, self._loop.time() + first_s)
            for piece in cut(speech, samples_a_piece, samples):
                if (wait_s := due - self._loop.time()) > 0:
                    await asyncio.sleep(wait_s)
                if piece.metadata:
                    self._say(turn, "audio.metadata", {"Metadata": piece.metadata})
                self._sound(turn, stream_id, _encode(piece.ulaw, turn.audio_format))
                if config.speed_ratio > 0:
                    due += config.piece_s / config.speed_ratio
            samples += len(speech.ulaw)
        self._sound(turn, stream_id, b"")
        ends = {"Type": "SessionEnd", "Data": {"Offset": samples * 1_250}}
        self._say(turn, "audio.metadata", {"Metadata": [ends]})
        if not self._service.faults.never_end:
            self._say(turn, "turn.end", {})

    async def _spoken(self, turn: _Turn) -> AsyncIterator[Speech]:
        locale = voice_locale(turn.voice)
        while (text := await turn.texts.get()) is not None:
            if text.strip():
                is_free = is_multilingual(turn.voice)
                language = (turn.language or language_of(text)) if is_free else locale
                if language.lower() == "zh-hk":
                    language = "yue"
                yield await self._service.speak(Wanted(text, turn.voice, language))

    def _say(self, turn: _Turn, path: str, body: dict[str, Any]) -> None:
        self._used_at = self._loop.time()
        self._socket.send_text(format_text(path, self._id_of(turn), body))

    def _sound(self, turn: _Turn, stream_id: str, audio: bytes) -> None:
        self._used_at = self._loop.time()
        self._socket.send_binary(format_binary("audio", self._id_of(turn), stream_id, audio))

    def _id_of(self, turn: _Turn) -> str:
        return uuid.uuid4().hex if self._service.faults.wrong_request_id else turn.request_id

    def _refuse(self, violation: WireViolation) -> None:
        self._socket.close(_INVALID, violation.message[:120])

    def _check_idle(self) -> None:
        limit_s = self._service.config.idle_close_s
        left_s = self._used_at + limit_s - self._loop.time()
        if left_s <= 0:
            self._socket.close(_GOING_AWAY, "Exceeded maximum websocket connection idle duration")
        else:
            self._timer = self._loop.call_later(left_s, self._check_idle)


def _encode(ulaw: bytes, audio_format: str) -> bytes:
    if FORMATS[audio_format] == 1:
        return ulaw
    return g711.decode(ulaw).astype("<i2").tobytes()
