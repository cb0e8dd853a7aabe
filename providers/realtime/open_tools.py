"""Tools that were wanted by a reply which was cut: what the service is told of them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from providers.realtime import messages
from providers.realtime.outputs import ToolAnswered, ToolRunning
from providers.realtime.turn import RealtimeTurn

_NOT_DONE = json.dumps({"status": "not done"})
_BEGUN = json.dumps({"status": "running", "note": "it was begun; you are told how it ends"})


def retold(turn: RealtimeTurn) -> Iterator[str]:
    """What a fresh session is told of the tools that a running turn has asked for."""
    waiting = ((call, "") for call in turn.calls.values())
    for call, output in (*turn.results, *waiting):
        yield messages.tool_call(call.call_id, call.name, call.arguments)
        if output:
            yield messages.tool_result(call.call_id, output)


class OpenTools:
    """Tools of one call that go on though their reply has ended."""

    def __init__(self) -> None:
        self._begun: dict[str, str] = {}  # names, by the call's id

    def cut(self, turn: RealtimeTurn) -> Iterator[str]:
        """A reply is cut: what the service is told of the tools that it waited for."""
        for call_id, call in turn.calls.items():
            if turn.working_s:
                self._begun[call_id] = call.name
            yield messages.tool_result(call_id, _BEGUN if turn.working_s else _NOT_DONE)

    def ended(self, news: ToolAnswered | ToolRunning) -> str:
        """What the service is told of a tool whose reply is over; empty for nothing."""
        if not isinstance(news, ToolAnswered) or not news.output:
            return ""
        name = self._begun.pop(news.call_id, "")
        return messages.note_to_model(f"Result of {name}: {news.output}") if name else ""
