"""The event stream of a chat completion, byte by byte: no I/O, no SDK models.

Rules:
1. Bytes come in any cut; lines end with LF or CRLF. Only ``data:`` lines matter; comments (the
   keep-alives of OpenRouter) and other fields of the event-stream format are skipped.
2. A piece of text becomes one ``ReplyDelta``; pieces without text (role, tool calls, reasoning,
   prompt filter results, empty ``choices``) become nothing.
3. ``finish_reason`` ends the text, ``[DONE]`` ends the reply. The usage chunk stands between the
   two, so ``ReplyDone`` waits for ``[DONE]`` or for the end of the body.
4. A body that ends before ``finish_reason`` is a broken one: what came so far is not the reply.
5. An ``error`` object in the stream is a failure, typed by its code as its HTTP status would be.
6. A failure is kept, not raised: the text that came in the same bytes is handed out first.

One chunk costs about 8 us here. With the transport of the SDK it is half of what the SDK takes when
it builds its models; what is left is the transport.
"""

from __future__ import annotations

import json
from typing import Any

from dialogue.ports import ReplyDelta, ReplyDone, ThinkEvent
from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderUnavailable,
)
from providers.http_status import Blame, error_of_status, safe_code

_LONGEST_LINE_BYTES = 1 << 20
_STATUS_OF_CODE = {
    "insufficient_quota": 402,
    "invalid_api_key": 401,
    "model_not_found": 404,
    "rate_limit_exceeded": 429,
    "context_length_exceeded": 400,
    "invalid_request_error": 400,
    "invalid_prompt": 400,
}


class ChatStream:
    """Reads one reply.

    Attributes:
        finished: ``finish_reason`` was seen: the text is complete.
        done: ``ReplyDone`` was handed out; nothing more is read.
        failure: Why there will be no more, once the events before it were handed out.
    """

    def __init__(self, blame: Blame) -> None:
        self._blame = blame
        self._tail = b""
        self._reason = ""
        self._prompt_tokens: int | None = None
        self._completion_tokens: int | None = None
        self._garbage = False
        self.finished = False
        self.done = False
        self.failure: ProviderError | None = None

    def feed(self, data: bytes) -> list[ThinkEvent]:
        """Take bytes of the body; returns what they complete and may set ``failure``."""
        events: list[ThinkEvent] = []
        *lines, self._tail = (self._tail + data if self._tail else data).split(b"\n")
        try:
            for line in lines:
                if self.done or self.failure:
                    break
                self._take_line(line, events)
            if len(self._tail) > _LONGEST_LINE_BYTES:
                raise self._protocol_error("a line without an end")
        except ProviderError as error:
            self.failure = error
        return events

    def end(self) -> list[ThinkEvent]:
        """The body is over (or no longer worth waiting for); sets ``done`` or ``failure``."""
        events = self.feed(b"\n") if self._tail else []
        if self.done or self.failure:
            return events
        if self.finished:
            events.append(self._finish())
        elif self._garbage:
            self.failure = self._protocol_error("the answer is no event stream")
        else:
            self.failure = ProviderUnavailable(
                "the stream ended before the reply", self._blame.provider
            )
        return events

    def _take_line(self, line: bytes, events: list[ThinkEvent]) -> None:
        if not line.startswith(b"data:"):
            if line[:1] not in (b"", b":", b"\r") and not line.startswith(
                (b"event:", b"id:", b"retry")
            ):
                self._garbage = True
            return
        payload = line[5:].strip()
        if payload == b"[DONE]":
            events.append(self._finish())
            return
        if not payload:
            return
        try:
            chunk = json.loads(payload)
        except (ValueError, RecursionError):
            raise self._protocol_error("an event that is no JSON") from None
        if not isinstance(chunk, dict):
            raise self._protocol_error("an event that is no object")
        self._take_chunk(chunk, events)

    def _take_chunk(self, chunk: dict[str, Any], events: list[ThinkEvent]) -> None:
        if chunk.get("error"):
            raise self._error_event(chunk["error"])
        if chunk.get("usage"):
            self._take_usage(chunk["usage"])
        choices = chunk.get("choices")
        if not choices or not isinstance(choices, list) or not isinstance(choices[0], dict):
            return
        choice = choices[0]
        delta = choice.get("delta")
        if isinstance(delta, dict):
            text = delta.get("content")
            if text and isinstance(text, str):
                events.append(ReplyDelta(text))
        reason = choice.get("finish_reason")
        if reason and isinstance(reason, str):
            self._reason = reason
            self.finished = True

    def _take_usage(self, usage: object) -> None:
        if isinstance(usage, dict):
            self._prompt_tokens = _count(usage.get("prompt_tokens"))
            self._completion_tokens = _count(usage.get("completion_tokens"))

    def _finish(self) -> ReplyDone:
        self.done = True
        # Some servers send [DONE] without a finish_reason; the text is complete all the same.
        return ReplyDone(self._reason or "stop", self._prompt_tokens, self._completion_tokens)

    def _error_event(self, error: object) -> ProviderError:
        body = error if isinstance(error, dict) else {}
        for raw in (body.get("code"), body.get("type")):
            if isinstance(raw, int) and 400 <= raw < 600:
                return error_of_status(raw, self._blame, code=raw)
            code = safe_code(raw)
            if code in _STATUS_OF_CODE:
                return error_of_status(_STATUS_OF_CODE[code], self._blame, code=code)
        code = safe_code(body.get("code")) or safe_code(body.get("type")) or "error"
        if code in ("overloaded", "system_busy", "slow_down"):
            return ProviderBusy(f"{code} in the stream", self._blame.provider)
        return ProviderUnavailable(f"{code} in the stream", self._blame.provider)

    def _protocol_error(self, what: str) -> ProviderProtocolError:
        return ProviderProtocolError(what, self._blame.provider, self._blame.address)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
