"""One call's view of its mind: keeps the turn log and re-places the call when the CallActor dies.

Rules
1. The turn log lives here too: whatever CallActor takes the call next gets all of it.
2. A turn whose first item is late by ``actor_timeout_s``, or whose actor dies before it has said
   anything, is asked again on another actor (``actors.late_answers``: one that has much to do is
   waited for). A reply that has begun is not: the other actor would
   give another answer, and two halves of two answers make none. It ends there as failed (what was
   handed out still stands), and the caller's next words find the call on its new actor.
3. A re-placement mints a newer epoch, so that a zombie of the old place is refused. While no actor
   has a slot (the only one has just died) it waits for one (``mind_pool.place_elsewhere``).
4. Settled turns ride on the next message; if none comes soon, they are sent on their own.
5. A CallActor of an older release than is deployed is left between two turns: the next one gets
   all that the ingress knows, and the old one is told to forget the call.
6. One move at a time: whoever finds the actor lost meanwhile waits for the same move, and the end
   of the call waits for it too.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any

from actors.errors import MindLostError, MindRefusedError, NoSlotError
from actors.late_answers import LateAnswers
from actors.mind_messages import close_message, settle_message, turn_message
from actors.mind_pool import MindPool, place_elsewhere
from actors.partings import Partings
from actors.turn_question import StreamEnd, TurnQuestion
from actors.use_log import UseGrants, UseLog
from actors.wire import CallOpened, OpenCall, TurnEntry, TurnItem

logger = logging.getLogger(__name__)

MAX_PLACEMENTS_A_TURN = 3
CLOSE_WITHIN_S = 8.0
DISOWNED = frozenset({"stale_epoch", "ended"})  # refusals that say whose the call is


class MindClient:
    """The mind of one call, wherever it lives just now.

    Args:
        pool: The CallActors.
        actor: Name of the actor that the stream token names.
        call: The call as it is opened; its ``turn_log`` is where this log starts.
        actor_timeout_s: How late the first item of an answer may be.
        wall_clock_us: UTC microseconds, for new epochs.
        on_moved: Told whenever another actor has taken the call.

    Attributes:
        grants: Told which guess answers a turn, whose tools may be used then.
        on_disowned: Called when the CallActor says, to a message that is no turn, that the call
            belongs to somebody newer: this stream must not speak any more. May be called again.
    """

    def __init__(
        self,
        pool: MindPool,
        actor: str,
        call: OpenCall,
        *,
        actor_timeout_s: float,
        wall_clock_us: Callable[[], int],
        on_moved: Callable[[MindClient], None] | None = None,
    ) -> None:
        self.actor = actor
        self.replacements = 0
        self._pool = pool
        self._call = call
        self._timeout_s = actor_timeout_s
        self._late = LateAnswers(pool, actor_timeout_s)
        self._partings = Partings(pool, actor_timeout_s)
        self._wall_clock_us = wall_clock_us
        self._on_moved = on_moved
        self._log: dict[int, TurnEntry] = {entry.turn_id: entry for entry in call.turn_log}
        self._unsettled: list[TurnEntry] = []
        self._replacing: asyncio.Task[Any] | None = None
        self._opened: CallOpened | None = None
        self._turns_open = 0
        self._telling: set[asyncio.Task[bool]] = set()
        self._uses = UseLog()
        self.grants = UseGrants(self._uses, lambda use_ids: self._tell((), use_ids))
        self.on_disowned: Callable[[], None] = lambda: None

    @property
    def _move(self) -> asyncio.Task[Any] | None:
        """The move that is under way."""
        move = self._replacing
        return None if move is None or move.done() else move

    @property
    def turn_log(self) -> tuple[TurnEntry, ...]:
        """Every settled turn of the call, oldest first."""
        return tuple(self._log[turn_id] for turn_id in sorted(self._log))

    @property
    def call_id(self) -> str:
        """Our id of the call."""
        return self._call.call_id

    @property
    def epoch(self) -> tuple[int, int]:
        """The epoch under which this half owns the call."""
        return self._call.epoch

    @property
    def call(self) -> OpenCall:
        """The call as it was opened last; its ``turn_log`` is that of the beginning."""
        return self._call

    @property
    def owner(self) -> dict[str, Any]:
        """Who has the call now, as a hand-over tells it (``dialogue.tool_use``)."""
        return {"actor": self.actor, "minted_us": self.epoch[1]}

    async def open(self) -> CallOpened:
        """Give the call to the actor of its token, or to another one if that is lost or full.

        Asked again, by another driver of the same call, it answers the same with the newest log.

        Raises:
            MindRefusedError: The token was used before, or the call is over.
            NoSlotError: There is no other actor.
        """
        if self._opened is None:
            self._opened = await self._open_first()
        return replace(self._opened, turn_log=self.turn_log)

    async def _open_first(self) -> CallOpened:
        try:
            opened = await self._open_at(self.actor)
        except MindLostError:
            self._pool.report_lost(self.actor)
            return await self._place_elsewhere()
        if opened.refusal == "full":
            return await self._place_elsewhere()
        return self._accept(opened)

    async def take_turn(self, question: TurnQuestion) -> AsyncGenerator[TurnItem, None]:
        """The reply to ``question``, from the actor that has the call or its successor.

        Raises:
            MindRefusedError: The call belongs to somebody else now.
            NoSlotError: The actor is lost and there is no other.
        """
        self._turns_open += 1
        try:
            if move := self._move:  # between two turns: a few milliseconds
                await asyncio.wait([move])
            async with contextlib.aclosing(self._answered(question)) as items:
                async for item in items:
                    yield item
        finally:
            self._turns_open -= 1

    async def _answered(self, question: TurnQuestion) -> AsyncGenerator[TurnItem, None]:
        has_begun = False
        if not question.speculative:
            self.grants.take(question.turn_id, question.guess)
        for _ in range(MAX_PLACEMENTS_A_TURN):
            actor = self.actor
            message = turn_message(self._call, question, tuple(self._unsettled))
            items = self._pool.take_turn(actor, message)
            try:
                async with contextlib.aclosing(self._watched(items)) as watched:
                    async for item in watched:
                        if item.type == "failed" and item.refusal == "unknown_call":
                            raise MindLostError(f"{actor} does not know the call")
                        if item.type == "failed" and item.refusal == "stale_epoch":
                            raise MindRefusedError("stale_epoch")
                        if item.type == "accepted":
                            self._drop_unsettled(message.settled)
                        has_begun = has_begun or item.type == "segment"
                        self.grants.hear(item)
                        yield item
                        if item.type in {"finished", "failed"}:
                            return
                raise MindLostError(f"{actor} ended the turn without an end")
            except MindLostError:
                await self._replace(actor)
            if has_begun:
                lost = "the CallActor was lost in the middle of the reply"
                yield TurnItem("failed", question.turn_id, question.guess, message=lost)
                return
        raise NoSlotError("the turn was placed three times and lost three times")

    def settle(self, entry: TurnEntry) -> TurnEntry:
        """Add a settled turn to the log, to be sent next; returns it with the tools it used."""
        entry = self._uses.settled(entry)
        self._log[entry.turn_id] = entry
        self._unsettled.append(entry)
        return entry

    async def flush(self, *, even_if_empty: bool = False) -> None:
        """Send what was settled and not yet told; re-places the call if its actor is gone.

        Args:
            even_if_empty: A sign of life: an actor that hears nothing for long gives a call up.
        """
        if self._pool.is_retired(self.actor) and not self._turns_open:
            await self._move_on()
        settled = tuple(self._unsettled)
        if not settled and not even_if_empty:
            return
        if await self._tell(settled):
            self._drop_unsettled(settled)

    def commit(self, turn_id: int, guess: int, text: str, *, is_guess: bool) -> None:
        """The turn was taken, and this guess answers it.

        Nobody waits for the actor to hear of it. When this half dies before the turn is settled,
        the next one learns from the actor what the caller has asked for. A turn that was no guess
        was asked as one that is taken.
        """
        self.grants.take(turn_id, guess)
        if is_guess and text:
            taken = {"turn_id": turn_id, "text": text}
            task = asyncio.get_running_loop().create_task(self._tell((), taken=taken))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _tell(
        self,
        settled: tuple[TurnEntry, ...],
        granted: tuple[str, ...] = (),
        taken: Mapping[str, Any] | None = None,
    ) -> bool:
        """Whether the actor has taken it; if not, the call was re-placed with all of its log."""
        actor, message = self.actor, settle_message(self._call, settled, granted, taken)
        try:
            answer = await self._late.wait(actor, self._pool.settle(actor, message))
            if answer.refusal == "unknown_call":
                raise MindLostError(f"{actor} does not know the call")
        except MindLostError:
            with contextlib.suppress(NoSlotError):
                await self._replace_unless_disowned(actor)
            return False
        # A message that was on its way while we moved the call ourselves is older than we are.
        if answer.refusal == "stale_epoch" and message.epoch == self._call.epoch:
            self.on_disowned()
        return True

    async def _replace_unless_disowned(self, lost: str) -> None:
        try:
            await self._replace(lost)
        except MindRefusedError as error:
            if error.refusal in DISOWNED:
                self.on_disowned()

    async def close(
        self,
        *,
        planned: bool,
        reason: str,
        usage: Mapping[str, float] | None = None,
        hand_over: Mapping[str, Any] | None = None,
    ) -> None:
        """Tell the actor that the stream is gone, with what was settled last.

        ``usage`` are provider units of this stream that belong to no turn; ``hand_over`` is what
        the carrier does with the call now, if it is not over.

        The record of the call must not end in mid-air: when the actor is gone, another one takes
        the call and closes it.
        """
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                if move := self._move:
                    await asyncio.wait([move])
                end = StreamEnd(planned, reason, dict(usage or {}), dict(hand_over or {}))
                while not await self._closed_at(actor := self.actor, end):
                    await self._replace(actor)
        except (MindRefusedError, NoSlotError, TimeoutError) as error:
            logger.warning("call %s: end not recorded: %s", self.call_id, type(error).__name__)
            if self._replacing is not None:
                self._replacing.cancel()  # nobody is left who could end the call there

    async def _closed_at(self, actor: str, end: StreamEnd) -> bool:
        """Whether ``actor`` has taken the end; False when it is lost or does not know the call."""
        message = close_message(self._call, end, tuple(self._unsettled), self.owner)
        try:
            answer = await self._late.wait(actor, self._pool.close_call(actor, message))
        except MindLostError:
            return False
        return answer.refusal != "unknown_call"

    async def _watched(self, items: AsyncIterator[TurnItem]) -> AsyncGenerator[TurnItem, None]:
        """``items``, whose first one must come in time; closes them whatever happens."""
        try:
            first = await self._late.wait(self.actor, anext(items, None))
            if first is None:
                raise MindLostError(f"{self.actor}: no answer")
            yield first
            async for item in items:
                yield item
        finally:
            close = getattr(items, "aclose", None)
            if close is not None:
                await close()

    async def _replace(self, lost: str) -> None:
        """Move the call off ``lost``; callers that arrive meanwhile wait for the same move."""
        if self.actor != lost:
            return
        if self._replacing is None or self._replacing.done():
            self._pool.report_lost(lost)
            self._replacing = asyncio.ensure_future(self._place_elsewhere())
            self._replacing.add_done_callback(_noticed)
        await asyncio.shield(self._replacing)

    async def _move_on(self) -> None:
        """Leave an actor that is retired; it goes on there when no other one has room."""
        if self._move is not None:
            return
        old, call, told = self.actor, self._call, tuple(self._unsettled)
        self._replacing = asyncio.ensure_future(self._place_at_once())
        self._replacing.add_done_callback(_noticed)
        with contextlib.suppress(MindRefusedError, NoSlotError):
            await asyncio.shield(self._replacing)
        if self.actor != old:
            self._drop_unsettled(told)  # they went with the log
            await self._partings.tell(old, call)

    async def _place_at_once(self) -> None:
        """Nobody waits for a slot here: there will be a next time."""
        actor, call = self.actor, self._call
        opened: CallOpened | None = None
        try:
            opened = await self._take_place(self._pool.place(self.call_id, avoid=actor))
        finally:
            if opened is None:  # lost, full, or of a release that has not got the agent any more
                self.actor, self._call = actor, call

    async def _place_elsewhere(self) -> CallOpened:
        old, had = self.actor, self._call
        for _ in range(MAX_PLACEMENTS_A_TURN):
            actor = await place_elsewhere(self._pool, self.call_id, avoid=self.actor)
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
        call = self._call
        self._call = replace(
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
        if self._on_moved is not None:
            self._on_moved(self)
        return accepted

    async def _open_at(self, actor: str) -> CallOpened:
        message = replace(self._call, turn_log=self.turn_log, uses=self._uses.open_uses)
        try:
            return await asyncio.wait_for(self._pool.open_call(actor, message), self._timeout_s * 2)
        except TimeoutError:
            self._partings.begin(actor, message)  # it may take the call when it comes to it
            raise MindLostError(f"{actor}: open timed out") from None

    def _accept(self, opened: CallOpened) -> CallOpened:
        if opened.refusal:
            raise MindRefusedError(opened.refusal)
        for entry in opened.turn_log:
            self._log.setdefault(entry.turn_id, entry)
        self._uses.learn(opened.uses)
        return opened

    def _drop_unsettled(self, sent: tuple[TurnEntry, ...]) -> None:
        self._unsettled = [entry for entry in self._unsettled if entry not in sent]


def _noticed(move: asyncio.Task[Any]) -> None:
    """Whoever asked for the move may be gone by now; its failure is told to the next one."""
    if not move.cancelled() and (error := move.exception()) is not None:
        logger.info("a call could not be re-placed: %s", type(error).__name__)
