"""Tools that a Realtime model wants: asked of the mind while the call goes on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from actors.errors import ActorsError, MindRefusedError
from actors.mind_client import MindClient
from actors.tool_questions import TOOL_KIND, longest_wait_s, question_of
from actors.turn_question import TurnQuestion
from dialogue.ports import ToolCallRequested
from providers.realtime.outputs import ToolAnswered, ToolRunning, UseTool
from providers.realtime.spoken import GUESS

logger = logging.getLogger(__name__)

_BROKEN = json.dumps({"error": "it cannot be done just now"})


class ToolTasks:
    """The questions of one call that are not answered yet.

    Args:
        mind: Knows the tools.
        answered: Takes the answers, and what is known before them.
        on_refused: Told that the call belongs to somebody else.
    """

    def __init__(
        self,
        mind: MindClient,
        answered: Callable[[ToolAnswered | ToolRunning], None],
        on_refused: Callable[[], None],
    ) -> None:
        self._mind = mind
        self._answered = answered
        self._on_refused = on_refused
        self._tasks: set[asyncio.Task[None]] = set()
        self._actions: dict[int, Mapping[str, Any]] = {}

    def ask(self, wanted: UseTool) -> None:
        """Ask about a tool."""
        task = asyncio.get_running_loop().create_task(self._ask(wanted))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def action_of(self, turn_id: int) -> Mapping[str, Any]:
        """What the turn wants done, for its record; told once."""
        return self._actions.pop(turn_id, {})

    def cancel(self) -> None:
        """Nobody waits for answers any more."""
        for task in self._tasks:
            task.cancel()

    async def _ask(self, wanted: UseTool) -> None:
        call = ToolCallRequested(wanted.call_id, wanted.name, wanted.arguments)
        question = TurnQuestion(
            wanted.turn_id, GUESS, TOOL_KIND, question_of(call), speculative=False
        )
        action: Mapping[str, Any] = {}
        output, wait_s = _BROKEN, 0.0
        waits: dict[str, float] = {}
        try:
            async with contextlib.aclosing(self._mind.take_turn(question)) as items:
                async for item in items:
                    if item.type == "tool":
                        wait_s = longest_wait_s(item, waits)
                        self._answered(ToolRunning(wanted.turn_id, wanted.call_id, wait_s))
                    elif item.type == "segment":
                        self._answered(
                            ToolRunning(wanted.turn_id, wanted.call_id, wait_s, item.text)
                        )
                    elif item.type == "finished":
                        action, output = item.action, item.text
                    elif item.type == "failed":
                        output = json.dumps({"error": item.message}, ensure_ascii=False)
        except MindRefusedError:
            self._on_refused()
            return
        except ActorsError as error:
            logger.warning("call %s: a tool was not answered: %s", self._mind.call_id, error)
        if action:
            self._actions.setdefault(wanted.turn_id, action)
        self._answered(ToolAnswered(wanted.turn_id, wanted.call_id, action, output))
