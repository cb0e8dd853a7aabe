"""Tools that bring a result: run on behalf of a reply, and to their end whatever becomes of it.

Rules
1. A use begins when it was granted, and when the record has it or has had ``RECORD_WITHIN_S`` to
   take it: a database that is away keeps no tool from being used, since the other half of the call
   has it in its log.
2. What has begun is not cancelled: not when the caller speaks, not when the call ends. Its result
   goes into the record, and to the model with whatever it is asked next.
3. Nobody waits for a result longer than the tool's ``longest_s``: then that is the result.
4. Log lines name the tool, the use and the status; never arguments, answers or addresses.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

from actors.wire import TurnEntry
from dialogue.session import CallIdentity, DialogueSession
from dialogue.tool_journal import UNKNOWN, Answered, Begin, Use
from dialogue.tool_use import Plain, refused, status_of
from dialogue.tools import RunTool, Tool
from providers.traces import trace_of

logger = logging.getLogger(__name__)

RECORD_WITHIN_S = 1.0
SPARE_S = 2.0  # for whoever runs a tool to say by itself that it took too long
_TOO_LONG = json.dumps({"status": "timeout", "error": "it took too long; it may have been done"})
_BROKE = json.dumps({"status": "failed", "error": "it broke"})
NO_RUNNER = refused("it cannot be used here")


class ToolRunner(Protocol):
    """Whoever knows how a tool is run (``providers.tools``)."""

    def refusal(self, tool: Tool, arguments: Mapping[str, Any]) -> str:
        """Why it cannot be run with these arguments, for the model; empty when it can."""

    async def run(self, tool: Tool, arguments: Mapping[str, Any], *, key: str) -> str:
        """Run it; returns JSON for the model with a ``status``. Raises nothing on purpose.

        Args:
            tool: What.
            arguments: With what.
            key: The same for the same use, however often it is tried.
        """


class UseRecord(Protocol):
    """Where it is written that a use has begun, and how it ended."""

    async def write(
        self, call: CallIdentity, turn_id: int, use: Plain, *, at_us: int, within_s: float
    ) -> None:
        """Write it, and return when it is durable, or after ``within_s``. Raises nothing."""


class ToolRuns:
    """The tools of all calls of one process.

    Args:
        runner: Runs them; None for a process that has none.
        record: Is told; None tells nobody.
        wall_clock_us: UTC microseconds, for the record.
        mint_id: A new id for each use.
    """

    def __init__(
        self,
        runner: ToolRunner | None,
        record: UseRecord | None,
        wall_clock_us: Callable[[], int],
        mint_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._runner = runner
        self._record = record
        self._wall_clock_us = wall_clock_us
        self._mint_id = mint_id
        self._granted: dict[tuple[str, str], asyncio.Event] = {}
        self._running: dict[tuple[str, str], asyncio.Task[str]] = {}

    @property
    def running(self) -> int:
        """How many tools run just now."""
        return len(self._running)

    def grant(self, call_id: str, use_ids: Iterable[str]) -> None:
        """These uses may begin; of those that nobody waits for any more nothing begins."""
        for use_id in use_ids:
            if (event := self._granted.get((call_id, use_id))) is not None:
                event.set()

    async def use(
        self,
        session: DialogueSession[TurnEntry],
        turn_id: int,
        run: RunTool,
        tell: Callable[[Plain], None],
        waited: Callable[[Tool, asyncio.Future[str]], Awaitable[None]],
    ) -> str:
        """What comes of a wish, as JSON for the model.

        Args:
            session: Of the call.
            turn_id: Whose wish it is.
            run: The wish.
            tell: Takes the use for the other half: before it begins, and with its result.
            waited: Awaited while it runs; ends when it has.
        """
        if self._runner is None:
            return NO_RUNNER
        if why := self._runner.refusal(run.tool, run.arguments):
            return refused(why)
        meant = session.tools.ask(turn_id, run, self._mint_id())
        own: Use | None = None
        if isinstance(meant, Begin):
            own = meant.use
            await self._wait_for_grant(session, own, run.tool, tell)
            meant = session.tools.ask_again(own, run) or meant
        if isinstance(meant, Answered):
            result = meant.result
        else:
            task = self._running.get((session.call.call_id, meant.use.id))
            if task is None and isinstance(meant, Begin):
                task = self._start(session, meant.use, run)
            if task is not None:
                await waited(run.tool, task)
                result = await asyncio.shield(task)
            else:
                result = UNKNOWN
            session.tools.told(meant.use.id)
        if own is not None:
            session.tools.ended(own.id, result)
            session.tools.told(own.id)
            tell(own.to_plain())
        return result

    async def _wait_for_grant(
        self,
        session: DialogueSession[TurnEntry],
        use: Use,
        tool: Tool,
        tell: Callable[[Plain], None],
    ) -> None:
        key = (session.call.call_id, use.id)
        event = self._granted.setdefault(key, asyncio.Event())
        tell({**use.to_plain(), "wait_s": tool.longest_s + RECORD_WITHIN_S + SPARE_S})
        try:
            await event.wait()
        finally:
            self._granted.pop(key, None)
            if not event.is_set():
                session.tools.withdrawn(use.id)

    def _start(
        self, session: DialogueSession[TurnEntry], use: Use, run: RunTool
    ) -> asyncio.Task[str]:
        key = (session.call.call_id, use.id)
        session.tools.started(use.id)
        task = asyncio.get_running_loop().create_task(self._run(session, use, run))
        self._running[key] = task

        def ended(task: asyncio.Task[str]) -> None:
            self._running.pop(key, None)
            session.tools.ended(use.id, UNKNOWN if task.cancelled() else task.result())

        task.add_done_callback(ended)
        return task

    async def _run(self, session: DialogueSession[TurnEntry], use: Use, run: RunTool) -> str:
        call, runner = session.call, self._runner
        if runner is None:
            return NO_RUNNER
        await self._write(call, use, RECORD_WITHIN_S)
        try:
            async with asyncio.timeout(run.tool.longest_s + SPARE_S):
                result = await runner.run(run.tool, run.arguments, key=use.id)
        except TimeoutError:
            result = _TOO_LONG
        except Exception as error:  # noqa: BLE001 - the model is told, and the call goes on
            logger.error("call %s: tool %s broke: %s", call.call_id, use.name, trace_of(error))
            result = _BROKE
        status = status_of({"result": result})
        logger.info("call %s: tool %s (%s): %s", call.call_id, use.name, use.id, status)
        session.tools.ended(use.id, result)
        await self._write(call, use, 0.0)
        return result

    async def _write(self, call: CallIdentity, use: Use, within_s: float) -> None:
        if self._record is not None:
            at_us = self._wall_clock_us()
            plain = use.to_plain()
            await self._record.write(call, use.turn_id, plain, at_us=at_us, within_s=within_s)

    async def aclose(self) -> None:
        """End what still runs: what became of it is unknown then."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
