"""The events of a streamed chat completion: bytes of its body in, events of the port out. No I/O.

Rules
1. The event-stream format is read by ``providers.sse``. Each event is a JSON object, or ``[DONE]``.
2. A piece of text becomes one ``ReplyDelta``; so does a piece of a refusal, which are the model's
   words to the caller; half a character waits for its other half. Pieces without text (role,
   reasoning, prompt filter results, empty ``choices``) become nothing.
3. Tool calls are put together (``chat_tool_calls``) and come with ``finish_reason``, whole; the
   first name of one becomes ``ToolCallBegan`` at once. After ``length`` and ``content_filter`` the
   last one may be cut off, so none comes.
4. ``finish_reason`` ends the text, ``[DONE]`` ends the reply. The usage chunk stands between the
   two, so ``ReplyDone`` waits for ``[DONE]`` or for the end of the body.
5. A body that ends before ``finish_reason`` is a broken one: what came so far is not the reply.
6. Text without an end, and counts that cannot be, are none.
7. An ``error`` object in the stream is a failure, typed by its code as its HTTP status would be.
8. A failure is kept, not raised: the text that came in the same bytes is handed out first.
"""

from __future__ import annotations

import json

from dialogue.ports import ReplyDelta, ReplyDone, ThinkEvent, ToolCallBegan
from providers.chat_tool_calls import ToolCallFragments
from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderUnavailable,
)
from providers.http_status import Blame, error_of_status, safe_code
from providers.json_message import whole_text
from providers.sse import EventStream

_STATUS_OF_CODE = {
    "insufficient_quota": 402,
    "invalid_api_key": 401,
    "model_not_found": 404,
    "rate_limit_exceeded": 429,
    "context_length_exceeded": 400,
    "invalid_request_error": 400,
    "invalid_prompt": 400,
}
MOST_TEXT_CHARS = 64_000  # an hour of speech
_MOST_TOKENS = 1 << 40
_CUT_OFF = frozenset({"length", "content_filter"})


class ChatStream:
    """Reads one reply.

    Attributes:
        pieces: Pieces of text and of tool calls so far; a model that works makes it grow, a server
            that only keeps the connection open does not.
        finished: ``finish_reason`` was seen: the text is complete.
        done: ``ReplyDone`` was handed out; nothing more is read.
        failure: Why there will be no more, once the events before it were handed out.
    """

    def __init__(self, blame: Blame) -> None:
        self._blame = blame
        self._body = EventStream()
        self._calls: ToolCallFragments | None = None
        self._reply_id = ""
        self._reason = ""
        self._text_chars = 0
        self._half = ""
        self._prompt_tokens: int | None = None
        self._completion_tokens: int | None = None
        self._cached_tokens: int | None = None
        self.pieces = 0
        self.finished = False
        self.done = False
        self.failure: ProviderError | None = None

    def feed(self, data: bytes) -> list[ThinkEvent]:
        """Take bytes of the body; returns what they complete and may set ``failure``."""
        events: list[ThinkEvent] = []
        if self.done or self.failure:
            return events
        try:
            for payload in self._body.feed(data):
                self._take(payload, events)
                if self.done:
                    return events
            if self._body.overlong:
                raise self._protocol_error("an event without an end")
        except ProviderError as error:
            self.failure = error
        return events

    def end(self) -> list[ThinkEvent]:
        """The body is over (or no longer worth waiting for); sets ``done`` or ``failure``."""
        events: list[ThinkEvent] = []
        if self.done or self.failure:
            return events
        try:
            for payload in self._body.end():
                self._take(payload, events)
        except ProviderProtocolError:
            pass  # the event that the body broke off in; whether it matters is decided below
        except ProviderError as error:
            self.failure = error
            return events
        if not self.done:
            self._break_off(events)
        return events

    def _break_off(self, events: list[ThinkEvent]) -> None:
        if self.finished:
            self._finish(events)
        elif self._body.foreign:
            self.failure = self._protocol_error("the answer is no event stream")
        else:
            self.failure = ProviderUnavailable(
                "the stream ended before the reply", self._blame.provider
            )

    def _take(self, payload: bytes, events: list[ThinkEvent]) -> None:
        if payload.startswith(b"[DONE]"):
            self._finish(events)
            return
        try:
            chunk = json.loads(payload.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            raise self._protocol_error("an event that is no JSON") from None
        if not isinstance(chunk, dict):
            raise self._protocol_error("an event that is no object")
        if chunk.get("error"):
            raise self._error_event(chunk["error"])
        if chunk.get("object") == "error":  # as some servers write it, without an envelope
            raise self._error_event(chunk)
        if chunk.get("usage"):
            self._take_usage(chunk["usage"])
        choices = chunk.get("choices")
        if choices and isinstance(choices, list) and isinstance(choices[0], dict):
            self._take_choice(choices[0], chunk.get("id"), events)

    def _take_choice(
        self, choice: dict[str, object], reply_id: object, events: list[ThinkEvent]
    ) -> None:
        delta = choice.get("delta")
        if isinstance(delta, dict):
            for text in (delta.get("content"), delta.get("refusal")):
                if text and isinstance(text, str):
                    self.pieces += 1
                    self._text_chars += len(text)
                    if self._text_chars > MOST_TEXT_CHARS:
                        raise self._protocol_error("a reply without an end")
                    self._say(text, events)
            if delta.get("tool_calls"):
                self._take_tool_calls(delta["tool_calls"], reply_id, events)
        reason = choice.get("finish_reason")
        if reason and isinstance(reason, str):
            if reason == "error":  # OpenRouter; the error itself should have come with it
                raise self._error_event(None)
            self._reason = whole_text(reason)
            self.finished = True
            self._say_half(events)
            self._complete_tool_calls(events)

    def _say(self, text: str, events: list[ThinkEvent]) -> None:
        """Hand text out; half a character at its end waits for the other half."""
        text, self._half = self._half + text, ""
        if "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        if text:
            events.append(ReplyDelta(whole_text(text)))

    def _say_half(self, events: list[ThinkEvent]) -> None:
        half, self._half = self._half, ""
        if half:
            events.append(ReplyDelta(whole_text(half)))

    def _take_tool_calls(
        self, fragments: object, reply_id: object, events: list[ThinkEvent]
    ) -> None:
        if not isinstance(fragments, list):
            return
        if isinstance(reply_id, str):
            self._reply_id = reply_id
        if self._calls is None:
            self._calls = ToolCallFragments()
        was_named = self._calls.named
        brought = [self._calls.take(fragment) for fragment in fragments]
        self.pieces += any(brought)
        if self._calls.named and not was_named:
            events.append(ToolCallBegan())
        if self._calls.overlong:
            raise self._protocol_error("tool calls without an end")

    def _complete_tool_calls(self, events: list[ThinkEvent]) -> None:
        calls, self._calls = self._calls, None
        if calls is not None and self._reason not in _CUT_OFF:
            events.extend(calls.complete(self._reply_id))

    def _take_usage(self, usage: object) -> None:
        if isinstance(usage, dict):
            self._prompt_tokens = _count(usage.get("prompt_tokens"))
            self._completion_tokens = _count(usage.get("completion_tokens"))
            details = usage.get("prompt_tokens_details")
            if isinstance(details, dict):
                self._cached_tokens = _count(details.get("cached_tokens"))

    def _finish(self, events: list[ThinkEvent]) -> None:
        # Some servers send [DONE] without a finish_reason; the reply is complete all the same.
        self._say_half(events)
        self._complete_tool_calls(events)
        self.done = True
        events.append(
            ReplyDone(
                self._reason or "stop",
                self._prompt_tokens,
                self._completion_tokens,
                self._cached_tokens,
            )
        )

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
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= _MOST_TOKENS else None
