"""The answer to a question about one tool that brings a result, as a stream of items.

Asked by the half that holds the socket, for a model that speaks by itself
(``actors.tool_questions``): the same run as in any other reply, and ``finished`` brings its result
as text.
"""

from __future__ import annotations

import asyncio
import logging

from actors.tool_runs import NO_RUNNER, ToolRuns
from actors.tool_waits import SpeechEstimate, wait_with_fillers
from actors.wire import TakeTurn, TurnEntry, TurnItem
from dialogue.session import DialogueSession
from dialogue.tool_use import Plain, refused
from dialogue.tools import RunTool, Tool
from providers.traces import trace_of

logger = logging.getLogger(__name__)


class ToolReply:
    """One tool being run for one question.

    Args:
        session: Of the call.
        question: Whose turn it is.
        run: What is wanted.
        tools: Runs it; None runs nothing.
    """

    def __init__(
        self,
        session: DialogueSession[TurnEntry],
        question: TakeTurn,
        run: RunTool,
        tools: ToolRuns | None,
    ) -> None:
        self.over = False
        self._session = session
        self._question = question
        self._run = run
        self._tools = tools
        self._items: asyncio.Queue[TurnItem] = asyncio.Queue()
        self._fillers = 0
        self.task = asyncio.get_running_loop().create_task(self._answer())

    async def next_item(self) -> TurnItem:
        """The next step; the last one is ``finished``."""
        return await self._items.get()

    def cancel(self, refusal: str) -> None:
        """Nobody waits any more; what has begun goes on."""
        if not self.over:
            self._put("failed", message=refusal, refusal=refusal)
            self.task.cancel()

    async def _answer(self) -> None:
        result = NO_RUNNER
        if self._tools is not None:
            turn_id = self._question.turn_id
            try:
                result = await self._tools.use(
                    self._session, turn_id, self._run, self._tell, self._wait
                )
            except Exception as error:  # noqa: BLE001 - the model says so, and the call goes on
                name = self._run.tool.name
                logger.error("tool %s could not be used: %s", name, trace_of(error))
                result = refused("it broke")
        self._put("finished", text=result)

    def _tell(self, use: Plain) -> None:
        self._put("tool", tools=(use,))

    async def _wait(self, tool: Tool, task: asyncio.Future[str]) -> None:
        speech = SpeechEstimate()
        speech.begun(now=asyncio.get_running_loop().time())

        def fill() -> None:
            text = self._session.agent.filler(tool.name)
            speech.said(text, now=asyncio.get_running_loop().time())
            self._put("segment", index=self._fillers, text=text)
            self._fillers += 1

        await wait_with_fillers(task, speech, tool.filler_after_s, fill)

    def _put(self, kind: str, **values: object) -> None:
        if self.over:
            return
        self.over = kind in {"finished", "failed"}
        where = (self._question.turn_id, self._question.guess)
        self._items.put_nowait(TurnItem(kind, *where, **values))  # type: ignore[arg-type]
