"""Which calls have ended, and how: what one replica saw, and whom else it asks.

A call without a stream has ended as planned, was lost, or is with the carrier for a while. What is
done about it depends on which; a wrong answer hangs up on a caller, or talks to nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from actors.call_parts import CallEnd
from actors.errors import MindLostError
from actors.mind_calls import INGRESS_VANISHED
from actors.mind_client import MindClient
from actors.wire import CallState, CloseCall
from cluster.call_moves import CallMoves
from cluster.call_recall import CallRecall
from cluster.call_registry import CallRegistry, LiveCall
from cluster.call_rows import hand_over_row, moved_row, turn_rows
from cluster.edge_parts import EdgeParts
from cluster.hand_overs import HandOvers
from dialogue.session import CallIdentity
from records.errors import RecordsError
from telephony.stream_token import StreamClaims

logger = logging.getLogger(__name__)

RECORD_LAG_S = 0.4
PLANNED_ENDS_KEPT = 10_000
STORE_WITHIN_S = 1.0  # the caller hears nothing meanwhile
DRIVER_ENDS_WITHIN_S = 5.0  # nobody hears anything any more


class CallEnds:
    """The ends of the calls of one replica.

    Args:
        parts: Of the replica.
        registry: Its calls in progress.
        recall: Finds another actor for a call whose own is gone.
        actor_timeout_s: How long a CallActor has to answer.

    Attributes:
        hand_overs: The calls that the carrier has for a while.
        moves: The calls that have lost their CallActor.
    """

    def __init__(
        self,
        parts: EdgeParts,
        registry: CallRegistry,
        recall: CallRecall,
        actor_timeout_s: float,
    ) -> None:
        self.hand_overs = HandOvers(parts.handed_over)
        self.moves = CallMoves(parts.moved)
        self._parts = parts
        self._registry = registry
        self._recall = recall
        self._actor_timeout_s = actor_timeout_s
        self._planned: OrderedDict[str, None] = OrderedDict()  # call ids, oldest first

    def note(self, call: LiveCall, end: CallEnd) -> None:
        """A stream of this replica has ended."""
        if end.hand_over:
            self._note_hand_over(call.driver.mind, end.hand_over)
        elif end.planned:
            self._note_planned(call.call_id)

    def _note_hand_over(self, mind: MindClient, hand_over: Mapping[str, Any]) -> None:
        """The CallActor writes all this down as well, and may be gone before it has.

        While a stream is up, the turns are kept here; now the CallActor alone would have them.
        """
        call, action = _identity(mind), {**hand_over, **mind.owner}
        self.hand_overs.note(call.call_id, call.epoch[0], action)
        self._parts.write(hand_over_row(call, action, at_us=self._parts.wall_clock_us()))
        for turn in mind.turn_log:
            for row in turn_rows(call, turn):
                self._parts.write(row)

    def note_move(self, mind: MindClient) -> None:
        """A call of this replica has another CallActor than its token says."""
        self.moves.note(mind.call_id, mind.epoch, mind.owner)
        at_us = self._parts.wall_clock_us()
        self._parts.write(moved_row(_identity(mind), mind.owner, at_us=at_us))

    async def is_planned(self, claims: StreamClaims, state: CallState | None) -> bool:
        """Whether somebody chose to end this call: then there is nothing to resume.

        The call may have moved away from the actor of its token: what this replica saw counts
        first, then what that actor knows, then the store. An end is written behind the call's
        back: where the actor knows nothing, a first no of the store is asked again.

        Args:
            claims: Of the ``action`` URL.
            state: What the actor of the token knows; None when it is gone.
        """
        if claims.call_id in self._planned or (state is not None and state.planned_end):
            return True
        if state is not None and state.reason not in {"", INGRESS_VANISHED}:
            return False  # it had the call to the last, and the stream was lost
        is_known = state is not None and state.known
        for wait_s in (0.0,) if is_known else (0.0, RECORD_LAG_S):
            await asyncio.sleep(wait_s)
            try:
                async with asyncio.timeout(STORE_WITHIN_S):
                    if await self._parts.planned_end(claims.call_sid):
                        return True
            except (RecordsError, TimeoutError) as error:
                why = str(error) or "no answer"
                logger.warning("call %s: no word from the store: %s", claims.call_id, why)
                return False
        return False

    async def carrier_ended(self, claims: StreamClaims, status: str, reason: str = "") -> None:
        """The carrier says that the call is over; its ``stop`` may never have reached us.

        Serve throws away what was not yet read of a closed socket. Without this the actor would
        hold the call's seat for a stream that never comes. The driver may have found its socket
        closed just before, and be on its way out with the word that the stream was lost.
        """
        call = self._registry.owner_of(claims.call_sid)
        if call is not None:
            call.driver.carrier_ended(status)
            if await _ends_as_planned(call):
                return
        await self.close(claims, reason or f"carrier_{status}")

    async def close(self, claims: StreamClaims, reason: str) -> None:
        """A call without a stream is over as planned: its actor writes that down.

        If that is gone, another one does it, or the record would show the call as going on. The
        token may name an actor that has lost the call: whoever has it now would not listen to it.
        """
        self._note_planned(claims.call_id)
        claims = await self.moves.current(claims)
        if await self._is_closed_at(claims.actor, claims, reason):
            return
        other = await self._recall.place_elsewhere(claims)
        if not other or not await self._is_closed_at(other, claims, reason):
            logger.info("call %s: nobody was there to write down its end", claims.call_id)

    async def _is_closed_at(self, actor: str, claims: StreamClaims, reason: str) -> bool:
        """Whether this actor knows of the end now; False when it is gone or has not the call."""
        end = CloseCall(claims.tenant_id, claims.call_id, claims.epoch, True, reason)
        try:
            async with asyncio.timeout(self._actor_timeout_s):
                answer = await self._parts.pool.close_call(actor, end)
        except (MindLostError, TimeoutError):
            self._parts.pool.report_lost(actor)
            return False
        return answer.refusal != "unknown_call"

    def _note_planned(self, call_id: str) -> None:
        self._planned[call_id] = None
        if len(self._planned) > PLANNED_ENDS_KEPT:
            self._planned.popitem(last=False)


async def _ends_as_planned(call: LiveCall) -> bool:
    """Whether the driver, which was told of the end, has made it its own."""
    await asyncio.wait({call.task}, timeout=DRIVER_ENDS_WITHIN_S)
    task = call.task
    has_ended = task.done() and not task.cancelled() and task.exception() is None
    return has_ended and task.result().planned


def _identity(mind: MindClient) -> CallIdentity:
    call = mind.call
    return CallIdentity(
        tenant_id=call.tenant_id,
        agent_id=call.agent_id,
        agent_version=call.agent_version,
        call_id=call.call_id,
        call_sid=call.call_sid,
        epoch=call.epoch,
    )
