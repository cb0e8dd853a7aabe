"""OpenAI's chat completions, so far as the unmodified SDK can tell.

Paths: ``/v1``, ``/openai/v1`` (Azure's new route) and ``/openai/deployments/{name}`` (its classic
one), each with ``chat/completions``; the first two with ``models``.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from dataclasses import dataclass, replace
from typing import TypeVar

from simulation.faults import FaultBoard
from simulation.openai_replies import Answer, ScriptLine, answer, tokens
from simulation.openai_request import Asked, parse_request
from simulation.openai_tools import DEFAULT_TOOL_RULES, ToolRule
from simulation.openai_wire import DONE, ChunkWriter, completion
from simulation.wire_http import Reply, Request
from simulation.wire_server import Refusal
from simulation.wire_socket import Socket, SocketSession

T = TypeVar("T")

_CHAT = re.compile(r"(?:/v1|/openai/v1|/openai/deployments/(?P<deployment>[^/]+))/chat/completions")
_MODELS = re.compile(r"(?:/v1|/openai/v1)/models(?:/(?P<model>[^/]+))?")
BAD_KEY = "bad"
BAD_MODEL = "missing-model"
_ERROR_TYPES = {
    400: ("invalid_request_error", "invalid_value"),
    401: ("invalid_request_error", "invalid_api_key"),
    404: ("invalid_request_error", "model_not_found"),
    429: ("requests", "rate_limit_exceeded"),
}


@dataclass(frozen=True, slots=True)
class OpenAIConfig:
    """How quick the model is and what it knows.

    Attributes:
        first_token_s: From the request to the first piece of text.
        per_token_s: From one piece to the next.
        models: Listed by ``GET /v1/models``; any name is served but ``missing-model``.
        script: Answers that come before the built-in ones.
        tool_rules: What callers say to have which tool called, where the request offers it.
    """

    first_token_s: float = 0.25
    per_token_s: float = 0.012
    models: tuple[str, ...] = ("gpt-6-luna", "gpt-5.6-luna", "gpt-5.4-mini")
    script: tuple[ScriptLine, ...] = ()
    tool_rules: tuple[ToolRule, ...] = DEFAULT_TOOL_RULES


class OpenAIChat:
    """The service behind one port.

    Args:
        config: Pace and script.
        board: Its faults.
    """

    name = "openai"

    def __init__(self, config: OpenAIConfig, board: FaultBoard) -> None:
        self._config = config
        self._board = board

    def check(self, request: Request) -> None:
        """Path and key. Raises ``Refusal``: 404, 401."""
        if not (_CHAT.fullmatch(request.path) or _MODELS.fullmatch(request.path)):
            raise Refusal(404, self.error_body(404, f"Invalid URL ({request.method})"))
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        key = bearer or request.headers.get("api-key", "")
        if not key or key == BAD_KEY:
            raise Refusal(401, self.error_body(401, "Incorrect API key provided"))

    def open(self, request: Request, socket: Socket) -> SocketSession:
        """No WebSocket here. Raises ``Refusal``."""
        raise Refusal(404, self.error_body(404, "This emulator speaks chat completions only"))

    def error_body(self, status: int, message: str) -> bytes:
        """OpenAI's error envelope."""
        kind, code = _ERROR_TYPES.get(status, ("server_error", None))
        error = {"message": message, "type": kind, "param": None, "code": code}
        return json.dumps({"error": error}).encode()

    async def answer(self, request: Request, reply: Reply) -> None:
        """Chat completions and the list of models. Raises ``Refusal``, ``WireViolation``."""
        if match := _MODELS.fullmatch(request.path):
            self._answer_models(match["model"], reply)
            return
        if request.method != "POST":
            raise Refusal(405, self.error_body(405, f"Not allowed: {request.method}"))
        asked = self._asked(request)
        config = self._config
        said = answer(asked.messages, asked.tools, config.script, config.tool_rules, asked.forced)
        said = replace(said, calls=said.calls[: asked.most_calls])
        started = time.monotonic()
        if asked.stream:
            await self._stream(asked, said, reply)
        else:
            await self._whole(asked, said, reply, started)

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
            raise Refusal(404, self.error_body(404, f"The model '{model}' does not exist"))
        reply.json(200, found[0])

    def _asked(self, request: Request) -> Asked:
        match = _CHAT.fullmatch(request.path)
        asked = parse_request(request.json(), match["deployment"] if match else None)
        if asked.model == BAD_MODEL:
            raise Refusal(404, self.error_body(404, f"The model '{BAD_MODEL}' does not exist"))
        return asked

    async def _whole(self, asked: Asked, said: Answer, reply: Reply, started: float) -> None:
        pieces = tokens(said.text)
        await asyncio.sleep(self._first_token_s() + self._config.per_token_s * len(pieces))
        kept, cut = _limited(pieces, asked.most_tokens)
        limited = Answer("".join(kept), () if cut else said.calls)
        spent = len(kept) + sum(len(tokens(call.arguments)) for call in limited.calls)
        reason = _reason(asked, limited, cut)
        body = completion(asked.model, limited, reason, asked.prompt_tokens, spent)
        reply.json(200, body, _headers(started))

    async def _stream(self, asked: Asked, said: Answer, reply: Reply) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + self._first_token_s()
        writer = ChunkWriter(asked.model, asked.with_usage)
        chunks, cut = _limited(_chunks(writer, said), asked.most_tokens)
        await asyncio.sleep(due - loop.time())
        event_stream = {"content-type": "text/event-stream; charset=utf-8"}
        reply.start({**event_stream, **_headers(time.monotonic())})
        if asked.is_azure:
            await reply.chunk(b'data: {"choices":[],"prompt_filter_results":[]}\n\n')
        await reply.chunk(writer.role() if said.text else writer.role_of_calls())
        for chunk in chunks:
            wait_s = due - loop.time()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            if self._board.of(self.name).wrong_request_id:
                chunk = chunk.replace(b"chatcmpl-", b"chatcmpl-other", 1)
            await reply.chunk(chunk)
            due += self._config.per_token_s
        if self._board.of(self.name).never_end:
            await loop.create_future()  # until the client gives up
        await reply.chunk(writer.finish(_reason(asked, said, cut)))
        if asked.with_usage:
            await reply.chunk(writer.usage(asked.prompt_tokens, len(chunks)))
        await reply.chunk(DONE)
        reply.end()

    def _first_token_s(self) -> float:
        return self._config.first_token_s + self._board.of(self.name).first_delay_s()


def _chunks(writer: ChunkWriter, said: Answer) -> list[bytes]:
    """Text, then calls; about a token each."""
    text = [writer.text(piece) for piece in tokens(said.text)]
    calls = (writer.tool_call(index, call) for index, call in enumerate(said.calls))
    return [*text, *(chunk for call in calls for chunk in call)]


def _limited(pieces: list[T], most: int) -> tuple[list[T], bool]:
    """At most ``most`` pieces, and whether some had to go."""
    cut = 0 < most < len(pieces)
    return (pieces[:most] if cut else pieces), cut


def _reason(asked: Asked, said: Answer, cut: bool) -> str:
    if cut:
        return "length"
    # A call of the one tool that was named in the request ends in ``stop``.
    return "tool_calls" if said.calls and asked.forced in ("", "required") else "stop"


def _headers(started: float) -> dict[str, str]:
    return {
        "x-request-id": f"req_{uuid.uuid4().hex}",
        "openai-processing-ms": str(int((time.monotonic() - started) * 1_000)),
        "x-ratelimit-limit-requests": "10000",
        "x-ratelimit-remaining-requests": "9999",
        "x-ratelimit-reset-requests": "6ms",
    }
