"""What we say on a Realtime socket, as ready JSON: no models of an SDK, microseconds a message.

Source: OpenAI's reference of Realtime client events (generally available protocol).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any, Final

from dialogue.ports import Message
from providers.realtime.parse import LABEL

CANCEL: Final = '{"type":"response.cancel"}'
_APPEND: Final = '{"type":"input_audio_buffer.append","audio":"'
BYTES_A_MS: Final = 8


def append_audio(ulaw: bytes) -> str:
    """More of the caller; mu-law, 8 kHz."""
    return f'{_APPEND}{base64.b64encode(ulaw).decode("ascii")}"}}'


def update_session(session: dict[str, Any]) -> str:
    """Settings; see ``providers.realtime.session_update``."""
    return _event("session.update", session=session)


def deaf_to_interruptions() -> str:
    """From now on the caller's voice changes nothing: a goodbye is said to its end."""
    return update_session({"type": "realtime", "audio": {"input": {"turn_detection": None}}})


def cancel(response_id: str = "") -> str:
    """End a response; harmless when it has ended."""
    return _event("response.cancel", response_id=response_id) if response_id else CANCEL


def truncate(item_id: str, content_index: int, heard_samples: int) -> str:
    """The caller heard so much of this item and no more."""
    return _event(
        "conversation.item.truncate",
        item_id=item_id,
        content_index=content_index,
        audio_end_ms=heard_samples // BYTES_A_MS,
    )


def delete_item(item_id: str) -> str:
    """Take an item out of the conversation."""
    return _event("conversation.item.delete", item_id=item_id)


def ask_for_reply(label: str) -> str:
    """Have the model answer to what the conversation holds."""
    return _event("response.create", response={"metadata": {LABEL: label}})


def ask_to_say(label: str, text: str, language: str) -> str:
    """Have the model say one sentence, word for word; tools are of no use to it then."""
    wish = (
        f"Say exactly the following to the caller, word for word, in {language}, and nothing "
        f"else: {json.dumps(text, ensure_ascii=False)}"
    )
    response = {"instructions": wish, "tool_choice": "none", "metadata": {LABEL: label}}
    return _event("response.create", response=response)


def tool_call(call_id: str, name: str, arguments: str) -> str:
    """A tool that the model asked for in another session."""
    call = {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
    return _item(call)


def tool_result(call_id: str, output: str) -> str:
    """What came of a tool."""
    return _item({"type": "function_call_output", "call_id": call_id, "output": output})


def user_text(text: str) -> str:
    """Words of the caller that were not spoken, such as keys."""
    return _item(_spoken("user", "input_text", text))


def note_to_model(text: str) -> str:
    """Something that the model should know and nobody said."""
    return _item(_spoken("system", "input_text", text))


def items_of(history: Iterable[Message]) -> list[str]:
    """A conversation so far, as the items of a fresh session; system messages are no part of it."""
    told: list[str] = []
    for message in history:
        match message.role:
            case "user":
                told.append(user_text(message.text))
            case "assistant":
                if message.text:
                    told.append(_item(_spoken("assistant", "output_text", message.text)))
                told += (
                    tool_call(call.id, call.name, call.arguments_json)
                    for call in message.tool_calls
                )
            case "tool":
                told.append(tool_result(message.tool_call_id, message.text))
            case "system":
                pass
    return told


def _spoken(role: str, kind: str, text: str) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def _item(item: dict[str, Any]) -> str:
    return _event("conversation.item.create", item=item)


def _event(kind: str, **fields: Any) -> str:
    text = json.dumps({"type": kind, **fields}, ensure_ascii=False, separators=(",", ":"))
    # Half a character cannot be sent, and must not end the writer of the socket.
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
