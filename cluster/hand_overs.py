"""Calls that the carrier has for a while: somebody else is rung, or keys are pressed.

The stream of such a call has ended as planned, but the call is not over. What is to be done with it
is known in three places, any of which may be gone when the carrier asks: the replica that had the
stream, the CallActor, and the journal of the record. Every account is of one stream, told apart by
its resume number: what was done after an earlier stream is not done again.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from actors.comeback import Comeback
from actors.mind_calls import INGRESS_VANISHED
from actors.wire import CallState
from cluster.call_rows import HANDED_OVER
from records.errors import RecordsError
from records.rows import JournalRow
from telephony.stream_token import StreamClaims

logger = logging.getLogger(__name__)

HAND_OVERS_KEPT = 2_000
# Of a relay session, what the carrier tells when it lost the socket or could not reach us.
_SOCKET_LOST = frozenset({"", "39001", "64102", "64105"})
_VERBS = frozenset({"dial", "digits", "switch"})
STORE_WITHIN_S = 1.0  # the caller hears nothing meanwhile

Action = Mapping[str, Any]
"""``dialogue.tool_use``: a ``verb`` and what it needs; empty for none."""

StoredHandOver = Callable[[StreamClaims], Awaitable[Action]]
"""What the record says of the end of this stream. Raises ``RecordsError``."""

ReadJournal = Callable[[str, str], Awaitable[list[JournalRow]]]


async def nothing_stored(_claims: StreamClaims) -> Action:
    """An edge without a record."""
    return {}


def stored_hand_over(read_journal: ReadJournal) -> StoredHandOver:
    """Reads it from the journal of ``(tenant_id, call_id)``."""

    async def read(claims: StreamClaims) -> Action:
        for row in await read_journal(claims.tenant_id, claims.call_id):
            if row.kind == HANDED_OVER and row.epoch[0] == claims.resume:
                return row.data
        return {}

    return read


def told_by_session(form: Mapping[str, str]) -> Action | None:
    """What a relay session of ours said as it ended as planned; None when it did not.

    The carrier brings it back over a request that it has signed, so that neither the CallActor nor
    the record is needed to know that the end was planned, and what is to be done.
    """
    if form.get("SessionStatus") != "ended":
        return None
    try:
        told = json.loads(form.get("HandoffData", ""))
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or not isinstance(told.get("v"), int):
        return None
    action = told.get("hand_over")
    return action if isinstance(action, dict) else {}


def after_failed_session(form: Mapping[str, str], mode: str) -> Action:
    """What is done when the carrier's own ear or mouth has failed: ``mode`` is what comes next.

    A socket that was lost is no reason: the same happens to a stream.
    """
    code = form.get("ErrorCode", "")
    if not mode or form.get("SessionStatus") != "failed" or code in _SOCKET_LOST:
        return {}
    return {"verb": "switch", "mode": mode, "why": "failed"}


class HandOvers:
    """What one replica knows, and where else it asks.

    Args:
        stored: The record.
    """

    def __init__(self, stored: StoredHandOver) -> None:
        self._stored = stored
        self._seen: OrderedDict[tuple[str, int], Action] = OrderedDict()  # oldest first

    def note(self, call_id: str, resume: int, action: Action) -> None:
        """A stream of this replica has ended with this action."""
        self._seen[call_id, resume] = action
        if len(self._seen) > HAND_OVERS_KEPT:
            self._seen.popitem(last=False)

    async def find(self, claims: StreamClaims, state: CallState | None) -> Action:
        """What is to be done now that the stream of ``claims`` has ended.

        Args:
            claims: Of the ``action`` URL of that stream.
            state: What the actor of the token knows; None when it is gone.
        """
        seen = self._seen.get((claims.call_id, claims.resume))
        if seen is not None:
            return seen
        if state is not None and state.hand_over and state.epoch[0] == claims.resume:
            return state.hand_over
        if state is not None and (state.planned_end or state.reason not in {"", INGRESS_VANISHED}):
            return {}  # it had the call to the last
        try:
            async with asyncio.timeout(STORE_WITHIN_S):
                return await self._stored(claims)
        except (RecordsError, TimeoutError) as error:
            why = str(error) or "no answer"
            logger.warning("call %s: no word from the store: %s", claims.call_id, why)
            return {}


def with_owner(claims: StreamClaims, action: Action) -> StreamClaims:
    """The claims for whoever had the call at the end of its stream.

    The call may have moved to another actor, under a newer epoch, after its token was minted.
    """
    actor, minted_us = action.get("actor"), action.get("minted_us")
    if not isinstance(actor, str) or not isinstance(minted_us, int) or not actor:
        return claims
    return replace(claims, actor=actor, minted_us=minted_us)


def note_of(comeback: Comeback) -> str:
    """A comeback as it travels in a token."""
    return ":".join((comeback.verb, comeback.tool, comeback.status)).rstrip(":")


def comeback_of(note: str) -> Comeback | None:
    """The comeback that a token tells of; None for none, or for one of a later version."""
    verb, _, rest = note.partition(":")
    tool, _, status = rest.partition(":")
    return Comeback(verb, tool, status) if verb in _VERBS else None
