"""Deepgram's turn-based recognition (Flux) so far as a client of ``/v2/listen`` can tell.

Source: Deepgram's AsyncAPI description of ``listen.v2`` and its pages "Errors", "Close Stream",
"Force End Turn" and "STT Troubleshooting WebSocket, NET, and DATA Errors". There is no keep-alive
message here: WebSocket pings keep an idle socket open, for which the service waits a minute.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulation.deepgram_flux_settings import (
    FluxSettings,
    settings_of_configure,
    settings_of_query,
    thresholds_of,
)
from simulation.deepgram_flux_turns import FluxTurns
from simulation.errors import WireViolation
from simulation.faults import SILENT_S, FaultBoard
from simulation.fingerprint import ClipIndex, Fingerprint
from simulation.wire_http import Reply, Request
from simulation.wire_server import Refusal
from simulation.wire_socket import Socket
from telephony import g711

_PATH = "/v2/listen"
_PROJECTS_PATH = "/v1/projects"
BAD_KEY = "bad"
_INTERNAL_ERROR = 1011
_POLICY_VIOLATION = 1008
_CODES = {
    400: "Bad Request",
    401: "INVALID_AUTH",
    402: "ASR_PAYMENT_REQUIRED",
    403: "INSUFFICIENT_PERMISSIONS",
    404: "NOT_FOUND",
    429: "TOO_MANY_REQUESTS",
}


@dataclass(frozen=True, slots=True)
class DeepgramConfig:
    """How quick the recogniser is.

    Attributes:
        lag_s: From the arrival of audio to the message about it.
        decode_lag_s: Audio behind a word that it takes to know it.
        inactivity_s: Without a byte from the client, pings included, a socket is closed.
    """

    lag_s: float = 0.08
    decode_lag_s: float = 0.1
    inactivity_s: float = 60.0


class DeepgramFlux:
    """The service behind one port.

    Args:
        config: Lags.
        index: The clips it recognises.
        board: Its faults.
    """

    name = "deepgram"

    def __init__(self, config: DeepgramConfig, index: ClipIndex, board: FaultBoard) -> None:
        self.config = config
        self.index = index
        self.board = board

    def check(self, request: Request) -> None:
        """Path and key. Raises ``Refusal``: 404, 401."""
        if request.path not in (_PATH, _PROJECTS_PATH):
            raise Refusal(404, self.error_body(404, "Not found"))
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() not in ("token", "bearer") or not key or key == BAD_KEY:
            raise Refusal(401, self.error_body(401, "Invalid credentials."))

    def open(self, request: Request, socket: Socket) -> FluxSession:
        """A client connects. Raises ``Refusal``: 400."""
        if request.path != _PATH:
            raise Refusal(400, self.error_body(400, "This path takes no WebSocket"))
        try:
            settings = settings_of_query(request.fields)
        except WireViolation as violation:
            body = {"code": "INVALID_PARAMETER", "description": violation.message}
            raise Refusal(400, json.dumps(body).encode()) from None
        return FluxSession(self, settings, socket)

    async def answer(self, request: Request, reply: Reply) -> None:
        """``GET /v1/projects`` shows that a key is good; ``/v2/listen`` needs a WebSocket."""
        if request.path == _PROJECTS_PATH and request.method == "GET":
            reply.json(200, {"projects": [{"project_id": str(uuid.uuid4()), "name": "emulated"}]})
        else:
            reply.whole(400, self.error_body(400, "This path takes a WebSocket"))

    def error_body(self, status: int, message: str) -> bytes:
        """Deepgram's error envelope."""
        return json.dumps(
            {
                "err_code": _CODES.get(status, "INTERNAL_SERVER_ERROR"),
                "err_msg": message,
                "request_id": str(uuid.uuid4()),
            }
        ).encode()


class FluxSession:
    """One client's socket.

    Args:
        service: Lags, clips, faults.
        settings: From the query.
        socket: Where messages go.
    """

    def __init__(self, service: DeepgramFlux, settings: FluxSettings, socket: Socket) -> None:
        self._service = service
        self._socket = socket
        self._is_linear = settings.encoding == "linear16"
        self._has_format = bool(settings.encoding)
        self._turns = FluxTurns(settings, Fingerprint(service.index), service.config.decode_lag_s)
        self._request_id = str(uuid.uuid4())
        self._sequence_id = 0
        self._outbox: deque[tuple[float, dict[str, Any]]] = deque()
        self._is_closing = False
        # For a socket as a whole: it reports on all audio, whatever is said in it.
        self._is_silent = service.board.of("deepgram").first_delay_s() >= SILENT_S
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._seen_bytes = 0
        self._seen_at = self._loop.time()
        self._idle = self._loop.call_later(self._idle_check_s, self._check_idle)
        # The handshake is answered first.
        self._loop.call_soon(self._send, {"type": "Connected"})

    def receive_text(self, message: str) -> None:
        """A control message; one that is none of the four is fatal."""
        if self._is_closing:
            return
        try:
            body = json.loads(message)
        except ValueError:
            body = None
        kind = body.get("type") if isinstance(body, dict) else None
        match kind:
            case "CloseStream":
                self._finish()
            case "Configure":
                self._configure(body)
            case "ForceEndTurn":
                ended = self._turns.force_end()
                self._say([ended or _warning("FORCE_END_TURN_NO_ACTIVE_TURN")])
            case _:
                self._fail("UNPARSABLE_CLIENT_MESSAGE", "Could not deserialize last text message")

    def receive_binary(self, message: bytes) -> None:
        """Audio. None at all ends the stream."""
        if self._is_closing:
            return
        if not message:
            self._finish()
        elif not self._has_format:
            # Without ``encoding`` the audio is a file, and raw telephone audio is none.
            self._is_closing = True
            self._socket.close(_POLICY_VIOLATION, "DATA-0000")
        else:
            self._say(self._turns.receive_audio(self._as_ulaw(message)))

    def closed(self) -> None:
        """The client went away."""
        self._is_closing = True
        self._idle.cancel()
        if self._timer is not None:
            self._timer.cancel()

    def _as_ulaw(self, message: bytes) -> bytes:
        if not self._is_linear:
            return message
        samples = np.frombuffer(message[: len(message) & ~1], dtype="<i2").astype(np.int16)
        return bytes(g711.encode(samples)).replace(b"\x7f", b"\xff")

    def _configure(self, body: dict[str, Any]) -> None:
        try:
            self._turns.settings = settings_of_configure(self._turns.settings, body)
        except WireViolation as violation:
            failure = {"type": "ConfigureFailure", "code": "INVALID_PARAMETER"}
            self._say([failure | {"description": violation.message}])
            return
        now = self._turns.settings
        success: dict[str, Any] = {
            "type": "ConfigureSuccess",
            "thresholds": thresholds_of(now),
            "keyterms": list(now.keyterms),
        }
        if now.hints:
            success["language_hints"] = list(now.hints)
        self._say([success])

    def _say(self, messages: list[dict[str, Any]]) -> None:
        if not messages or self._is_silent:
            return
        faults = self._service.board.of("deepgram")
        due = self._loop.time() + self._service.config.lag_s + faults.first_byte_delay_s
        self._outbox.extend((due, message) for message in messages)
        if self._timer is None:
            self._timer = self._loop.call_at(self._outbox[0][0], self._drain)

    def _drain(self) -> None:
        self._timer = None
        now = self._loop.time() + 1e-4
        while self._outbox and self._outbox[0][0] <= now:
            message = self._outbox.popleft()[1]
            faults = self._service.board.of("deepgram")
            if not (faults.never_end and message.get("event") == "EndOfTurn"):
                self._send(message)
        if self._outbox:
            self._timer = self._loop.call_at(self._outbox[0][0], self._drain)
        elif self._is_closing:
            self._socket.close(None, "")

    def _send(self, message: dict[str, Any]) -> None:
        request_id = self._request_id
        if self._service.board.of("deepgram").wrong_request_id and message["type"] == "TurnInfo":
            request_id = str(uuid.uuid4())
        ids = {"request_id": request_id, "sequence_id": self._sequence_id}
        if message["type"] == "Error":
            del ids["request_id"]
        self._sequence_id += 1
        self._socket.send_text(json.dumps(message | ids))

    def _finish(self) -> None:
        """Tell what is known and hang up, without a close code."""
        self._say(self._turns.finish())
        self._is_closing = True
        if self._timer is None:
            self._socket.close(None, "")

    def _fail(self, code: str, description: str) -> None:
        self._send({"type": "Error", "code": code, "description": description})
        self._is_closing = True
        self._socket.close(None, "")

    @property
    def _idle_check_s(self) -> float:
        return self._service.config.inactivity_s / 10

    def _check_idle(self) -> None:
        now = self._loop.time()
        if self._seen_bytes != self._socket.received_bytes:
            self._seen_bytes, self._seen_at = self._socket.received_bytes, now
        if now - self._seen_at >= self._service.config.inactivity_s - 1e-3:
            self._send({"type": "Error", "code": "INACTIVE_CLIENT", "description": "No messages"})
            self._is_closing = True
            self._socket.close(_INTERNAL_ERROR, "NET-0001")
            return
        self._idle = self._loop.call_later(self._idle_check_s, self._check_idle)


def _warning(code: str) -> dict[str, Any]:
    return {"type": "Warning", "code": code, "description": "It is ignored"}
