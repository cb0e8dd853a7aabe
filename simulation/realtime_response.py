"""One response of an emulated Realtime session, as the events that the service sends for it.

Source: OpenAI's reference of Realtime server events; the order of an audio turn is that of its
guide to Realtime conversations. A response is whole, cancelled or failed; whatever was begun of it
is ended by events too.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from simulation.openai_replies import Answer, tokens
from simulation.openai_tools import ToolCall
from simulation.realtime_items import BYTES_A_MS, Conversation, Item
from simulation.voice_sound import Speech

Emit = Callable[..., None]


def new_id(kind: str) -> str:
    """An id as the service makes them."""
    return f"{kind}_{uuid.uuid4().hex[:21]}"


@dataclass(slots=True)
class EmulatedResponse:
    """A response that is being made.

    Args:
        conversation: Where its items go.
        emit: Sends an event: its type and fields.
        metadata: Of ``response.create``; told back.
        told_id: Named in the events instead of the right one; empty for the right one.
    """

    conversation: Conversation
    emit: Emit
    metadata: dict[str, Any] | None = None
    told_id: str = ""
    id: str = field(default_factory=lambda: new_id("resp"))
    status: str = "in_progress"
    output: list[Item] = field(default_factory=list)
    speech: Speech | None = None
    read: tuple[int, int] = (0, 0)
    is_begun: bool = False
    is_over: bool = False
    _open: Item | None = None
    _sent: int = 0
    _said: int = 0

    def begin(self) -> None:
        """Tell that there is one."""
        self.is_begun = True
        self.read = self.conversation.tokens()
        self.emit("response.created", response=self._wire())
        limits = {"name": "tokens", "limit": 40_000, "remaining": 39_000, "reset_seconds": 1.5}
        self.emit("rate_limits.updated", rate_limits=[limits])

    def pieces(self, speech: Speech, piece_bytes: int) -> Iterator[bytes]:
        """The audio of what is said, in pieces; send each with ``speak``."""
        self.speech = speech
        for at in range(0, len(speech.ulaw), piece_bytes):
            yield speech.ulaw[at : at + piece_bytes]

    def open_message(self) -> None:
        """Begin the item that is spoken."""
        item = self._open = Item(new_id("item"), "message", "assistant", status="in_progress")
        self._begin_item(item)
        part = {"type": "audio", "transcript": ""}
        self.emit("response.content_part.added", **self._where(item), content_index=0, part=part)

    def speak(self, piece: bytes) -> None:
        """Send a piece of audio, and the words that begin in it, which come a little earlier."""
        item, speech = self._open, self.speech
        if item is None or speech is None:
            return
        self._sent += len(piece)
        item.audio_bytes = self._sent
        upto = sum(1 for at_s in speech.char_starts_s if at_s * 1_000 < self._sent / BYTES_A_MS)
        is_last = self._sent >= len(speech.ulaw)
        upto = len(speech.text) if is_last else upto
        if upto > self._said:
            words, self._said = speech.text[self._said : upto], upto
            self._part("response.output_audio_transcript.delta", item, delta=words)
        item.text = speech.text[: self._said]
        item.char_starts_s = speech.char_starts_s[: self._said]
        audio = base64.b64encode(piece).decode("ascii")
        self._part("response.output_audio.delta", item, delta=audio)

    def close_message(self, status: str = "completed") -> None:
        """End the item that is spoken."""
        item, self._open = self._open, None
        if item is None:
            return
        item.status = status
        self._part("response.output_audio.done", item)
        self._part("response.output_audio_transcript.done", item, transcript=item.text)
        part = {"type": "audio", "transcript": item.text}
        self._part("response.content_part.done", item, part=part)
        self._end_item(item)

    def call(self, call: ToolCall) -> None:
        """Ask for a tool."""
        item = Item(new_id("item"), "function_call", call_id=new_id("call"), name=call.name)
        item.status = "in_progress"
        self._begin_item(item)
        where = {**self._where(item), "call_id": item.call_id}
        for piece in tokens(call.arguments):
            self.emit("response.function_call_arguments.delta", **where, delta=piece)
        item.text, item.status = call.arguments, "completed"
        self.emit(
            "response.function_call_arguments.done", **where, name=call.name, arguments=item.text
        )
        self._end_item(item)

    def end(
        self, status: str, reason: str = "", error: dict[str, Any] | None = None, *, tell: bool
    ) -> None:
        """It is over; ``tell`` is False for a service that forgets to say so."""
        if self.is_over:
            return
        self.is_over, self.status = True, status
        if not self.is_begun:  # nobody was told of it
            return
        self.close_message("completed" if status == "completed" else "incomplete")
        details = None
        if status != "completed":
            details = {"type": status, "reason": reason or None, "error": error}
        if tell:
            self.emit("response.done", response=self._wire(details, is_done=True))

    # --- the JSON -------------------------------------------------------------------------------

    def _begin_item(self, item: Item) -> None:
        before = self.conversation.add(item)
        self.output.append(item)
        index = len(self.output) - 1
        self.emit(
            "response.output_item.added",
            response_id=self.told_id or self.id,
            output_index=index,
            item=item.wire(),
        )
        self.emit("conversation.item.added", previous_item_id=before, item=item.wire())

    def _end_item(self, item: Item) -> None:
        index = self.output.index(item)
        self.emit(
            "response.output_item.done",
            response_id=self.told_id or self.id,
            output_index=index,
            item=item.wire(),
        )
        at = self.conversation.items.index(item) if item in self.conversation.items else 0
        before = self.conversation.items[at - 1].id if at else None
        self.emit("conversation.item.done", previous_item_id=before, item=item.wire())

    def _where(self, item: Item) -> dict[str, Any]:
        index = self.output.index(item)
        return {
            "response_id": self.told_id or self.id,
            "item_id": item.id,
            "output_index": index,
        }

    def _part(self, kind: str, item: Item, **fields: Any) -> None:
        self.emit(kind, **self._where(item), content_index=0, **fields)

    def _wire(
        self, details: dict[str, Any] | None = None, *, is_done: bool = False
    ) -> dict[str, Any]:
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": self.status,
            "status_details": details,
            "output": [item.wire() for item in self.output],
            "conversation_id": "conv_emulated",
            "output_modalities": ["audio"],
            "max_output_tokens": "inf",
            "usage": self._usage() if is_done else None,
            "metadata": self.metadata,
        }

    def _usage(self) -> dict[str, Any]:
        text_in, audio_in = self.read
        calls = sum(len(tokens(i.text)) for i in self.output if i.kind == "function_call")
        text_out = len(tokens(self.speech.text[: self._said])) if self.speech else 0
        audio_out = self._sent // (50 * BYTES_A_MS)
        taken, given = text_in + audio_in, text_out + calls + audio_out
        return {
            "total_tokens": taken + given,
            "input_tokens": taken,
            "output_tokens": given,
            "input_token_details": {
                "text_tokens": text_in,
                "audio_tokens": audio_in,
                "image_tokens": 0,
                "cached_tokens": 0,
                "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0},
            },
            "output_token_details": {"text_tokens": text_out + calls, "audio_tokens": audio_out},
        }


def limited(said: Answer) -> Answer:
    """One tool at most, as ``parallel_tool_calls: false`` has it."""
    return Answer(said.text, said.calls[:1])
