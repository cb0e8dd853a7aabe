"""What the API does with calls: place, list, show, hang up, erase. Every method is for one tenant.

Placing a call means that its request is durable; the back office dials it. All methods raise
``ApiError`` for what the client can change, and ``RecordsError`` when the database is away.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from actors.request_marks import HANG_UP
from cluster.api.errors import ApiError
from cluster.api.schemas import (
    AgentList,
    AgentView,
    CallDetail,
    CallPage,
    CallView,
    ErasedView,
    PlaceCall,
)
from cluster.api.views import call_detail, call_view, cursor_text, instant
from cluster.call_services import CallServices, OutsideWorld
from dialogue.agent import Agent, CallMode
from dialogue.variables import placeholders
from records.call_overview import (
    CallOverview,
    OverviewFilter,
    find_overview,
    list_overview,
    overview_of_new,
)
from records.edge_rows import FINAL_REQUEST_STATUSES, CallRequestRow
from records.erasure import erase
from records.errors import IdempotencyConflict
from records.ids import new_id
from telephony.errors import CarrierError, CarrierRefused, LocalProtocolError


class CallDesk:
    """See the top of this file.

    Args:
        services: Of the edge; with stores.
        world: The stores, the carrier and the back office.
    """

    def __init__(self, services: CallServices, world: OutsideWorld) -> None:
        self._services = services
        self._world = world
        self._settings = services.edge.settings
        self._agents: Mapping[tuple[str, str], Agent] = services.edge.parts.agents
        self._wall_clock_us = services.edge.parts.wall_clock_us

    # --- place -----------------------------------------------------------------------------------

    async def place(
        self, tenant_id: str, wish: PlaceCall, idempotency_key: str
    ) -> tuple[CallView, bool]:
        """Accept a call; returns it, and True when it is new."""
        if self._world.carrier is None:
            raise ApiError(
                "no calls can be placed: set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN",
                "carrier_not_configured",
            )
        agent = self._agent(tenant_id, wish.agent_id)
        missing = placeholders(agent) - set(wish.variables)
        if missing:
            raise ApiError(
                f"variables: agent {agent.agent_id} needs {', '.join(sorted(missing))}",
                "missing_variables",
                "variables",
            )
        from_number = await self._from_number(tenant_id, agent.agent_id, wish.from_)
        if wish.to == from_number:
            raise ApiError("to: the agent would call its own number", "invalid_request", "to")
        now_us = self._wall_clock_us()
        detection = wish.machine_detection.model_dump()
        row = CallRequestRow(
            tenant_id=tenant_id,
            call_id=new_id(now_us),
            agent_id=agent.agent_id,
            to_number=wish.to,
            from_number=from_number,
            idempotency_key=idempotency_key,
            body_digest=_digest(wish),
            variables=wish.variables,
            options={
                "timeout_s": wish.timeout_s,
                "record": agent.record if wish.record is None else wish.record,
                "machine_detection": {**detection, "language": agent.language},
            },
            not_before_us=now_us,
            created_at_us=now_us,
            updated_at_us=now_us,
        )
        await self._check_limit(row)
        try:
            kept, is_new = await self._world.stores.requests.add(row)
        except IdempotencyConflict as error:
            raise ApiError(
                f"Idempotency-Key: {error.message}", "idempotency_conflict", "Idempotency-Key"
            ) from None
        self._world.nudge()
        if is_new:  # nothing is read again: whoever was refused now would ask for a second call
            return call_view(overview_of_new(kept)), True
        return call_view(await self._found(tenant_id, kept.call_id)), False

    async def _check_limit(self, row: CallRequestRow) -> None:
        """As many calls as the tenant may have are in progress: no further one is accepted.

        A request that was accepted before is answered as then.
        """
        edge, tenant_id = self._services.edge, row.tenant_id
        limit = edge.tenant_limits.of(tenant_id)
        if limit is None or not edge.parts.pool.stock.tenants.is_full(limit):
            return
        if row.idempotency_key and await self._world.stores.requests.is_kept(row):
            return
        raise ApiError(
            f"{limit.calls} calls are in progress, as many as you may have at once: try again "
            "when one has ended",
            "tenant_full",
        )

    def _agent(self, tenant_id: str, agent_id: str | None) -> Agent:
        names = sorted(name for tenant, name in self._agents if tenant == tenant_id)
        if agent_id is None:
            if tenant_id == self._settings.tenant_id:
                agent_id = self._settings.default_agent
            elif len(names) == 1:
                agent_id = names[0]
            else:
                raise ApiError(
                    f"agent_id: say which one: {', '.join(names) or 'there is none'}",
                    "unknown_agent",
                    "agent_id",
                )
        agent = self._agents.get((tenant_id, agent_id))
        if agent is None:
            raise ApiError(
                f"agent_id: there is no agent {agent_id!r}; there are: "
                f"{', '.join(names) or 'none'}",
                "unknown_agent",
                "agent_id",
            )
        return agent

    async def _from_number(self, tenant_id: str, agent_id: str, wanted: str | None) -> str:
        """The number to call from. Nobody calls from the number of somebody else."""
        own = self._settings.twilio_phone_number if tenant_id == self._settings.tenant_id else ""
        routes = self._services.routes
        if wanted is None:
            numbers = routes.numbers_of(tenant_id)
            of_agent = [row.number for row in numbers if row.agent_id == agent_id]
            for number in (*of_agent, own, *(row.number for row in numbers)):
                if number:
                    return number
            raise ApiError(
                "from: you have no number to call from; give one to an agent with 'callcluster "
                "number use', or set TWILIO_PHONE_NUMBER",
                "no_number",
                "from",
            )
        row = routes.of(wanted) or await self._world.stores.numbers.get(wanted)
        if row is not None:
            if row.tenant_id == tenant_id:
                return wanted
        elif wanted == own:
            return wanted
        raise ApiError(
            "from: this is no number of yours; 'callcluster number list' shows them",
            "number_not_yours",
            "from",
        )

    # --- look ------------------------------------------------------------------------------------

    async def page(
        self, chosen: OverviewFilter, limit: int, before: tuple[int, str] | None
    ) -> CallPage:
        """A page of calls."""
        rows = await list_overview(self._world.stores.database, chosen, limit + 1, before)
        shown = rows[:limit]
        return CallPage(
            calls=[call_view(row) for row in shown],
            next_cursor=cursor_text(shown[-1]) if len(rows) > limit else None,
        )

    async def show(self, tenant_id: str, call_id: str) -> CallDetail:
        """One call."""
        stores = self._world.stores
        row = await self._found(tenant_id, call_id)
        call, request, turns, journal, recordings = await asyncio.gather(
            stores.calls.call(tenant_id, call_id),
            stores.requests.get(tenant_id, call_id),
            stores.calls.turns(tenant_id, call_id),
            stores.calls.journal(tenant_id, call_id),
            stores.recordings.of_call(tenant_id, call_id),
        )
        return call_detail(row, call, request, turns, journal, recordings)

    async def _found(self, tenant_id: str, call_id: str) -> CallOverview:
        row = await find_overview(self._world.stores.database, tenant_id, call_id)
        if row is None:
            raise ApiError("there is no such call", "not_found", "call_id")
        return row

    def agents(self, tenant_id: str) -> AgentList:
        """The agents of a tenant."""
        numbers = self._services.routes.numbers_of(tenant_id)
        return AgentList(
            agents=[
                AgentView(
                    agent_id=agent.agent_id,
                    agent_version=agent.agent_version,
                    language=agent.language,
                    records_calls=agent.record,
                    variables=sorted(placeholders(agent)),
                    numbers=[row.number for row in numbers if row.agent_id == agent.agent_id],
                    modes=list(agent.modes),
                )
                for (tenant, _), agent in sorted(self._agents.items())
                if tenant == tenant_id
            ]
        )

    # --- end -------------------------------------------------------------------------------------

    async def hang_up(self, tenant_id: str, call_id: str) -> tuple[CallView, bool]:
        """End a call, or take it out of the queue; again, it changes nothing more.

        Returns:
            The call, and True when it is over already.
        """
        requests = self._world.stores.requests
        request = await requests.get(tenant_id, call_id)
        now_us = self._wall_clock_us()
        if request is not None and await requests.change(
            tenant_id, call_id, {"queued"}, status="canceled", error="", updated_at_us=now_us
        ):
            return call_view(await self._found(tenant_id, call_id)), True
        if request is not None and request.status in {"queued", "dialing"}:
            # Who asks the carrier just now finds the wish when it has the sid.
            options: dict[str, Any] = {**request.options, HANG_UP: True}
            if await requests.change(
                tenant_id, call_id, {"dialing"}, options=options, updated_at_us=now_us
            ):
                return call_view(await self._found(tenant_id, call_id)), False
        row = await self._found(tenant_id, call_id)
        if row.state in FINAL_REQUEST_STATUSES:
            return call_view(row), True
        await self._end(row)
        return call_view(await self._found(tenant_id, call_id)), False

    async def _end(self, row: CallOverview) -> None:
        is_here = self._services.hang_up_here(row.call_sid, "api")
        carrier = self._world.carrier
        if carrier is None:
            if not is_here:
                raise ApiError(
                    "the call cannot be ended from here: set TWILIO_ACCOUNT_SID and "
                    "TWILIO_AUTH_TOKEN",
                    "carrier_not_configured",
                )
            return
        if not row.call_sid:
            raise ApiError(
                "the call is being placed: ask again in a moment", "call_is_being_placed"
            )
        try:
            await carrier.update_call(row.call_sid, status="completed")
        except CarrierRefused as error:
            if error.is_call_over or error.is_unknown:
                return  # it ended just now; its callback is on the way
            raise ApiError(f"the carrier refused: {error}", "carrier_refused") from None
        except LocalProtocolError as error:
            raise ApiError(f"the carrier would refuse: {error}", "carrier_refused") from None
        except CarrierError as error:
            if not is_here:
                raise ApiError(f"{error}; ask again", "carrier_unavailable") from None

    # --- move ------------------------------------------------------------------------------------

    async def move(self, tenant_id: str, call_id: str, mode: CallMode) -> CallView:
        """Have a call in progress carried in another way from the next pause on."""
        row = await self._found(tenant_id, call_id)
        agent = self._agents.get((tenant_id, row.agent_id))
        if agent is not None and mode not in agent.modes:
            raise ApiError(
                f"mode: calls of agent {agent.agent_id} are carried as {', '.join(agent.modes)}; "
                f"add {mode} to mode in its file",
                "mode_not_configured",
                "mode",
            )
        if row.state in FINAL_REQUEST_STATUSES:
            raise ApiError("the call is over", "call_not_in_progress", "call_id")
        if not self._services.switch_here(call_id, mode):
            await self._move_elsewhere(call_id, mode)
        return call_view(row)

    async def _move_elsewhere(self, call_id: str, mode: CallMode) -> None:
        try:
            is_asked = await self._world.switch(call_id, mode)
        except OSError as error:  # a timeout is one
            why = str(error) or "the back office does not answer"
            raise ApiError(f"{why}; ask again", "carrier_unavailable") from None
        if not is_asked:
            raise ApiError(
                "nobody speaks with this call now: its phone rings, the carrier puts it through, "
                "or it has just ended",
                "call_not_in_progress",
                "call_id",
            )

    async def erase(self, tenant_id: str, call_id: str) -> ErasedView:
        """Erase what was said and who spoke, also in the response cache and at the carrier."""
        stores = self._world.stores
        erased = await erase(stores.database, tenant_id, call_id, at_us=self._wall_clock_us())
        if erased is None:
            raise ApiError("there is no such call", "not_found", "call_id")
        for sid in erased.recording_sids:
            self._services.work.begin(f"call {call_id}: delete recording", self._deletion(sid))
        self._services.work.begin(
            f"call {call_id}: forget its answers",
            lambda: self._world.forget_answers(tenant_id, call_id),
        )
        self._world.nudge()
        return ErasedView(
            call_id=call_id,
            erased_at=instant(erased.erased_at_us) or "",
            turns=erased.turns,
            journal_entries=erased.journal_entries,
            recordings=len(erased.recording_sids),
        )

    def _deletion(self, recording_sid: str) -> Any:
        async def delete() -> None:
            if self._world.carrier is not None:
                await self._world.carrier.delete_recording(recording_sid)
                await self._world.stores.recordings.remove(recording_sid)

        return delete


def _digest(wish: PlaceCall) -> str:
    """The same for the same wish, in whatever order its fields came."""
    plain = wish.model_dump(mode="json", by_alias=True)
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
