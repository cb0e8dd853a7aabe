"""The JSON of OpenAI's chat completions, whole and as a stream of chunks."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from simulation.openai_replies import Answer, tokens
from simulation.openai_tools import ToolCall

DONE = b"data: [DONE]\n\n"


def usage(prompt_tokens: int, completion_tokens: int) -> dict[str, Any]:
    """The usage object."""
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def event(body: object) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"


class ChunkWriter:
    """Writes the chunks of one completion; text chunks are cut from a template.

    Args:
        model: Echoed in every chunk.
        with_usage: ``stream_options.include_usage`` was asked for: ``usage`` is null until the end.
    """

    def __init__(self, model: str, with_usage: bool) -> None:
        self._base: dict[str, Any] = {
            "id": f"chatcmpl-{uuid.uuid4().hex[:29]}",
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": model,
            "service_tier": "default",
            "system_fingerprint": "fp_simulation",
        }
        if with_usage:
            self._base["usage"] = None
        before, _, after = self._choice({"content": "\x00"}).partition(b'"\\u0000"')
        self._before, self._after = before, after

    def _choice(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return event(self._base | {"choices": [choice]})

    def role(self) -> bytes:
        """The first chunk of an answer in text."""
        return self._choice({"role": "assistant", "content": "", "refusal": None})

    def role_of_calls(self) -> bytes:
        """The first chunk of an answer in tool calls only."""
        return self._choice({"role": "assistant", "content": None, "refusal": None})

    def text(self, piece: str) -> bytes:
        """A piece of text."""
        return self._before + json.dumps(piece, ensure_ascii=False).encode() + self._after

    def tool_call(self, index: int, call: ToolCall) -> list[bytes]:
        """A tool call: its name first, then its arguments in pieces of about a token."""
        opening = {
            "index": index,
            "id": _call_id(),
            "type": "function",
            "function": {"name": call.name, "arguments": ""},
        }
        return [
            self._choice({"tool_calls": [opening]}),
            *(
                self._choice({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
                for piece in tokens(call.arguments)
            ),
        ]

    def finish(self, reason: str) -> bytes:
        """The last choice."""
        return self._choice({}, reason)

    def usage(self, prompt_tokens: int, completion_tokens: int) -> bytes:
        """The chunk after the last choice, without choices."""
        return event(self._base | {"choices": [], "usage": usage(prompt_tokens, completion_tokens)})


def completion(
    model: str, answer: Answer, reason: str, prompt_tokens: int, completion_tokens: int
) -> dict[str, Any]:
    """The answer of a request without ``stream``."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": answer.text or (None if answer.calls else ""),
        "refusal": None,
        "annotations": [],
    }
    if answer.calls:
        message["tool_calls"] = [
            {
                "id": _call_id(),
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in answer.calls
        ]
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex[:29]}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "service_tier": "default",
        "system_fingerprint": "fp_simulation",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": reason}],
        "usage": usage(prompt_tokens, completion_tokens),
    }


def _call_id() -> str:
    return f"call_{uuid.uuid4().hex[:24]}"
