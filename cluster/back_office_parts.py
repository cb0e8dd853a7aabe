"""What the back office is made of: the dialer, and the chores that nobody waits for."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from actors.dialer import DialerConfig
from actors.dialer_driver import DialerDriver, Room
from actors.rounds import for_ever
from cluster.back_office_chores import BackOfficeChores
from cluster.call_lifecycle import CallLifecycle, LifecycleParts
from cluster.call_stores import CallStores, open_call_stores
from cluster.call_urls import CallUrls
from cluster.carrier_client import open_carrier
from cluster.logs import configure_logging
from cluster.patient_work import PatientWork
from cluster.placing import new_call
from cluster.settings import Settings
from cluster.tenant_limits import TenantLimits
from cluster.wall_clock import wall_clock_us
from providers.traces import trace_of
from records.errors import RecordsError
from records.writer import RecordWriter
from telephony.errors import CarrierError, InvalidSetting
from telephony.rest import CarrierRest

logger = logging.getLogger(__name__)

BACK_OFFICE_PARTS = "cluster.back_office_parts:build_back_office_parts"

DIAL_AGAIN_S = 1.0

AskRoom = Callable[[], Awaitable[Room | None]]


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """How often each chore is done, in seconds; deletions also when there is word of one."""

    delete_every_s: float = 5.0
    ask_every_s: float = 20.0
    prune_every_s: float = 3_600.0
    first_prune_after_s: float = 30.0


HOURS = OfficeHours()


class BackOfficeParts:
    """The parts, at work in ``run``.

    Args:
        settings: Of the deployment.
        stores: The tables.
        carrier: None when it is not configured: nothing is dialled then.
        room: What the cluster can take now.
        hours: Of the chores.
    """

    def __init__(
        self,
        settings: Settings,
        stores: CallStores,
        carrier: CarrierRest | None,
        room: AskRoom,
        hours: OfficeHours = HOURS,
    ) -> None:
        self._hours = hours
        self._settings = settings
        self._stores = stores
        self._carrier = carrier
        urls = CallUrls(settings, wall_clock_us)
        self._writer = RecordWriter(stores.database)
        self._work = PatientWork()
        lifecycle = CallLifecycle(
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
        self._chores = BackOfficeChores(stores, carrier, lifecycle, wall_clock_us)
        self._deletions = asyncio.Event()
        self._dialer: DialerDriver | None = None
        if carrier is not None:
            self._dialer = DialerDriver(
                stores.requests,
                carrier,
                new_call(urls),
                room,
                wall_clock_us,
                random.random,
                DialerConfig(
                    calls_per_s=settings.calls_per_second,
                    kept_free=settings.seats_for_inbound,
                    tenant_room=TenantLimits(settings.calls_per_tenant, settings.tenant_calls).room,
                ),
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
        chores, hours = self._chores, self._hours
        async with asyncio.TaskGroup() as group:
            if self._dialer is not None:
                group.create_task(for_ever(self._dialer.run, DIAL_AGAIN_S, "the dialer"))
                group.create_task(
                    _again("recordings", chores.delete_recordings, self._wait_deletion)
                )
                group.create_task(
                    _again("silent calls", chores.ask_about_silent, _after(hours.ask_every_s))
                )
            if self._settings.retention_days:
                await asyncio.sleep(hours.first_prune_after_s)
                group.create_task(_again("retention", self._prune, _after(hours.prune_every_s)))

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
            await asyncio.wait_for(self._deletions.wait(), self._hours.delete_every_s)
        except TimeoutError:
            return
        self._deletions.clear()

    async def _prune(self) -> None:
        if (await self._chores.prune(self._settings.retention_days)).recordings:
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
        except Exception as error:  # noqa: BLE001 - the next round tries again
            logger.error("%s failed: %s", what, trace_of(error))
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


async def build_back_office_parts(plain_settings: dict[str, Any], room: AskRoom) -> BackOfficeParts:
    """Build the parts from the settings of the deployment."""
    settings = Settings.from_plain(plain_settings)
    configure_logging(settings.log_level)
    settings.make_data_dir()
    stores = open_call_stores(settings)
    try:
        await stores.calls.prepare()
    except BaseException:
        await stores.aclose()
        raise
    return BackOfficeParts(settings, stores, carrier_of(settings), room)
