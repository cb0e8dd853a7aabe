"""Which CallActor has a call, and how the call goes to another one.

Rules
1. A move mints a newer epoch, so that a zombie of the old place is refused. While no actor has a
   slot (the only one has just died) it waits for one (``mind_pool.place_elsewhere``).
2. One move at a time: whoever finds the actor lost meanwhile waits for the same move, and the end
   of the call waits for it too.
3. An actor that the call has left is told so (``actors.partings``).
4. A call whose actor is lost as its next stream opens is given to another one with what the record
   knows of it: nobody else has its turns then.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from actors.errors import MindLostError, MindRefusedError, NoSlotError
from actors.mind_pool import MindPool, place_elsewhere
from actors.partings import Partings
from actors.wire import CallOpened, OpenCall, TurnEntry

logger = logging.getLogger(__name__)

MAX_PLACEMENTS_A_TURN = 3


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known of a call besides what its stream knows.

    Attributes:
        turn_log: Settled turns.
        uses: Of tools, in turns that were never settled.
    """

    turn_log: tuple[TurnEntry, ...] = ()
    uses: tuple[dict[str, Any], ...] = ()


class MindHome:
    """Of one call.

    Args:
        pool: The CallActors.
        actor: Name of the actor that has the call, or is to have it first.
        call: The call as it is to be opened.
        timeout_s: How late the answer of an actor may be; opening a call may take twice as long.
        wall_clock_us: UTC microseconds, for new epochs.
        with_log: Returns a call with all that is known of it now, for whoever takes it.
        remember: Looks up what is not known of a call that another stream had before. Never raises.
        on_opened: Told what an actor says that has taken the call.
        on_moved: Told whenever another actor has taken the call.

    Attributes:
        actor: Name of the actor that has the call.
        call: The call as it was opened last, without what ``with_log`` adds.
        replacements: Times the call was moved.
    """

    def __init__(  # noqa: PLR0913 - what each is for stands above
        self,
        pool: MindPool,
        actor: str,
        call: OpenCall,
        *,
        timeout_s: float,
        wall_clock_us: Callable[[], int],
        with_log: Callable[[OpenCall], OpenCall],
        remember: Callable[[], Awaitable[None]],
        on_opened: Callable[[CallOpened], None],
        on_moved: Callable[[], None],
    ) -> None:
        self.actor = actor
        self.call = call
        self.replacements = 0
        self._pool = pool
        self._timeout_s = timeout_s
        self._wall_clock_us = wall_clock_us
        self._with_log = with_log
        self._remember = remember
        self._on_opened = on_opened
        self._on_moved = on_moved
        self._partings = Partings(pool, timeout_s)
        self._replacing: asyncio.Task[Any] | None = None

    @property
    def move(self) -> asyncio.Task[Any] | None:
        """The move that is under way."""
        move = self._replacing
        return None if move is None or move.done() else move

    def stop_moving(self) -> None:
        """Nobody is left who could end the call where it goes."""
        if self._replacing is not None:
            self._replacing.cancel()

    async def open(self) -> CallOpened:
        """Give the call to its actor, or to another one if that is lost or full.

        Raises:
            MindRefusedError: The token was used before, or the call is over.
            NoSlotError: There is no other actor.
        """
        try:
            opened = await self._open_at(self.actor)
        except MindLostError:
            self._pool.report_lost(self.actor)
        else:
            if opened.refusal != "full":
                return self._accept(opened)
        await self._remember()
        return await self._place_elsewhere()

    async def leave_lost(self, lost: str) -> None:
        """Move the call off ``lost``; callers that arrive meanwhile wait for the same move.

        Raises:
            MindRefusedError: The call belongs to somebody else now.
            NoSlotError: There is no other actor.
        """
        if self.actor != lost:
            return
        if self._replacing is None or self._replacing.done():
            self._pool.report_lost(lost)
            self._replacing = asyncio.ensure_future(self._place_elsewhere())
            self._replacing.add_done_callback(_noticed)
        await asyncio.shield(self._replacing)

    async def leave_retired(self) -> bool:
        """Whether the call has left its actor; it goes on there when no other one has room."""
        if self.move is not None:
            return False
        old = self.actor
        self._replacing = asyncio.ensure_future(self._place_at_once())
        self._replacing.add_done_callback(_noticed)
        with contextlib.suppress(MindRefusedError, NoSlotError):
            await asyncio.shield(self._replacing)
        return self.actor != old

    async def tell_parting(self, actor: str, call: OpenCall) -> None:
        """Tell ``actor`` that the call has left it, which it had as ``call``. Never raises."""
        await self._partings.tell(actor, call)

    async def _place_at_once(self) -> None:
        """Nobody waits for a slot here: there will be a next time."""
        actor, call = self.actor, self.call
        opened: CallOpened | None = None
        try:
            opened = await self._take_place(self._pool.place(call.call_id, avoid=actor))
        finally:
            if opened is None:  # lost, full, or of a release that has not got the agent any more
                self.actor, self.call = actor, call

    async def _place_elsewhere(self) -> CallOpened:
        old, had = self.actor, self.call
        for _ in range(MAX_PLACEMENTS_A_TURN):
            actor = await place_elsewhere(self._pool, had.call_id, avoid=self.actor)
            opened = await self._take_place(actor)
            if opened is not None:
                self._partings.begin(old, had)
                return opened
        raise NoSlotError("no CallActor took the call")

    async def _take_place(self, actor: str) -> CallOpened | None:
        """Open the call there under a newer epoch; None when it is lost, or full.

        Raises:
            MindRefusedError: The call belongs to somebody else now.
        """
        call = self.call
        self.call = replace(
            call,
            epoch=(call.epoch[0], max(self._wall_clock_us(), call.epoch[1] + 1)),
            token_id="",  # a re-placement by the owner needs no token: its epoch is newer
        )
        try:
            opened = await self._open_at(actor)
        except MindLostError:
            self._pool.report_lost(actor)
            return None
        self.actor = actor
        if opened.refusal == "full":
            return None
        self.replacements += 1
        logger.info("call %s re-placed on %s", call.call_id, actor)
        accepted = self._accept(opened)
        self._on_moved()
        return accepted

    async def _open_at(self, actor: str) -> CallOpened:
        message = self._with_log(self.call)
        try:
            return await asyncio.wait_for(self._pool.open_call(actor, message), self._timeout_s * 2)
        except TimeoutError:
            self._partings.begin(actor, message)  # it may take the call when it comes to it
            raise MindLostError(f"{actor}: open timed out") from None

    def _accept(self, opened: CallOpened) -> CallOpened:
        if opened.refusal:
            raise MindRefusedError(opened.refusal)
        self._on_opened(opened)
        return opened


def _noticed(move: asyncio.Task[Any]) -> None:
    """Whoever asked for the move may be gone by now; its failure is told to the next one."""
    if not move.cancelled() and (error := move.exception()) is not None:
        logger.info("a call could not be re-placed: %s", type(error).__name__)
