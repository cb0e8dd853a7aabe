"""OpenAI Realtime so far as a telephone client can tell: ``/v1/realtime`` over a websocket.

Sources: OpenAI's reference of Realtime client and server events (generally available protocol),
its guide to Realtime conversations, and reports of what the service answers to mistakes (codes of
``error`` events, the close after an hour). Paths: ``/v1/realtime`` and ``/openai/v1/realtime``,
each with ``?model=``; plain requests are answered for ``/v1/models`` only.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

from simulation.faults import FaultBoard
from simulation.fingerprint import ClipIndex
from simulation.realtime_session import EmulatedSession, RealtimeEmulatorConfig, ServiceParts
from simulation.voice_sound import SpokenVoice
from simulation.wire_http import Reply, Request
from simulation.wire_server import Refusal
from simulation.wire_socket import Socket

_PATHS = frozenset({"/v1/realtime", "/openai/v1/realtime"})
_MODELS = frozenset({"/v1/models", "/openai/v1/models"})
BAD_KEY = "bad"
BAD_MODEL = "missing-model"
_ERROR_TYPES = {
    400: ("invalid_request_error", "invalid_value"),
    401: ("invalid_request_error", "invalid_api_key"),
    404: ("invalid_request_error", None),
    429: ("requests", "rate_limit_exceeded"),
}


class OpenAIRealtimeEmulator:
    """The service behind one port.

    Args:
        config: Pace and script.
        index: The clips that it understands.
        voice: Makes the sound.
        board: Its faults.

    Attributes:
        sessions: Every session so far, oldest first: what a test looks at.
    """

    name = "openai_realtime"

    def __init__(
        self,
        config: RealtimeEmulatorConfig,
        index: ClipIndex,
        voice: SpokenVoice,
        board: FaultBoard,
    ) -> None:
        self.config = config
        # One thread: the voice library has one global state, and the event loop stays free.
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="realtime-voice")
        self._parts = ServiceParts(self.name, config, index, voice, board, self._executor)
        self.sessions: list[EmulatedSession] = []

    def close(self) -> None:
        """Give the voice's thread back."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def check(self, request: Request) -> None:
        """Path and key. Raises ``Refusal``: 404, 401."""
        if request.path not in _PATHS | _MODELS:
            raise Refusal(404, self.error_body(404, f"Invalid URL ({request.method})"))
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        key = bearer or request.headers.get("api-key", "")
        if not key or key == BAD_KEY:
            raise Refusal(401, self.error_body(401, "Incorrect API key provided"))

    def open(self, request: Request, socket: Socket) -> EmulatedSession:
        """A client connects. Raises ``Refusal``: 400 without a model."""
        model = request.query.get("model", "")
        if request.path not in _PATHS or not model:
            raise Refusal(400, self.error_body(400, "you must provide a model parameter"))
        session = EmulatedSession(self._parts, model, socket, is_known=model != BAD_MODEL)
        self.sessions.append(session)
        return session

    async def answer(self, request: Request, reply: Reply) -> None:
        """The list of models, by which a key is tried. Raises ``Refusal``."""
        if request.path not in _MODELS or request.method != "GET":
            raise Refusal(400, self.error_body(400, "This path takes a WebSocket"))
        listed = [{"id": "gpt-realtime-2.1", "object": "model", "owned_by": "simulation"}]
        reply.json(200, {"object": "list", "data": listed})

    def error_body(self, status: int, message: str) -> bytes:
        """OpenAI's error envelope."""
        kind, code = _ERROR_TYPES.get(status, ("server_error", None))
        error = {"message": message, "type": kind, "param": None, "code": code}
        return json.dumps({"error": error}).encode()
