"""How the ingress asks a CallActor about a tool: as a turn of its own kind.

A question is a ``TakeTurn`` of kind ``tool`` whose text is the call as JSON; the answer is one
``finished`` with the action, or ``failed`` with why not. So a tool finds its CallActor, or the
successor of one that died, by the same way as a turn does; audio never comes along.
"""

from __future__ import annotations

import json
from typing import Final

from dialogue.ports import ToolCallRequested

TOOL_KIND: Final = "tool"


def question_of(call: ToolCallRequested) -> str:
    """The text of the turn that asks about a tool."""
    told = {"id": call.id, "name": call.name, "arguments": call.arguments_json}
    return json.dumps({"v": 1, **told}, ensure_ascii=False)


def call_of(text: str) -> ToolCallRequested | None:
    """The tool that a turn asks about; None when its text cannot be read."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    fields = told if isinstance(told, dict) else {}
    call = [fields.get(name) for name in ("id", "name", "arguments")]
    if not all(isinstance(value, str) for value in call) or not call[1]:
        return None
    return ToolCallRequested(str(call[0]), str(call[1]), str(call[2]))
