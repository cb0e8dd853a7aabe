"""What a replica has for calls besides its ear and its mouth: routes, callbacks, the API's parts.

``None`` in the place of stores is an edge without a database: it answers calls, has no API and
forgets what the carrier tells.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from cluster.call_lifecycle import CallLifecycle, LifecycleParts
from cluster.call_places import Placement
from cluster.call_stores import CallStores
from cluster.call_urls import CallUrls
from cluster.edge import BegunCall, Edge
from cluster.number_routes import NumberRoutes
from cluster.other_regions import OtherRegions
from cluster.patient_work import PatientWork
from cluster.regions import region_table
from cluster.stream_parameters import OUTBOUND, stream_parameters
from cluster.voice_routes import VoiceWebhook
from records.edge_rows import NumberRow
from records.errors import RecordsError
from records.rows import JournalRow
from telephony.call_token import CallClaims
from telephony.rest import CarrierRest

logger = logging.getLogger(__name__)

VARIABLES_AGAIN_WITHIN_S = 1.0  # the caller hears nothing meanwhile


async def nobody_else(_call_id: str, _mode: str) -> bool:
    """There is one replica."""
    return False


async def nothing_kept(_tenant_id: str, _call_id: str) -> None:
    """There is no response cache."""


@dataclass(frozen=True, slots=True)
class OutsideWorld:
    """What the services speak to.

    Attributes:
        put: Takes a row of the journal; never waits.
        carrier: None when the carrier is not configured.
        nudge: Tells the back office that there is something to do; never waits.
        switch: Has the replica that has a call (its id) carry it in another way (the mode); False
            when none has it. Raises ``OSError`` when nobody can be asked.
        forget_answers: Has the response cache forget what it learned from a call (tenant, id), and
            learn nothing more from it. Raises ``CacheAwayError``; twice does no harm.
    """

    stores: CallStores
    put: Callable[[JournalRow], None]
    carrier: CarrierRest | None
    nudge: Callable[[], None]
    switch: Callable[[str, str], Awaitable[bool]] = nobody_else
    forget_answers: Callable[[str, str], Awaitable[None]] = nothing_kept


class CallServices:
    """The services of one edge.

    Args:
        edge: The edge.
        world: None: no database, no carrier.
        regions: The other regions; those of the settings when None.

    Attributes:
        regions: The other regions; None when there is only this one.
    """

    def __init__(
        self,
        edge: Edge,
        world: OutsideWorld | None = None,
        regions: OtherRegions | None = None,
    ) -> None:
        self.edge = edge
        self.world = world
        self.urls = CallUrls(edge.settings, edge.parts.wall_clock_us)
        self.routes = NumberRoutes(world.stores.numbers.all if world else _no_numbers)
        self.work = PatientWork()
        self.lifecycle: CallLifecycle | None = None
        if world is not None:
            parts = LifecycleParts(
                stores=world.stores,
                put=world.put,
                carrier=world.carrier,
                urls=self.urls,
                wall_clock_us=edge.parts.wall_clock_us,
                hang_up_here=self.hang_up_here,
                nudge=world.nudge,
            )
            self.lifecycle = CallLifecycle(parts, self.work)
            edge.on_call_begun = self._call_begun
        self.regions = regions or _other_regions(edge)
        self.voice = VoiceWebhook(
            edge,
            self.routes,
            self.urls,
            self.read_variables,
            self._placed_call_answered,
            self.regions,
        )

    async def start(self) -> None:
        """Read the numbers, and go on reading them; begin to look after other regions."""
        if self.regions is not None:
            self.regions.start()
        await self.routes.start()

    async def aclose(self) -> None:
        """Stop reading; finish what the carrier told."""
        if self.regions is not None:
            await self.regions.aclose()
        await self.routes.aclose()
        await self.work.aclose()

    def hang_up_here(self, call_sid: str, reason: str) -> bool:
        """End a call of this replica; False when it is not here."""
        call = self.edge.registry.owner_of(call_sid)
        if call is None:
            return False
        call.driver.hang_up(reason, None)
        return True

    def switch_here(self, call_id: str, mode: str) -> bool:
        """Carry a call of this replica in another way, between two turns; False: it is not here."""
        call = next((each for each in self.edge.registry if each.call_id == call_id), None)
        if call is None or call.claims is None:
            return False
        if self.edge.mode_of(call.claims) != mode:
            call.driver.go_elsewhere(mode)
        return True

    async def read_variables(self, tenant_id: str, call_id: str) -> Mapping[str, str]:
        """The variables of a call that we placed. Raises ``RecordsError``."""
        if self.world is None:
            return {}
        row = await self.world.stores.requests.get(tenant_id, call_id)
        return {} if row is None else {name: str(text) for name, text in row.variables.items()}

    async def parameters_again(
        self, placement: Placement, form: Mapping[str, str], tenant_id: str, *, has_mind: bool
    ) -> dict[str, str]:
        """The parameters of another stream of a call that goes on.

        A mind that has the call knows its variables; another one is told them again, if they can
        be read soon.
        """
        if not form.get("Direction", "").startswith(OUTBOUND):
            return stream_parameters(placement.stream_token, form)
        variables: Mapping[str, str] = {}
        if not has_mind:
            try:
                async with asyncio.timeout(VARIABLES_AGAIN_WITHIN_S):
                    variables = await self.read_variables(tenant_id, placement.call_id)
            except (RecordsError, TimeoutError) as error:
                logger.error("call %s goes on without its variables: %s", placement.call_id, error)
        return stream_parameters(
            placement.stream_token, form, direction=OUTBOUND, variables=variables
        )

    def _placed_call_answered(self, claims: CallClaims, call_sid: str) -> None:
        if self.lifecycle is not None:
            self.lifecycle.answered(claims, call_sid)

    def _call_begun(self, call: BegunCall) -> None:
        """Record what is to be recorded; a call that we placed is recorded from its answer on."""
        claims = call.claims
        if self.lifecycle is None or claims.resume or not call.agent.record:
            return
        if call.direction != OUTBOUND:
            whose = CallClaims(claims.tenant_id, claims.agent_id, claims.call_id, call.direction, 0)
            self.lifecycle.start_recording(whose, claims.call_sid)


def _other_regions(edge: Edge) -> OtherRegions | None:
    settings = edge.settings
    table = region_table(settings.regions, settings.region, settings.public_url)
    if table is None:
        return None
    return OtherRegions(table, settings.twilio_auth_token.get_secret_value(), edge.count)


async def _no_numbers() -> list[NumberRow]:
    return []
