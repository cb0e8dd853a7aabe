"""What the back office is made of: the dialer, and the chores that nobody waits for."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any

from actors.dialer import DialerConfig
from actors.dialer_driver import DialerDriver
from cluster.call_lifecycle import CallLifecycle, LifecycleParts
from cluster.call_stores import CallStores, open_call_stores
from cluster.call_urls import CallUrls
from cluster.carrier_client import open_carrier
from cluster.logs import configure_logging
from cluster.patient_work import PatientWork
from cluster.placing import DEFAULT_RING_S, new_call
from cluster.settings import Settings
from cluster.wall_clock import wall_clock_us
from records.errors import RecordsError
from records.retention import prune
from records.writer import RecordWriter
from telephony.call_token import CallClaims
from telephony.callback_forms import CallStatusReport
from telephony.errors import CarrierError, CarrierRefused, InvalidSetting
from telephony.rest import CarrierRest

logger = logging.getLogger(__name__)

BACK_OFFICE_PARTS = "cluster.back_office_parts:build_back_office_parts"
DELETE_EVERY_S = 5.0
RECONCILE_EVERY_S = 20.0
PRUNE_EVERY_S = 3_600.0
FIRST_PRUNE_AFTER_S = 30.0
SILENT_PLACED_S = DEFAULT_RING_S + 60.0
SILENT_ANSWERED_S = 4.2 * 3_600.0  # longer than a call lasts
LOOKED_AT_ONCE = 20
DAY_US = 24 * 3_600 * 1_000_000

FreeSlots = Callable[[], Awaitable[int | None]]


class BackOfficeParts:
    """The parts, at work in ``run``.

    Args:
        settings: Of the deployment.
        stores: The tables.
        carrier: None when it is not configured: nothing is dialled then.
        free_slots: Calls that the cluster can take now.
    """

    def __init__(
        self,
        settings: Settings,
        stores: CallStores,
        carrier: CarrierRest | None,
        free_slots: FreeSlots,
    ) -> None:
        self._settings = settings
        self._stores = stores
        self._carrier = carrier
        urls = CallUrls(settings, wall_clock_us)
        self._writer = RecordWriter(stores.database)
        self._work = PatientWork()
        self._lifecycle = CallLifecycle(
            LifecycleParts(
                stores=stores,
                put=self._writer.put,
                carrier=carrier,
                urls=urls,
                wall_clock_us=wall_clock_us,
                hang_up_here=lambda _call_sid, _reason: False,
                nudge=lambda: None,
            ),
            self._work,
        )
        self._deletions = asyncio.Event()
        self._dialer: DialerDriver | None = None
        if carrier is not None:
            self._dialer = DialerDriver(
                stores.requests,
                carrier,
                new_call(urls),
                free_slots,
                wall_clock_us,
                random.random,
                DialerConfig(calls_per_s=settings.calls_per_second),
            )

    @property
    def status(self) -> dict[str, Any]:
        """What waits and why."""
        return self._dialer.status if self._dialer is not None else {"trouble": "no carrier"}

    def nudge(self) -> None:
        """Look at the tables now."""
        self._deletions.set()
        if self._dialer is not None:
            self._dialer.nudge()

    async def run(self) -> None:
        """Dial and tidy up until cancelled."""
        async with asyncio.TaskGroup() as group:
            if self._dialer is not None:
                group.create_task(self._dialer.run())
                group.create_task(
                    _again("recordings", self._delete_recordings, self._wait_deletion)
                )
                group.create_task(
                    _again("silent calls", self._ask_about_silent, _after(RECONCILE_EVERY_S))
                )
            if self._settings.retention_days:
                await asyncio.sleep(FIRST_PRUNE_AFTER_S)
                group.create_task(_again("retention", self._prune, _after(PRUNE_EVERY_S)))

    async def aclose(self) -> None:
        """End open questions and close every connection."""
        if self._dialer is not None:
            await self._dialer.aclose()
        await self._work.aclose(1.0)
        await self._writer.aclose()
        await self._stores.aclose()
        if self._carrier is not None:
            await self._carrier.close()

    # --- chores ----------------------------------------------------------------------------------

    async def _wait_deletion(self) -> None:
        try:
            await asyncio.wait_for(self._deletions.wait(), DELETE_EVERY_S)
        except TimeoutError:
            return
        self._deletions.clear()

    async def _delete_recordings(self) -> None:
        """Have the carrier delete what was erased or is too old."""
        if self._carrier is None:
            return
        for row in await self._stores.recordings.deleting(LOOKED_AT_ONCE):
            await self._carrier.delete_recording(row.recording_sid)
            await self._stores.recordings.remove(row.recording_sid)

    async def _ask_about_silent(self) -> None:
        """Calls whose callbacks were lost: ask the carrier what became of them."""
        now_us, requests = wall_clock_us(), self._stores.requests
        for status, silent_s in (("placed", SILENT_PLACED_S), ("answered", SILENT_ANSWERED_S)):
            before_us = now_us - round(silent_s * 1e6)
            for row in await requests.unchanged_since(status, before_us, LOOKED_AT_ONCE):
                if self._carrier is None or not row.call_sid:
                    continue
                try:
                    carrier_status = (await self._carrier.fetch_call(row.call_sid)).status
                except CarrierRefused as error:
                    if not error.is_unknown:
                        raise
                    carrier_status = "failed"
                claims = CallClaims(row.tenant_id, row.agent_id, row.call_id, "outbound", 0)
                self._lifecycle.status_reported(
                    claims, CallStatusReport(row.call_sid, carrier_status)
                )
                await requests.change(
                    row.tenant_id, row.call_id, {status}, updated_at_us=wall_clock_us()
                )

    async def _prune(self) -> None:
        """Delete calls that are older than they may be kept."""
        before_us = wall_clock_us() - self._settings.retention_days * DAY_US
        calls = 0
        async for pruned in prune(self._stores.database, before_us):
            calls = pruned.calls
        if calls:
            logger.info("%d calls older than %d days deleted", calls, self._settings.retention_days)
            self._deletions.set()


def _after(seconds: float) -> Callable[[], Awaitable[None]]:
    async def pause() -> None:
        await asyncio.sleep(seconds)

    return pause


async def _again(
    what: str, chore: Callable[[], Awaitable[None]], pause: Callable[[], Awaitable[None]]
) -> None:
    """Do a chore for ever; that it does not work is said once in a row."""
    trouble = ""
    while True:
        try:
            await chore()
            trouble = ""
        except (RecordsError, CarrierError) as error:
            if str(error) != trouble:
                logger.warning("%s: %s", what, error)
            trouble = str(error)
        except Exception:
            logger.exception("%s failed", what)
        await pause()


def carrier_of(settings: Settings) -> CarrierRest | None:
    """The carrier of the settings; None, with a word in the log, when it is not configured."""
    if not settings.twilio_account_sid:
        return None
    try:
        return open_carrier(settings)
    except InvalidSetting as error:
        logger.error("no calls are placed: %s", error)
        return None


async def build_back_office_parts(
    plain_settings: dict[str, Any], free_slots: FreeSlots
) -> BackOfficeParts:
    """Build the parts from the settings of the deployment."""
    settings = Settings.from_plain(plain_settings)
    configure_logging(settings.log_level)
    settings.make_data_dir()
    stores = open_call_stores(settings)
    await stores.calls.prepare()
    return BackOfficeParts(settings, stores, carrier_of(settings), free_slots)
