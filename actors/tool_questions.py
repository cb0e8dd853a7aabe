"""How the ingress asks a CallActor about a tool: as a turn of its own kind.

A question is a ``TakeTurn`` of kind ``tool`` whose text is the call as JSON; the answer is one
``finished`` with the action, or ``failed`` with why not. So a tool finds its CallActor, or the
successor of one that died, by the same way as a turn does; audio never comes along.
"""

from __future__ import annotations

import json
from typing import Final

from actors.wire import TurnItem
from dialogue.ports import ToolCallRequested

MOST_WAIT_S = 300.0
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


def longest_wait_s(item: TurnItem, waits: dict[str, float]) -> float:
    """How long a reply may take for the tools that it waits for; 0 when they have ended.

    Measured from when they are granted; what another version says may be anything.

    Args:
        item: Tells of tools that were asked for, or have ended.
        waits: Of the tools of this reply that have not ended, by the use's id; kept up to date.
    """
    for use in item.tools:
        use_id, wait = str(use.get("id", "")), use.get("wait_s")
        if use.get("result"):
            waits.pop(use_id, None)
        elif isinstance(wait, int | float) and wait == wait:
            waits[use_id] = min(float(wait), MOST_WAIT_S)
    return max(waits.values(), default=0.0)
