"""One call's view of its mind: keeps the turn log, asks and tells the CallActor that has the call.

Rules
1. The turn log lives here too: whatever CallActor takes the call next gets all of it.
2. A turn whose first item is late by ``actor_timeout_s``, or whose actor dies before it has said
   anything, is asked again on another actor (``actors.late_answers``: one that has much to do is
   waited for). A reply that has begun is not: the other actor would give another answer, and two
   halves of two answers make none. It ends there as failed (what was handed out still stands), and
   the caller's next words find the call on its new actor.
3. Settled turns ride on the next message; if none comes soon, they are sent on their own.
4. A CallActor of an older release than is deployed is left between two turns: the next one gets
   all that the ingress knows, and the old one is told to forget the call.

How the call moves is said in ``actors.mind_home``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from actors.errors import MindLostError, MindRefusedError, NoSlotError
from actors.late_answers import LateAnswers
from actors.mind_home import MAX_PLACEMENTS_A_TURN, Memory, MindHome
from actors.mind_messages import close_message, settle_message, turn_message
from actors.mind_pool import MindPool
from actors.turn_question import StreamEnd, TurnQuestion
from actors.use_log import UseGrants, UseLog
from actors.weakly import weakly
from actors.wire import CallOpened, OpenCall, TurnEntry, TurnItem

logger = logging.getLogger(__name__)

CLOSE_WITHIN_S = 8.0
Recall = Callable[[], Awaitable[Memory]]


async def nothing_known() -> Memory:
    """Of a call that has no record."""
    return Memory()


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
        recall: What the record knows of the call. Never raises.

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
        recall: Recall = nothing_known,
    ) -> None:
        self._pool = pool
        self._late = LateAnswers(pool, actor_timeout_s)
        self._log: dict[int, TurnEntry] = {entry.turn_id: entry for entry in call.turn_log}
        self._unsettled: list[TurnEntry] = []
        self._uses = UseLog()
        self._home = MindHome(
            pool,
            actor,
            call,
            timeout_s=actor_timeout_s,
            wall_clock_us=wall_clock_us,
            with_log=weakly(self, MindClient._with_log),
            remember=weakly(self, MindClient._remember),
            on_opened=weakly(self, MindClient._learn),
            on_moved=weakly(self, MindClient._moved),
        )
        self._on_moved = on_moved
        self._recall = recall
        self._opened: CallOpened | None = None
        self._turns_open = 0
        self._telling: set[asyncio.Task[bool]] = set()
        self.grants = UseGrants(self._uses, weakly(self, MindClient._grant))
        self.on_disowned: Callable[[], None] = lambda: None

    @property
    def actor(self) -> str:
        """Name of the actor that has the call."""
        return self._home.actor

    @property
    def replacements(self) -> int:
        """Times the call was moved to another actor."""
        return self._home.replacements

    @property
    def turn_log(self) -> tuple[TurnEntry, ...]:
        """Every settled turn of the call, oldest first."""
        return tuple(self._log[turn_id] for turn_id in sorted(self._log))

    @property
    def call_id(self) -> str:
        """Our id of the call."""
        return self._home.call.call_id

    @property
    def epoch(self) -> tuple[int, int]:
        """The epoch under which this half owns the call."""
        return self._home.call.epoch

    @property
    def call(self) -> OpenCall:
        """The call as it was opened last; its ``turn_log`` is that of the beginning."""
        return self._home.call

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
            self._opened = await self._home.open()
        return replace(self._opened, turn_log=self.turn_log)

    async def take_turn(self, question: TurnQuestion) -> AsyncGenerator[TurnItem, None]:
        """The reply to ``question``, from the actor that has the call or its successor.

        Raises:
            MindRefusedError: The call belongs to somebody else now.
            NoSlotError: The actor is lost and there is no other.
        """
        self._turns_open += 1
        try:
            if move := self._home.move:  # between two turns: a few milliseconds
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
            message = turn_message(self._home.call, question, tuple(self._unsettled))
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
                await self._home.leave_lost(actor)
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
            await self._leave_retired()
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
        actor, message = self.actor, settle_message(self._home.call, settled, granted, taken)
        try:
            answer = await self._late.wait(actor, self._pool.settle(actor, message))
            if answer.refusal == "unknown_call":
                raise MindLostError(f"{actor} does not know the call")
        except MindLostError:
            with contextlib.suppress(NoSlotError):
                await self._replace_unless_disowned(actor)
            return False
        # A message that was on its way while we moved the call ourselves is older than we are.
        if answer.refusal == "stale_epoch" and message.epoch == self._home.call.epoch:
            self.on_disowned()
        return True

    async def _replace_unless_disowned(self, lost: str) -> None:
        try:
            await self._home.leave_lost(lost)
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
                if move := self._home.move:
                    await asyncio.wait([move])
                end = StreamEnd(planned, reason, dict(usage or {}), dict(hand_over or {}))
                while not await self._closed_at(actor := self.actor, end):
                    await self._home.leave_lost(actor)
        except (MindRefusedError, NoSlotError, TimeoutError) as error:
            logger.warning("call %s: end not recorded: %s", self.call_id, type(error).__name__)
            self._home.stop_moving()

    async def _closed_at(self, actor: str, end: StreamEnd) -> bool:
        """Whether ``actor`` has taken the end; False when it is lost or does not know the call."""
        message = close_message(self._home.call, end, tuple(self._unsettled), self.owner)
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

    async def _leave_retired(self) -> None:
        old, call, told = self._home.actor, self._home.call, tuple(self._unsettled)
        if await self._home.leave_retired():
            self._drop_unsettled(told)  # they went with the log
            await self._home.tell_parting(old, call)

    def _with_log(self, call: OpenCall) -> OpenCall:
        return replace(call, turn_log=self.turn_log, uses=self._uses.open_uses)

    def _moved(self) -> None:
        if self._on_moved is not None:
            self._on_moved(self)

    async def _grant(self, use_ids: tuple[str, ...]) -> bool:
        return await self._tell((), use_ids)

    async def _remember(self) -> None:
        if self.epoch[0] and not self._log:  # there was a stream before, and it was not here
            self._learn(await self._recall())

    def _learn(self, opened: CallOpened | Memory) -> None:
        for entry in opened.turn_log:
            self._log.setdefault(entry.turn_id, entry)
        self._uses.learn(opened.uses)

    def _drop_unsettled(self, sent: tuple[TurnEntry, ...]) -> None:
        self._unsettled = [entry for entry in self._unsettled if entry not in sent]
