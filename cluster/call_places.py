"""Where a call will live, and the signed tokens that say so.

The replica that answers a webhook is rarely the one that gets the socket: all that the socket, and
the webhook after it, need to know travels in these tokens.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from time import monotonic

from actors.errors import NoSlotError
from actors.mind_pool import place_elsewhere
from cluster.edge_parts import AgentKey, EdgeParts
from cluster.errors import NoCapacityError
from cluster.logs import SeldomLine
from dialogue.agent import Agent
from telemetry import catalog
from telephony import stream_token
from telephony.stream_token import StreamClaims, TokenKind

logger = logging.getLogger(__name__)

SKEW_S = 2.0
STREAM_TOKEN_LIFE_US = 60_000_000
ACTION_TOKEN_LIFE_US = 5 * 3_600 * 1_000_000
# No call lasts as long as its action token: who has one that expired and a call that goes on has a
# clock that is wrong, and to refuse would be to hang up. Not for ever: a webhook may be replayed.
ACTION_CLOCK_OFF_US = 24 * 3_600 * 1_000_000
RESUME_PATH = "/twilio/resume"
_WRONG_CLOCK = (
    "the clock of this node, or of the one that made it, is wrong. Run chrony or systemd-timesyncd "
    "on every node; from a minute on, calls are lost."
)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a call will live, and the tokens that say so.

    Attributes:
        agent: Of the call.
        mode: How its next stream is carried; empty: as its agent says.
    """

    call_id: str
    actor: str
    stream_token: str
    action_token: str
    agent: AgentKey = ("", "")
    mode: str = ""


class CallPlaces:
    """Places calls from the slots of one replica.

    Args:
        parts: Of the replica.
        secret: Signs the tokens; the same in the whole cluster.
    """

    def __init__(self, parts: EdgeParts, secret: bytes) -> None:
        self._parts = parts
        self._secret = secret
        self._say_skew = SeldomLine(logger.warning, monotonic)

    def place(
        self, call_sid: str, agent: Agent, call_id: str, *, is_limited: bool = False
    ) -> Placement:
        """Reserve a slot for a new call. Raises ``NoCapacityError``.

        ``is_limited``: its tenant has a limit, so that the call is counted for it.
        """
        try:
            tenant = agent.tenant_id if is_limited else ""
            actor = self._parts.pool.place(call_id, tenant=tenant)
        except NoSlotError as error:
            raise NoCapacityError(str(error)) from None
        key = (agent.tenant_id, agent.agent_id)
        return self._minted(StreamClaims("stream", *key, call_id, call_sid, actor, 0, 0, 0, ""))

    async def place_resumed(self, claims: StreamClaims, *, actor_alive: bool) -> Placement:
        """A place for a call whose stream was lost: its own actor, or another one.

        Raises:
            NoCapacityError: The actor is gone, and no other one had a slot soon.
        """
        placement = await self._place_again(claims, claims.hand_overs, "", actor_alive=actor_alive)
        lost = "stream" if actor_alive else "stream_and_actor"
        self._parts.counts.ledger.count(catalog.CALLS_RESUMED, lost)
        return placement

    async def place_back(self, claims: StreamClaims, after: str, *, actor_alive: bool) -> Placement:
        """A place for a call that comes back from the carrier; ``after`` is what it did with it.

        Raises:
            NoCapacityError: The actor is gone, and no other one had a slot soon.
        """
        again = claims.hand_overs + 1
        return await self._place_again(claims, again, after, actor_alive=actor_alive)

    async def _place_again(
        self, claims: StreamClaims, hand_overs: int, after: str, *, actor_alive: bool
    ) -> Placement:
        actor = claims.actor
        if not actor_alive:
            try:
                pool = self._parts.pool
                actor = await place_elsewhere(pool, claims.call_id, avoid=claims.actor)
            except NoSlotError as error:
                raise NoCapacityError(str(error)) from None
        again = replace(claims, kind="stream", actor=actor, resume=claims.resume + 1)
        return self._minted(replace(again, hand_overs=hand_overs, after=after))

    def _minted(self, claims: StreamClaims) -> Placement:
        """Mint the stream's one-time token and the state of the ``action`` URL."""
        now_us = self._parts.wall_clock_us()
        claims = replace(
            claims,
            minted_us=now_us,
            expires_us=now_us + STREAM_TOKEN_LIFE_US,
            token_id=stream_token.new_token_id(),
        )
        return Placement(
            claims.call_id,
            claims.actor,
            stream_token.mint(claims, self._secret),
            self.action_token(claims, ""),
            (claims.tenant_id, claims.agent_id),
            claims.mode,
        )

    def action_token(self, claims: StreamClaims, after: str) -> str:
        """The state of an ``action`` URL; ``after`` is what the carrier does until it asks it."""
        return mint_action(claims, self._secret, self._parts.wall_clock_us(), after)

    def read(self, token: str, kind: TokenKind, *, clock_off_us: int = 0) -> StreamClaims:
        """Check one of our own tokens. Raises ``telephony.errors.TokenRefused``.

        ``clock_off_us``: by so much a clock may be wrong: a token that has expired since is taken,
        and it is said.
        """
        now_us, secrets = self._parts.wall_clock_us(), (self._secret,)
        claims = stream_token.verify(token, secrets, kind=kind, now_us=now_us - clock_off_us)
        if now_us >= claims.expires_us:
            late_s = (now_us - claims.expires_us) / 1e6
            self._parts.counts("tokens_of_the_past", 1)
            self._say_skew(f"a token expired {late_s:.0f} s ago: {_WRONG_CLOCK}")
        early_s = (claims.minted_us - now_us) / 1e6
        if early_s > SKEW_S:  # who is behind the others sees it; calls go on up to a token's life
            self._parts.counts("tokens_from_the_future", 1)
            self._say_skew(f"a token was made {early_s:.0f} s in the future: {_WRONG_CLOCK}")
        return claims


def mint_action(claims: StreamClaims, secret: bytes, now_us: int, after: str) -> str:
    """The state of the ``action`` URL of a call; see ``CallPlaces.action_token``."""
    action = replace(
        claims,
        kind="action",
        expires_us=now_us + ACTION_TOKEN_LIFE_US,
        token_id=stream_token.new_token_id(),
        after=after,
    )
    return stream_token.mint(action, secret)
