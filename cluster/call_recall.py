"""A call whose CallActor is gone, given to another one with all that the record knows of it.

While a stream is up, the ingress replica has the turns as well, and hands them to whatever actor
comes next. Between two streams nobody else has them: the record is the only other account.

Rules
1. Nothing waits for the record longer than ``RECALL_WITHIN_S``: a caller who hears nothing leaves.
   Without it the call goes on, but its agent has forgotten what was said.
2. What another actor is told is what was written: a turn that died in the buffer of the lost one is
   not among it.
3. A call that is given waits for its stream like one that has lost it. When ``action`` is asked
   twice at once, two actors may be given it, and the stream comes to one of them: the other one
   would keep its seat for as long as for an ingress that says nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from actors.errors import MindLostError, NoSlotError
from actors.mind_home import Memory
from actors.mind_pool import MindPool, place_elsewhere
from actors.wire import CloseCall, OpenCall, TurnEntry
from cluster.call_rows import TOOL_BEGUN, TOOL_ENDED, TOOL_USED
from records.errors import RecordsError
from records.rows import CallRow, JournalRow, TurnRow
from records.store import RecordStore
from telephony.stream_token import StreamClaims

logger = logging.getLogger(__name__)

RECALL_WITHIN_S = 1.0
NOT_TAKEN_UP = "not_taken_up"  # why a call is lost whose next stream did not come


@dataclass(frozen=True, slots=True)
class RecalledCall:
    """What the record knows of a call; ``turns`` are in order.

    ``uses`` are of tools that ran, or were begun, in turns that were never settled.
    """

    call: CallRow
    turns: tuple[TurnEntry, ...]
    uses: tuple[dict[str, Any], ...] = ()


Recall = Callable[[str, str], Awaitable[RecalledCall | None]]
"""The call ``(tenant_id, call_id)``; None when it is not known. Raises ``RecordsError``."""


async def nothing_recalled(_tenant_id: str, _call_id: str) -> RecalledCall | None:
    """An edge without a record."""
    return None


def recall_from(store: RecordStore) -> Recall:
    """Reads calls, their turns, and the tools that these have used."""

    async def recall(tenant_id: str, call_id: str) -> RecalledCall | None:
        call, turns, journal = await asyncio.gather(
            store.call(tenant_id, call_id),
            store.turns(tenant_id, call_id),
            store.journal(tenant_id, call_id),
        )
        if call is None or call.erased_at_us:
            return None
        entries = tuple(_entry(turn, journal) for turn in turns)
        return RecalledCall(call, entries, _open_uses(entries, journal))

    return recall


class CallRecall:
    """Gives calls to other actors.

    Args:
        pool: The CallActors.
        recall: The record.
        actor_timeout_s: How long a CallActor has to answer.
    """

    def __init__(self, pool: MindPool, recall: Recall, actor_timeout_s: float) -> None:
        self._pool = pool
        self._recall = recall
        self._actor_timeout_s = actor_timeout_s

    async def remind(self, claims: StreamClaims, actor: str, variables: Mapping[str, str]) -> bool:
        """Give the call to ``actor``, as it stood at the end of the stream of ``claims``.

        Args:
            claims: Of the ``action`` URL.
            actor: Does not know the call.
            variables: Of the call.

        Returns:
            Whether it has the call now. If not, the next stream brings it, without its turns.
        """
        recalled = await self._recalled(claims)
        return recalled is not None and await self._given(claims, actor, recalled, variables)

    async def memory(self, claims: StreamClaims) -> Memory:
        """What the record knows of a call that a stream takes up; nothing where it does not say."""
        recalled = await self._recalled(claims)
        return Memory() if recalled is None else Memory(recalled.turns, recalled.uses)

    async def place_elsewhere(self, claims: StreamClaims) -> str:
        """Another actor for a call that only has to be ended.

        Returns:
            Its name; empty when the record has the end already, or somebody newer has the call, or
            nothing is known of it.
        """
        recalled = await self._recalled(claims)
        if recalled is None or recalled.call.planned_end or recalled.call.epoch > claims.epoch:
            return ""
        try:
            actor = await place_elsewhere(self._pool, claims.call_id, avoid=claims.actor)
        except NoSlotError:
            return ""
        return actor if await self._given(claims, actor, recalled, {}) else ""

    async def _recalled(self, claims: StreamClaims) -> RecalledCall | None:
        try:
            async with asyncio.timeout(RECALL_WITHIN_S):
                return await self._recall(claims.tenant_id, claims.call_id)
        except (RecordsError, TimeoutError) as error:
            why = str(error) or "no answer"
            logger.warning("call %s: its turns cannot be read: %s", claims.call_id, why)
            return None

    async def _given(
        self,
        claims: StreamClaims,
        actor: str,
        recalled: RecalledCall,
        variables: Mapping[str, str],
    ) -> bool:
        row = recalled.call
        message = OpenCall(
            tenant_id=claims.tenant_id,
            agent_id=claims.agent_id,
            agent_version=row.agent_version,
            call_id=claims.call_id,
            call_sid=claims.call_sid,
            epoch=claims.epoch,
            caller=row.caller,
            called=row.called,
            direction=row.direction,
            started_at_us=row.started_at_us,
            turn_log=recalled.turns,
            variables=dict(variables),
            uses=recalled.uses,
        )
        try:
            async with asyncio.timeout(self._actor_timeout_s):
                opened = await self._pool.open_call(actor, message)
                if not opened.refusal:
                    waits = CloseCall(
                        claims.tenant_id, claims.call_id, claims.epoch, False, NOT_TAKEN_UP
                    )
                    await self._pool.close_call(actor, waits)
        except (MindLostError, TimeoutError):
            return False
        if not opened.refusal:
            turns = len(recalled.turns)
            logger.info("call %s: %d turns recalled from the record", claims.call_id, turns)
        return not opened.refusal


def _open_uses(
    turns: tuple[TurnEntry, ...], journal: list[JournalRow]
) -> tuple[dict[str, Any], ...]:
    """Tools that were begun, and that no turn tells of; with their results where these came."""
    settled = {str(use.get("id")) for turn in turns for use in turn.tools}
    uses: dict[str, dict[str, Any]] = {}
    for kind in (TOOL_BEGUN, TOOL_ENDED):
        for row in journal:
            if row.kind == kind and (use_id := str(row.data.get("id"))) not in settled:
                uses[use_id] = {**row.data, "turn": row.turn_id}
    return tuple(uses.values())


def _entry(turn: TurnRow, journal: list[JournalRow]) -> TurnEntry:
    """A turn as the actors have it."""
    uses: list[dict[str, Any]] = [
        dict(row.data) for row in journal if row.kind == TOOL_USED and row.turn_id == turn.turn_id
    ]
    return TurnEntry(
        turn_id=turn.turn_id,
        kind=turn.kind,
        caller_text=turn.caller_text,
        agent_text=turn.agent_text,
        heard_text=turn.heard_text,
        outcome=turn.outcome,
        reason=turn.reason,
        at_us=turn.at_us,
        timeline=dict(turn.timeline),
        usage=dict(turn.usage),
        tools=tuple(sorted(uses, key=lambda use: "of_turn" in use)),
        cache=dict(turn.cache),
    )
