"""The conversation of an emulated Realtime session: its items, and what a model reads of them.

An item of the assistant holds its audio: ``truncate`` cuts it where the caller stopped hearing it
and deletes its text, as the service does; what the model still knows of it are the words up to
there. Source: OpenAI's reference of ``conversation.item.truncate``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from simulation.realtime_settings import RealtimeRefusal

BYTES_A_MS = 8
_TEXT_KINDS = {"user": "input_text", "assistant": "output_text", "system": "input_text"}


@dataclass(slots=True)
class Item:
    """One item.

    Attributes:
        kind: ``message``, ``function_call`` or ``function_call_output``.
        text: Words of a message, as far as the model knows them; a call's arguments; an output.
        audio_bytes: Of a spoken message; 0 for one that is only text.
        char_starts_s: When each character of ``text`` is spoken, for one of the assistant.
        truncated_ms: Where it was cut; None if it was not.
        is_transcribed: Of one of the user: its words were told.
    """

    id: str
    kind: str
    role: str = ""
    text: str = ""
    call_id: str = ""
    name: str = ""
    audio_bytes: int = 0
    char_starts_s: tuple[float, ...] = ()
    truncated_ms: int | None = None
    status: str = "completed"
    is_transcribed: bool = False

    def wire(self) -> dict[str, Any]:
        """As the service shows it."""
        told: dict[str, Any] = {
            "id": self.id,
            "object": "realtime.item",
            "type": self.kind,
            "status": self.status,
        }
        if self.kind == "function_call":
            return told | {"call_id": self.call_id, "name": self.name, "arguments": self.text}
        if self.kind == "function_call_output":
            return told | {"call_id": self.call_id, "output": self.text}
        return told | {"role": self.role, "content": self._content()}

    def _content(self) -> list[dict[str, Any]]:
        if not self.audio_bytes:
            return [{"type": _TEXT_KINDS[self.role], "text": self.text}] if self.text else []
        if self.role == "user":
            return [
                {"type": "input_audio", "transcript": self.text if self.is_transcribed else None}
            ]
        hidden = self.truncated_ms is not None
        return [{"type": "output_audio", "transcript": None if hidden else self.text}]


@dataclass(slots=True)
class Conversation:
    """All items, oldest first."""

    items: list[Item] = field(default_factory=list)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    @property
    def last_id(self) -> str | None:
        """Of the newest item."""
        return self.items[-1].id if self.items else None

    @property
    def has_speech(self) -> bool:
        """Whether the assistant has spoken."""
        return any(item.role == "assistant" and item.audio_bytes for item in self.items)

    def find(self, item_id: object) -> Item:
        """The item. Raises ``RealtimeRefusal`` when there is none."""
        found = next((item for item in self.items if item.id == item_id), None)
        if found is None:
            raise RealtimeRefusal(f"Item with item_id not found: {item_id}", "item_not_found")
        return found

    def add(self, item: Item) -> str | None:
        """Put it last; returns the id of the one before."""
        before = self.last_id
        self.items.append(item)
        return before

    def create(self, told: object, new_id: str) -> Item:
        """An item as a client creates it. Raises ``RealtimeRefusal``."""
        if not isinstance(told, dict):
            raise RealtimeRefusal("item must be an object", "invalid_type", "item")
        item_id, kind = str(told.get("id") or new_id), told.get("type")
        if any(item.id == item_id for item in self.items):
            raise RealtimeRefusal("Item already exists", "item_create_duplicate_item_id", "item.id")
        if kind == "function_call_output":
            call_id = str(told.get("call_id", ""))
            if not any(i.call_id == call_id and i.kind == "function_call" for i in self.items):
                raise RealtimeRefusal(
                    f"Tool call ID '{call_id}' not found in conversation.",
                    "invalid_tool_call_id",
                    "item.call_id",
                )
            return Item(item_id, kind, text=str(told.get("output", "")), call_id=call_id)
        if kind == "function_call":
            call_id, name = (str(told.get(key, "")) for key in ("call_id", "name"))
            arguments = str(told.get("arguments", "{}"))
            return Item(item_id, kind, text=arguments, call_id=call_id, name=name)
        role = told.get("role")
        if kind != "message" or role not in _TEXT_KINDS:
            raise RealtimeRefusal(f"Invalid value: '{kind}'.", "invalid_value", "item.type")
        return Item(item_id, "message", str(role), _text_of(told.get("content"), str(role)))

    def truncate(self, message: dict[str, Any]) -> Item:
        """The caller heard only the beginning of an item. Raises ``RealtimeRefusal``."""
        item, end_ms = self.find(message.get("item_id")), message.get("audio_end_ms")
        if item.role != "assistant" or not item.audio_bytes:
            raise RealtimeRefusal("Only model output audio messages can be truncated")
        if isinstance(end_ms, bool) or not isinstance(end_ms, int) or end_ms < 0:
            raise RealtimeRefusal("Expected an integer.", "invalid_type", "audio_end_ms")
        if end_ms * BYTES_A_MS > item.audio_bytes:
            has_ms = item.audio_bytes // BYTES_A_MS
            raise RealtimeRefusal(
                f"Audio content of {has_ms}ms is already shorter than {end_ms}ms",
                "invalid_value",
                "audio_end_ms",
            )
        heard = sum(1 for at_s in item.char_starts_s if at_s * 1_000 < end_ms)
        item.text = item.text[:heard]
        item.audio_bytes = max(1, end_ms * BYTES_A_MS)
        item.truncated_ms = end_ms
        return item

    def delete(self, item_id: object) -> Item:
        """Take an item out. Raises ``RealtimeRefusal``."""
        item = self.find(item_id)
        self.items.remove(item)
        return item

    def messages(self, instructions: str) -> list[dict[str, Any]]:
        """The conversation as the emulated model reads it, like that of a chat completion."""
        told: list[dict[str, Any]] = [{"role": "system", "content": instructions}]
        for item in self.items:
            match item.kind:
                case "function_call":
                    function = {"name": item.name, "arguments": item.text}
                    call = {"id": item.call_id, "type": "function", "function": function}
                    told.append({"role": "assistant", "content": "", "tool_calls": [call]})
                case "function_call_output":
                    told.append(
                        {"role": "tool", "tool_call_id": item.call_id, "content": item.text}
                    )
                case _:
                    told.append({"role": item.role, "content": item.text})
        return told

    def tokens(self) -> tuple[int, int]:
        """What a response reads: tokens of text and of audio."""
        text = sum(4 + len(i.text) // 4 for i in self.items if not i.audio_bytes)
        heard = sum(i.audio_bytes // (100 * BYTES_A_MS) for i in self.items if i.role == "user")
        said = sum(i.audio_bytes // (50 * BYTES_A_MS) for i in self.items if i.role == "assistant")
        return text, heard + said


def wish_of(instructions: object) -> str:
    """The words that a response was told to say exactly; empty for none.

    A model does what it is told: the last string in quotes behind "exactly" is said.
    """
    text = instructions if isinstance(instructions, str) else ""
    begin = text.find('"', text.find("exactly")) if "exactly" in text else -1
    if begin < 0:
        return ""
    try:
        wish, _ = json.JSONDecoder().raw_decode(text[begin:])
    except ValueError:
        return ""
    return wish if isinstance(wish, str) else ""


def _text_of(content: object, role: str) -> str:
    parts = content if isinstance(content, list) else []
    kind = _TEXT_KINDS[role]
    for part in parts:
        if not isinstance(part, dict) or part.get("type") != kind:
            raise RealtimeRefusal(
                f"Invalid value. Value must be '{kind}'.", "invalid_value", "item.content[0].type"
            )
    return " ".join(str(part.get("text", "")) for part in parts)
