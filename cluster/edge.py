"""The state of one ingress replica, and what its routes ask of it.

The replica that answers the webhook is rarely the one that gets the socket: everything the socket
needs to know travels in the signed, one-time stream token. Nothing here waits for a shared actor.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from actors.call_driver import CallDriver, CallEnd, CallParts
from actors.errors import MindLostError, NoSlotError
from actors.metrics_counts import EventCounts
from actors.metrics_reporter import ClusterView
from actors.mind_calls import INGRESS_VANISHED
from actors.mind_client import MindClient
from actors.mind_pool import EdgePool
from actors.wire import CallState, CloseCall, OpenCall
from cluster import admission
from cluster.call_registry import CallRegistry, LiveCall
from cluster.errors import NoCapacityError
from cluster.hand_overs import HandOvers, StoredHandOver, comeback_of, nothing_stored
from cluster.settings import Settings
from cluster.stream_parameters import direction_of, variables_of
from cluster.voice_config import voice_configs
from dialogue.agent import Agent
from records.errors import RecordsError
from telemetry import catalog
from telephony import stream_token
from telephony.media_stream import MediaStream
from telephony.origin import PublicOrigin
from telephony.signature import HEADER, SignatureCheck, SigningKey
from telephony.stream_events import StreamStarted
from telephony.stream_token import StreamClaims, TokenKind

logger = logging.getLogger(__name__)

AgentKey = tuple[str, str]
"""(``tenant_id``, ``agent_id``)."""

STREAM_TOKEN_LIFE_US = 60_000_000
ACTION_TOKEN_LIFE_US = 5 * 3_600 * 1_000_000
RECORD_LAG_S = 0.4
PLANNED_ENDS_KEPT = 10_000


class StreamRefusal(Exception):
    """This socket does not become a call; the message says why."""

    close_code = 1008


class ReplicaFullRefusal(StreamRefusal):
    """Every place of this replica is taken: the carrier shall ask ``action`` for another one."""

    close_code = 1013


@dataclass(frozen=True, slots=True)
class EdgeParts:
    """What the composition root builds for a replica.

    Attributes:
        agents: By tenant and agent id.
        call_parts: Likewise.
        counts: Counts by name, for ``/readyz`` and the metrics.
        cluster_view: The newest view of the whole cluster's measurements; None before the first.
        planned_end: Whether the record says that the call with this ``CallSid`` ended as planned.
        handed_over: What the record says that the carrier does with a call since the end of its
            stream; see ``hand_overs.StoredHandOver``.
    """

    agents: Mapping[AgentKey, Agent]
    call_parts: Mapping[AgentKey, CallParts]
    pool: EdgePool
    wall_clock_us: Callable[[], int]
    counts: EventCounts
    cluster_view: Callable[[], ClusterView | None]
    planned_end: Callable[[str], Awaitable[bool]]
    handed_over: StoredHandOver = nothing_stored

    @property
    def counters(self) -> Counter[str]:
        """What was counted in this replica since its start, by name."""
        return self.counts.by_name


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a call will live, and the tokens that say so."""

    call_id: str
    actor: str
    stream_token: str
    action_token: str


@dataclass(frozen=True, slots=True)
class BegunCall:
    """A stream has become a call of this replica."""

    claims: StreamClaims
    agent: Agent
    direction: str


class Edge:
    """One ingress replica.

    Args:
        settings: Of this deployment.
        parts: Built by the composition root.
        on_call_end: Told of every call that ended here.

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
        self.hand_overs = HandOvers(parts.handed_over)
        self._planned_ends: OrderedDict[str, None] = OrderedDict()  # call ids, oldest first
        self.draining = False
        self.not_ready: list[str] = ["starting"]
        self._secret = settings.signing_secret()
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

    # --- admission and placement -----------------------------------------------------------------

    def refusal(self) -> str:
        """Why a new call cannot come in now; empty when it can."""
        stock = self.parts.pool.stock
        return admission.refusal(
            admission.Capacity(
                ready=not self.not_ready,
                draining=self.draining,
                cluster_active=stock.cluster_active,
                cluster_capacity=stock.cluster_capacity,
                free_slots=stock.free,
                directory_away=stock.away,
            )
        )

    async def wait_for_slot(self) -> None:
        """Give a new call that could come in, but for a slot, the time to get one."""
        if not self.draining and not self.not_ready:
            await self.parts.pool.wait_for_slot()

    def place_call(self, call_sid: str, agent: Agent, call_id: str) -> Placement:
        """Reserve a slot for a new call. Raises ``NoCapacityError``."""
        try:
            actor = self.parts.pool.place(call_id)
        except NoSlotError as error:
            raise NoCapacityError(str(error)) from None
        key = (agent.tenant_id, agent.agent_id)
        return self.tokens(call_sid, call_id, key, actor, resume=0)

    def place_resumed(self, claims: StreamClaims, *, actor_alive: bool) -> Placement:
        """A place for a call whose stream was lost: its own actor, or another one.

        Raises:
            NoCapacityError: The actor is gone and there is no other.
        """
        placement = self._place_again(claims, claims.hand_overs, "", actor_alive=actor_alive)
        lost = "stream" if actor_alive else "stream_and_actor"
        self.parts.counts.ledger.count(catalog.CALLS_RESUMED, lost)
        return placement

    def place_back(self, claims: StreamClaims, after: str, *, actor_alive: bool) -> Placement:
        """A place for a call that comes back from the carrier; ``after`` is what it did with it.

        Raises:
            NoCapacityError: The actor is gone and there is no other.
        """
        return self._place_again(claims, claims.hand_overs + 1, after, actor_alive=actor_alive)

    def _place_again(
        self, claims: StreamClaims, hand_overs: int, after: str, *, actor_alive: bool
    ) -> Placement:
        actor = claims.actor
        if not actor_alive:
            try:
                actor = self.parts.pool.place(claims.call_id, avoid=claims.actor)
            except NoSlotError as error:
                raise NoCapacityError(str(error)) from None
        return self.tokens(
            claims.call_sid,
            claims.call_id,
            (claims.tenant_id, claims.agent_id),
            actor,
            resume=claims.resume + 1,
            hand_overs=hand_overs,
            after=after,
        )

    def tokens(
        self,
        call_sid: str,
        call_id: str,
        agent: AgentKey,
        actor: str,
        *,
        resume: int,
        hand_overs: int = 0,
        after: str = "",
    ) -> Placement:
        """Mint the stream's one-time token and the state of the ``action`` URL."""
        now_us = self.parts.wall_clock_us()
        claims = StreamClaims(
            kind="stream",
            tenant_id=agent[0],
            agent_id=agent[1],
            call_id=call_id,
            call_sid=call_sid,
            actor=actor,
            resume=resume,
            minted_us=now_us,
            expires_us=now_us + STREAM_TOKEN_LIFE_US,
            token_id=stream_token.new_token_id(),
            hand_overs=hand_overs,
            after=after,
        )
        stream = stream_token.mint(claims, self._secret)
        return Placement(call_id, actor, stream, self.action_token(claims, ""))

    def action_token(self, claims: StreamClaims, after: str) -> str:
        """The state of an ``action`` URL; ``after`` is what the carrier does until it asks it."""
        action = replace(
            claims,
            kind="action",
            expires_us=self.parts.wall_clock_us() + ACTION_TOKEN_LIFE_US,
            token_id=stream_token.new_token_id(),
            after=after,
        )
        return stream_token.mint(action, self._secret)

    def read_token(self, token: str, kind: TokenKind) -> StreamClaims:
        """Check one of our own tokens. Raises ``telephony.errors.TokenRefused``."""
        return stream_token.verify(
            token, (self._secret,), kind=kind, now_us=self.parts.wall_clock_us()
        )

    async def ended_as_planned(self, claims: StreamClaims, state: CallState | None) -> bool:
        """Whether somebody chose to end this call: then there is nothing to resume.

        The call may have moved away from the actor of its token: what this replica saw counts
        first, then what that actor knows, then the store. An end is written behind the call's
        back: where the actor knows nothing, a first no of the store is asked again.

        Args:
            claims: Of the ``action`` URL.
            state: What the actor of the token knows; None when it is gone.
        """
        if claims.call_id in self._planned_ends or (state is not None and state.planned_end):
            return True
        if state is not None and state.reason not in {"", INGRESS_VANISHED}:
            return False  # it had the call to the last, and the stream was lost
        is_known = state is not None and state.known
        for wait_s in (0.0,) if is_known else (0.0, RECORD_LAG_S):
            await asyncio.sleep(wait_s)
            try:
                if await self.parts.planned_end(claims.call_sid):
                    return True
            except RecordsError as error:
                logger.warning("call %s: no word from the store: %s", claims.call_id, error)
                return False
        return False

    async def carrier_ended(self, claims: StreamClaims, state: str) -> None:
        """The carrier says that the call is over; its ``stop`` may never have reached us.

        Serve throws away what was not yet read of a closed socket. Without this the actor would
        hold the call's seat for a stream that never comes.
        """
        call = self.registry.owner_of(claims.call_sid)
        if call is not None:
            call.driver.carrier_ended(state)
            return
        await self.close_at_actor(claims, f"carrier_{state}")

    async def close_at_actor(self, claims: StreamClaims, reason: str) -> None:
        """A call without a stream is over as planned: tell its actor, if that is there."""
        self._note_planned_end(claims.call_id)
        end = CloseCall(claims.tenant_id, claims.call_id, claims.epoch, True, reason)
        try:
            async with asyncio.timeout(self.settings.actor_timeout_s):
                await self.parts.pool.close_call(claims.actor, end)
        except (MindLostError, TimeoutError):
            logger.info("call %s: its actor was not told of the end", claims.call_id)

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
        claims = self.read_token(started.custom_parameters.get("token", ""), "stream")
        if claims.call_sid != started.call_sid:
            raise StreamRefusal("the stream token was made for another call")
        key = (claims.tenant_id, claims.agent_id)
        agent = self.parts.agents.get(key)
        if agent is None:
            raise StreamRefusal(f"agent {claims.agent_id!r} does not exist here any more")
        epoch = claims.epoch
        owner = self.registry.owner_of(claims.call_sid)
        if owner is not None and owner.epoch >= epoch:
            raise StreamRefusal("a newer stream has this call")
        if owner is None and self.registry.full:
            raise ReplicaFullRefusal("every place of this replica is taken")
        parts = self.parts.call_parts[key]
        parameters = started.custom_parameters
        mind = MindClient(
            self.parts.pool,
            claims.actor,
            OpenCall(
                tenant_id=claims.tenant_id,
                agent_id=agent.agent_id,
                agent_version=agent.agent_version,
                call_id=claims.call_id,
                call_sid=claims.call_sid,
                epoch=epoch,
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
        )
        comeback = comeback_of(claims.after)
        driver = CallDriver(agent, self._voice[key], parts, mind, stream, send, comeback)
        self.count("streams_started", 1)
        parts.meter.call_began(resume=claims.resume)
        if not claims.resume:
            self.parts.pool.call_begun(claims.call_id)
        call = self.registry.begin(claims.call_sid, claims.call_id, epoch, driver)
        self.on_call_begun(BegunCall(claims, agent, direction_of(parameters)))
        return call

    # --- counting --------------------------------------------------------------------------------

    def count(self, name: str, amount: float) -> None:
        """Count something that happened in this replica."""
        self.parts.counts(name, amount)

    def _call_ended(self, call: LiveCall, end: CallEnd) -> None:
        self.count("calls_ended_planned" if end.planned else "streams_lost", 1)
        logger.info("call %s: %s", call.call_id, end.reason)
        if end.hand_over:
            self.hand_overs.note(call.call_id, call.epoch[0], end.hand_over)
        elif end.planned:
            self._note_planned_end(call.call_id)
        if self._on_call_end is not None:
            self._on_call_end(call, end)

    def _note_planned_end(self, call_id: str) -> None:
        self._planned_ends[call_id] = None
        if len(self._planned_ends) > PLANNED_ENDS_KEPT:
            self._planned_ends.popitem(last=False)
