"""What nobody waits for: recordings deleted at the carrier, silent calls asked after, old ones.

Every chore may be broken off and done again. One thing that the carrier refuses does not stand in
the way of others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from cluster.call_lifecycle import CallLifecycle
from cluster.call_stores import CallStores
from cluster.placing import DEFAULT_RING_S
from records.edge_rows import CallRequestRow
from records.retention import Pruned, prune
from telephony.call_token import CallClaims
from telephony.callback_forms import CallStatusReport
from telephony.errors import CarrierRefused, LocalProtocolError
from telephony.rest import CarrierRest

logger = logging.getLogger(__name__)

SILENT_PLACED_S = DEFAULT_RING_S + 60.0
SILENT_ANSWERED_S = 4.2 * 3_600.0  # longer than a call lasts
LOOKED_AT_ONCE = 20
REFUSED_KEPT = 1_000
DAY_US = 24 * 3_600 * 1_000_000


class BackOfficeChores:
    """The chores. Each raises ``RecordsError`` or ``CarrierError`` when it cannot go on now.

    Args:
        stores: The tables.
        carrier: None when it is not configured: nothing is asked then.
        lifecycle: Takes what the carrier says of silent calls.
        wall_clock_us: UTC microseconds.
    """

    def __init__(
        self,
        stores: CallStores,
        carrier: CarrierRest | None,
        lifecycle: CallLifecycle,
        wall_clock_us: Callable[[], int],
    ) -> None:
        self._stores = stores
        self._carrier = carrier
        self._lifecycle = lifecycle
        self._wall_clock_us = wall_clock_us
        self._refused: dict[str, None] = {}  # recordings that the carrier keeps, oldest first

    async def delete_recordings(self) -> None:
        """Have the carrier delete what was erased or is too old."""
        if self._carrier is None:
            return
        rows = await self._stores.recordings.deleting(LOOKED_AT_ONCE + len(self._refused))
        waiting = [row.recording_sid for row in rows if row.recording_sid not in self._refused]
        if not waiting:  # then once more those that were refused
            waiting = list(self._refused)[:LOOKED_AT_ONCE]
        for sid in waiting:
            try:
                await self._carrier.delete_recording(sid)
            except (CarrierRefused, LocalProtocolError) as error:
                if isinstance(error, CarrierRefused) and error.is_wrong_key:
                    raise
                self._keep_refused(sid, error)
                continue
            await self._stores.recordings.remove(sid)
            self._refused.pop(sid, None)

    def _keep_refused(self, sid: str, error: Exception) -> None:
        if sid not in self._refused:
            logger.error("recording %s is not deleted by the carrier: %s", sid, error)
        self._refused.pop(sid, None)
        self._refused[sid] = None
        if len(self._refused) > REFUSED_KEPT:
            del self._refused[next(iter(self._refused))]

    async def ask_about_silent(self) -> None:
        """Calls whose callbacks were lost: ask the carrier what became of them."""
        if self._carrier is None:
            return
        now_us = self._wall_clock_us()
        for status, silent_s in (("placed", SILENT_PLACED_S), ("answered", SILENT_ANSWERED_S)):
            before_us = now_us - round(silent_s * 1e6)
            for row in await self._stores.requests.unchanged_since(
                status, before_us, LOOKED_AT_ONCE
            ):
                if row.call_sid:
                    await self._ask_about(self._carrier, row)
                # Not again before the same time has passed.
                await self._stores.requests.change(
                    row.tenant_id, row.call_id, {status}, updated_at_us=self._wall_clock_us()
                )

    async def _ask_about(self, carrier: CarrierRest, row: CallRequestRow) -> None:
        try:
            carrier_status = (await carrier.fetch_call(row.call_sid)).status
        except CarrierRefused as error:
            if error.is_wrong_key:
                raise
            if not error.is_unknown:
                logger.error("call %s: the carrier tells nothing of it: %s", row.call_id, error)
                return
            carrier_status = "failed"
        except LocalProtocolError as error:
            logger.error("call %s: the carrier cannot be asked: %s", row.call_id, error)
            return
        claims = CallClaims(row.tenant_id, row.agent_id, row.call_id, "outbound", 0)
        self._lifecycle.status_reported(claims, CallStatusReport(row.call_sid, carrier_status))

    async def prune(self, retention_days: int) -> Pruned:
        """Delete calls that are older than they may be kept; says what is gone."""
        before_us = self._wall_clock_us() - retention_days * DAY_US
        gone = Pruned()
        async for so_far in prune(self._stores.database, before_us):
            gone = so_far
        if gone.calls:
            logger.info("%d calls older than %d days deleted", gone.calls, retention_days)
        return gone
