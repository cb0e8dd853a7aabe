"""Which CallActor has a call now, when it is not the one of its tokens any more.

A CallActor that dies or hangs loses its calls to others, while the tokens of their streams still
name it. As long as the stream is up nobody minds; when it is lost too, whoever answers ``action``
has to find the call. The move is known to the replica that made it, and to the journal.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from cluster.call_rows import MOVED
from cluster.hand_overs import ReadJournal, with_owner
from records.errors import RecordsError
from telephony.stream_token import StreamClaims

logger = logging.getLogger(__name__)

MOVES_KEPT = 2_000
READ_WITHIN_S = 0.5  # the caller hears nothing meanwhile

Epoch = tuple[int, int]

Owner = Mapping[str, Any]
"""``actor`` and ``minted_us``, as ``MindClient.owner`` says; empty when it was not moved."""

StoredMove = Callable[[StreamClaims], Awaitable[Owner]]
"""Who the record says has this call since its latest move. Raises ``RecordsError``."""


async def never_moved(_claims: StreamClaims) -> Owner:
    """An edge without a record."""
    return {}


def stored_move(read_journal: ReadJournal) -> StoredMove:
    """Reads it from the journal of ``(tenant_id, call_id)``."""

    async def read(claims: StreamClaims) -> Owner:
        rows = await read_journal(claims.tenant_id, claims.call_id)
        moves = [row for row in rows if row.kind == MOVED and row.epoch > claims.epoch]
        return max(moves, key=lambda row: row.epoch).data if moves else {}

    return read


class CallMoves:
    """What one replica knows, and where else it asks.

    Args:
        stored: The record.
    """

    def __init__(self, stored: StoredMove) -> None:
        self._stored = stored
        # By call id, oldest first. Times of different streams are of different clocks: only whole
        # epochs can be compared.
        self._seen: OrderedDict[str, tuple[Epoch, Owner]] = OrderedDict()

    def note(self, call_id: str, epoch: Epoch, owner: Owner) -> None:
        """A call of this replica has moved, and its new owner has it under this epoch."""
        seen = self._seen.get(call_id)
        if seen is None or epoch >= seen[0]:
            self._seen[call_id] = epoch, owner
        self._seen.move_to_end(call_id)
        if len(self._seen) > MOVES_KEPT:
            self._seen.popitem(last=False)

    async def current(self, claims: StreamClaims) -> StreamClaims:
        """The claims of a call for whoever has it now; as they were while nothing is known.

        Args:
            claims: Of an ``action`` URL.
        """
        seen = self._seen.get(claims.call_id)
        if seen is not None and seen[0] > claims.epoch:
            return with_owner(claims, seen[1])
        try:
            async with asyncio.timeout(READ_WITHIN_S):
                return with_owner(claims, await self._stored(claims))
        except (RecordsError, TimeoutError) as error:
            why = str(error) or "no answer"
            logger.warning("call %s: whether it has moved is not known: %s", claims.call_id, why)
            return claims
