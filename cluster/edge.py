"""The state of one ingress replica, and what its routes ask of it.

Nothing here waits for a shared actor.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from actors.call_driver import CallDriver
from actors.call_parts import CallEnd, CallParts, LiveDriver
from actors.mind_client import MindClient
from actors.realtime_driver import RealtimeDriver
from actors.relay_driver import SESSION_CLOSED, RelayDriver
from actors.relay_opening import RelayOpening
from actors.wire import OpenCall
from cluster import admission, descriptors
from cluster.call_ends import CallEnds
from cluster.call_places import CallPlaces
from cluster.call_recall import CallRecall
from cluster.call_registry import CallRegistry, LiveCall
from cluster.edge_parts import EdgeParts
from cluster.hand_overs import comeback_of
from cluster.settings import Settings
from cluster.stream_parameters import direction_of, variables_of
from cluster.tenant_limits import TenantLimits
from cluster.voice_config import config_for_mode, voice_configs
from dialogue.agent import Agent, CallMode, is_mode
from telemetry import catalog
from telephony.media_stream import MediaStream
from telephony.origin import PublicOrigin
from telephony.signature import HEADER, SignatureCheck, SigningKey
from telephony.stream_events import StreamStarted
from telephony.stream_token import StreamClaims
from voice.config import VoiceConfig

logger = logging.getLogger(__name__)


class StreamRefusal(Exception):
    """This socket does not become a call; the message says why."""

    close_code = 1008


class ReplicaFullRefusal(StreamRefusal):
    """Every place of this replica is taken: the carrier shall ask ``action`` for another one."""

    close_code = 1013


@dataclass(frozen=True, slots=True)
class BegunCall:
    """A stream has become a call of this replica."""

    claims: StreamClaims
    agent: Agent
    direction: str


@dataclass(frozen=True, slots=True)
class _Admitted:
    """What a call is held with."""

    agent: Agent
    config: VoiceConfig
    parts: CallParts
    mind: MindClient


class Edge:
    """One ingress replica.

    Args:
        settings: Of this deployment.
        parts: Built by the composition root.
        on_call_end: Told of every call that ended here.

    Attributes:
        places: Where calls live, and the tokens that say so.
        ends: Which calls have ended, and how.
        recall: Gives calls whose CallActor is gone to others.

    Raises:
        SettingsError: An agent's turn-taking and the settings contradict each other.
    """

    def __init__(
        self,
        settings: Settings,
        parts: EdgeParts,
        on_call_end: Callable[[LiveCall, CallEnd], None] | None = None,
    ) -> None:
        self.settings = settings
        self.parts = parts
        self.registry = CallRegistry(settings.calls_per_replica, self._call_ended)
        self._on_call_end = on_call_end
        self._voice = {
            key: voice_configs([agent], settings)[agent.agent_id]
            for key, agent in parts.agents.items()
        }
        self.on_call_begun: Callable[[BegunCall], None] = lambda _call: None
        self.tenant_limits = TenantLimits(settings.calls_per_tenant, settings.tenant_calls)
        self.places = CallPlaces(parts, settings.signing_secret())
        self.recall = CallRecall(parts.pool, parts.recall, settings.actor_timeout_s)
        self.ends = CallEnds(parts, self.registry, self.recall, settings.actor_timeout_s)
        self.draining = False
        self.not_ready: list[str] = ["starting"]
        self.are_descriptors_short: Callable[[], bool] = descriptors.are_short
        carrier_token = settings.twilio_auth_token.get_secret_value()
        self.origin = PublicOrigin.parse(settings.public_url)
        self._check = (
            SignatureCheck(self.origin, (SigningKey(carrier_token),)) if carrier_token else None
        )

    # --- who may speak to us ---------------------------------------------------------------------

    def handshake_allowed(self, path: str, headers: Mapping[str, str]) -> bool:
        """Whether a WebSocket handshake is signed by the carrier (always, in development mode)."""
        if self._check is None:
            return self.settings.development
        return self._check.is_signed_upgrade(path, headers.get(HEADER))

    def webhook_allowed(
        self, target: str, form: list[tuple[str, str]], headers: Mapping[str, str]
    ) -> bool:
        """Whether a form POST to ``target`` (path and query) is signed by the carrier."""
        if self._check is None:
            return self.settings.development
        return self._check.is_signed_form(target, form, headers.get(HEADER))

    # --- admission -------------------------------------------------------------------------------

    def refusal(self) -> str:
        """Why a new call cannot come in now; empty when it can."""
        stock = self.parts.pool.stock
        return admission.refusal(
            admission.Capacity(
                ready=not self.not_ready,
                draining=self.draining,
                cluster_active=stock.cluster_active,
                cluster_capacity=stock.cluster_capacity,
                cluster_minds=stock.cluster_minds,
                free_slots=stock.free,
                directory_away=stock.away,
                descriptors_short=self.are_descriptors_short(),
            )
        )

    async def wait_for_slot(self, tenant_id: str) -> None:
        """Give a new call that could come in, but for a slot, the time to get one."""
        if not self.draining and not self.not_ready:
            await self.parts.pool.wait_for_slot(self.tenant_limits.of(tenant_id))

    def tenant_refusal(self, tenant_id: str, call_id: str) -> str:
        """Why the tenant can have no further call; empty when it can, and has kept a place."""
        limit, tenants = self.tenant_limits.of(tenant_id), self.parts.pool.stock.tenants
        if limit is None or tenants.claim(call_id, limit, now=asyncio.get_running_loop().time()):
            return ""
        return "tenant_full"

    async def provider_refusal(self, agent: Agent, call_id: str) -> str:
        """Why the agent's providers cannot take a new call; empty when they can."""
        return "" if await self.parts.gate.admits(agent, call_id) else "providers_full"

    # --- a socket becomes a call -----------------------------------------------------------------

    def begin_call(
        self,
        stream: MediaStream,
        started: StreamStarted,
        send: Callable[[str], Awaitable[None]],
    ) -> LiveCall:
        """Check the token of a started stream and hold its call.

        Raises:
            telephony.errors.TokenRefused: Missing, forged, expired or for another call.
            StreamRefusal: An older stream than the one that has the call, an unknown agent, or no
                room left here.
        """
        parameters = started.custom_parameters
        claims = self.places.read(parameters.get("token", ""), "stream")
        known = self._admitted(claims, started.call_sid, parameters)
        is_realtime = self.mode_of(claims) == "realtime" and known.parts.realtime is not None
        carried_by: type[CallDriver | RealtimeDriver] = (
            RealtimeDriver if is_realtime else CallDriver
        )
        driver = carried_by(
            known.agent,
            known.config,
            known.parts,
            known.mind,
            stream,
            send,
            comeback_of(claims.after),
        )
        return self._hold(claims, known.agent, driver, parameters)

    def begin_relay(
        self,
        opening: RelayOpening,
        claims: StreamClaims,
        send: Callable[[str], Awaitable[None]],
    ) -> LiveCall:
        """Hold the call of a relay socket, whose token was read. Raises ``StreamRefusal``."""
        known = self._admitted(claims, opening.call_sid, opening.parameters)
        driver = RelayDriver(
            known.agent,
            known.config,
            known.parts,
            known.mind,
            replace(opening, comeback=comeback_of(claims.after)),
            send,
        )
        return self._hold(claims, known.agent, driver, opening.parameters)

    def mode_of(self, claims: StreamClaims) -> CallMode:
        """How the next stream of this call is carried."""
        agent = self.parts.agents.get((claims.tenant_id, claims.agent_id))
        wanted = claims.mode or (agent.mode if agent is not None else "")
        return wanted if is_mode(wanted) else "pipeline"

    def next_mode(self, claims: StreamClaims) -> str:
        """How a call goes on that cannot be carried as it was; empty: not otherwise."""
        agent = self.parts.agents.get((claims.tenant_id, claims.agent_id))
        following = None if agent is None else agent.mode_after(self.mode_of(claims))
        return following or ""

    def _admitted(
        self, claims: StreamClaims, call_sid: str, parameters: Mapping[str, str]
    ) -> _Admitted:
        """What a call with these claims is held with. Raises ``StreamRefusal``."""
        if claims.call_sid != call_sid:
            raise StreamRefusal("the stream token was made for another call")
        key = (claims.tenant_id, claims.agent_id)
        agent = self.parts.agents.get(key)
        if agent is None:
            raise StreamRefusal(f"agent {claims.agent_id!r} does not exist here any more")
        owner = self.registry.owner_of(claims.call_sid)
        if owner is not None and owner.epoch >= claims.epoch:
            raise StreamRefusal("a newer stream has this call")
        if owner is None and self.registry.full:
            raise ReplicaFullRefusal("every place of this replica is taken")
        if owner is None and self.are_descriptors_short():
            raise ReplicaFullRefusal("this replica has no descriptors left for one more call")
        mind = MindClient(
            self.parts.pool,
            claims.actor,
            OpenCall(
                tenant_id=claims.tenant_id,
                agent_id=agent.agent_id,
                agent_version=agent.agent_version,
                call_id=claims.call_id,
                call_sid=claims.call_sid,
                epoch=claims.epoch,
                token_id=claims.token_id,
                caller=parameters.get("from", ""),
                called=parameters.get("to", ""),
                direction=direction_of(parameters),
                started_at_us=self.parts.wall_clock_us(),
                turn_log=owner.driver.turn_log if owner is not None else (),
                variables=variables_of(parameters),
            ),
            actor_timeout_s=self.settings.actor_timeout_s,
            wall_clock_us=self.parts.wall_clock_us,
            on_moved=self.ends.note_move,
            recall=functools.partial(self.recall.memory, claims),
        )
        config = config_for_mode(self._voice[key], agent, self.mode_of(claims))
        return _Admitted(agent, config, self.parts.call_parts[key], mind)

    def _hold(
        self,
        claims: StreamClaims,
        agent: Agent,
        driver: LiveDriver,
        parameters: Mapping[str, str],
    ) -> LiveCall:
        """The driver has the call from now on."""
        mode = self.mode_of(claims)
        self.count("streams_started", 1)
        self.parts.counts.ledger.count(catalog.STREAMS, claims.tenant_id, claims.agent_id, mode)
        key = (claims.tenant_id, claims.agent_id)
        self.parts.call_parts[key].meter.call_began(resume=claims.resume)
        if not claims.resume:
            self.parts.pool.call_begun(claims.call_id)
            self.parts.gate.begun(claims.call_id)
        call = self.registry.begin(claims.call_sid, claims.call_id, claims.epoch, driver, claims)
        how = "taken up again" if claims.resume else direction_of(parameters)
        logger.info("call %s: %s, agent %s, %s", claims.call_id, how, agent.agent_id, mode)
        self.on_call_begun(BegunCall(claims, agent, direction_of(parameters)))
        return call

    # --- counting --------------------------------------------------------------------------------

    def count(self, name: str, amount: float) -> None:
        """Count something that happened in this replica."""
        self.parts.counts(name, amount)

    def _call_ended(self, call: LiveCall, end: CallEnd) -> None:
        how = "calls_ended_planned" if end.planned else "streams_lost"
        # A carrier that closes its session cleanly says elsewhere what became of the call.
        self.count("sessions_closed" if end.reason == SESSION_CLOSED else how, 1)
        logger.info("call %s: %s", call.call_id, end.reason)
        self.ends.note(call, end)
        if self._on_call_end is not None:
            self._on_call_end(call, end)
