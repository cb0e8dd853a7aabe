"""Tool calls of one reply, put together from the fragments of its chunks.

Rules
1. The first fragment of a call names it (``id``, ``name``); later ones find it by ``index`` and
   add to its arguments. A later name, or the same id again, changes nothing.
2. Some servers give every call the index 0, or none: another id begins another call. Some give no
   ids: these calls are numbered below the id of the reply.
3. Arguments are text, not checked here; a server that sends them as an object gets them as text.
4. A call without a name is none.
"""

from __future__ import annotations

import json
from typing import Any

from dialogue.ports import ToolCallRequested
from providers.json_message import whole_text

MOST_CALLS = 64
MOST_ARGUMENTS_CHARS = 256_000


class _Call:
    def __init__(self, call_id: str) -> None:
        self.id = call_id
        self.name = ""
        self.arguments: list[str] = []


class ToolCallFragments:
    """Collects the fragments of one reply.

    Attributes:
        named: There is a call: one whose name is known.
        overlong: More calls, or longer arguments, than any reply has a use for.
    """

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}
        self._chars = 0
        self.named = False
        self.overlong = False

    def take(self, fragment: object) -> bool:
        """One entry of a chunk's ``tool_calls``; what has no sense is skipped.

        Returns:
            Whether it brought anything: another call, its name, or more of its arguments.
        """
        if not isinstance(fragment, dict):
            return False
        before = len(self._calls), self.named, self._chars
        call = self._call_of(fragment)
        function = fragment.get("function")
        if not isinstance(function, dict):
            function = {}
        name, arguments = function.get("name"), function.get("arguments")
        if name and isinstance(name, str) and not call.name:
            call.name = name
            self.named = True
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments, ensure_ascii=False)
        if arguments and isinstance(arguments, str):
            call.arguments.append(arguments)
            self._chars += len(arguments)
        self.overlong = len(self._calls) > MOST_CALLS or self._chars > MOST_ARGUMENTS_CHARS
        return (len(self._calls), self.named, self._chars) != before

    def complete(self, reply_id: str) -> list[ToolCallRequested]:
        """The calls, in the order in which they began; afterwards there are none.

        Args:
            reply_id: Ids of our own are made from it, where the server gave none.
        """
        calls, self._calls = self._calls, []
        self._by_index.clear()
        return [
            ToolCallRequested(
                whole_text(call.id or f"{reply_id or 'call'}-{number}"),
                whole_text(call.name),
                whole_text("".join(call.arguments)).strip() or "{}",
            )
            for number, call in enumerate(calls)
            if call.name
        ]

    def _call_of(self, fragment: dict[str, Any]) -> _Call:
        raw_index, raw_id = fragment.get("index"), fragment.get("id")
        index = raw_index if isinstance(raw_index, int) else 0
        call_id = raw_id if isinstance(raw_id, str) else ""
        call = self._by_index.get(index)
        if call is None or (call_id and call.id and call_id != call.id):
            call = _Call(call_id)
            self._by_index[index] = call
            self._calls.append(call)
        call.id = call.id or call_id
        return call
