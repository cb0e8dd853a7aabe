"""``POST /twilio/resume``, the ``action`` of ``<Connect>``: a stream has ended, and what now?

Rules
1. After a planned end the call is hung up; after a loss it gets a new stream, at most
   CALLCLUSTER_MAX_RESUMES times.
2. A call that was handed over is neither: the carrier rings somebody, or presses keys and opens a
   new stream. Such streams do not count as losses, ``MAX_HAND_OVERS`` of them are enough.
3. The actor of the token may have lost the call to another one: that one is asked.
4. Asking twice does no harm: the carrier carries out one of the answers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace

from actors.comeback import Comeback
from actors.errors import MindLostError
from actors.wire import CallState
from cluster.call_places import ACTION_CLOCK_OFF_US, Placement
from cluster.call_services import CallServices
from cluster.edge import Edge
from cluster.errors import NoCapacityError
from cluster.form_refused import FormRefused
from cluster.hand_overs import (
    Action,
    after_failed_session,
    note_of,
    told_by_session,
    with_owner,
)
from cluster.stream_parameters import variables_of
from cluster.voice_routes import connect
from dialogue.agent import is_mode
from telephony import twiml
from telephony.callback_forms import FINAL_STATUSES
from telephony.errors import InvalidPhoneNumber, InvalidTwiml, TokenRefused
from telephony.phone_number import check_e164
from telephony.stream_token import StreamClaims

logger = logging.getLogger(__name__)

LOST = "We are sorry, we have lost the connection. Please call again. Goodbye."
DIAL_PATH = "/twilio/dial"
MAX_HAND_OVERS = 20

Form = Mapping[str, str]


class ResumeWebhook:
    """Answers the carrier when a stream has ended.

    Args:
        services: Of this replica's edge.
    """

    def __init__(self, services: CallServices) -> None:
        self._services = services
        self._edge: Edge = services.edge

    async def answer(self, form: Form, token: str) -> str:
        """The TwiML. Raises ``FormRefused`` for a form of another call than the token's."""
        edge = self._edge
        claims = self.claims_of(form, token)
        if claims is None:
            return twiml.hang_up()
        status = form.get("CallStatus", "")
        if status != "in-progress":
            if status in FINAL_STATUSES:
                await edge.ends.carrier_ended(claims, status, _end_of(form))
            return twiml.empty()
        state, current = await asyncio.gather(
            self.state_of(claims), edge.ends.moves.current(claims)
        )
        if current.actor != claims.actor:
            claims, state = current, await self.state_of(current)
        action = await self._wanted(form, claims, state)
        if action is None:
            return twiml.hang_up()
        if not action:
            action = after_failed_session(form, self._edge.next_mode(claims))
        if action:
            owned = with_owner(claims, action)
            if owned.actor != claims.actor:
                state = await self.state_of(owned)
            return await self._hand_over(owned, form, action, state)
        if claims.resume - claims.hand_overs >= edge.settings.max_resumes:
            edge.count("resumes_exhausted", 1)
            return twiml.say_and_hang_up(LOST, "en-US")
        try:
            placement = await edge.places.place_resumed(claims, actor_alive=state is not None)
        except NoCapacityError:
            return await self._elsewhere(form)
        edge.count("streams_resumed", 1)
        return await self._connect(claims, form, placement, state)

    async def _elsewhere(self, form: Form) -> str:
        """A call that came in and has no place here any more: in another region it begins anew."""
        regions = self._services.regions
        if regions is not None and form.get("Direction", "inbound") == "inbound":
            taken = await regions.instead(form)
            if taken is not None:
                return taken
        return twiml.say_and_hang_up(LOST, "en-US")

    async def _wanted(
        self, form: Form, claims: StreamClaims, state: CallState | None
    ) -> Action | None:
        """What is to be done with the call; empty: it was lost; None: its end was planned."""
        told = told_by_session(form)
        if told is not None:
            return told or None
        ends = self._edge.ends
        action = await ends.hand_overs.find(claims, state)
        if action:
            return action
        if await ends.is_planned(claims, state):
            return None
        if state is None or not state.known:  # written while we asked whether it had ended
            return await ends.hand_overs.find(claims, state)
        return {}

    def claims_of(self, form: Form, token: str) -> StreamClaims | None:
        """Of an ``action`` URL; None when it is not ours. Raises ``FormRefused``."""
        try:
            places = self._edge.places
            claims = places.read(token, "action", clock_off_us=ACTION_CLOCK_OFF_US)
        except TokenRefused as error:
            logger.warning("the action of a call was refused: %s", error)
            return None
        if claims.call_sid != form.get("CallSid", ""):
            raise FormRefused(400, "the state in the action URL was made for another call")
        return claims

    async def state_of(self, claims: StreamClaims) -> CallState | None:
        """What the actor of the token knows of the call; None when it is gone."""
        pool = self._edge.parts.pool
        try:
            return await pool.call_state(claims.actor, claims.call_id)
        except MindLostError:
            pool.report_lost(claims.actor)
            return None

    async def go_on(
        self,
        claims: StreamClaims,
        form: Form,
        comeback: Comeback,
        state: CallState | None,
        before: tuple[twiml.Verb, ...] = (),
    ) -> str:
        """A new stream for a call that comes back from the carrier; ``before`` is run first."""
        try:
            note = note_of(comeback)
            is_there = state is not None
            placement = await self._edge.places.place_back(claims, note, actor_alive=is_there)
        except NoCapacityError:
            return twiml.say_and_hang_up(LOST, "en-US")
        return await self._connect(claims, form, placement, state, before)

    async def _hand_over(
        self, claims: StreamClaims, form: Form, action: Action, state: CallState | None
    ) -> str:
        verb, tool = str(action.get("verb", "")), str(action.get("tool", ""))
        self._edge.count(f"calls_handed_over_{verb}", 1)
        if verb == "switch":
            return await self._switch(claims, form, action, state)
        try:
            if verb == "dial":
                return self._dial(claims, form, action, tool)
            keys = twiml.play_digits(str(action.get("digits", "")))
        except InvalidTwiml as error:
            logger.error("call %s: the tool %s cannot be used: %s", claims.call_id, tool, error)
            failed = Comeback(verb, tool, "failed" if verb == "dial" else "")
            return await self.go_on(claims, form, failed, state)
        if claims.hand_overs >= MAX_HAND_OVERS:
            logger.error("call %s: handed over %d times", claims.call_id, claims.hand_overs)
            return twiml.say_and_hang_up(LOST, "en-US")
        return await self.go_on(claims, form, Comeback(verb, tool), state, (keys,))

    async def _switch(
        self, claims: StreamClaims, form: Form, action: Action, state: CallState | None
    ) -> str:
        """A stream of another kind, between two turns; a kind that is not known changes nothing."""
        mode, why = str(action.get("mode", "")), str(action.get("why", ""))
        if claims.hand_overs >= MAX_HAND_OVERS:
            logger.error("call %s: handed over %d times", claims.call_id, claims.hand_overs)
            return twiml.say_and_hang_up(LOST, "en-US")
        if is_mode(mode):
            claims = replace(claims, mode=mode)
        logger.info("call %s: goes on as %s: %s", claims.call_id, mode, why)
        return await self.go_on(claims, form, Comeback("switch", mode, why), state)

    def _dial(self, claims: StreamClaims, form: Form, action: Action, tool: str) -> str:
        edge = self._edge
        timeout_s = action.get("timeout_s")
        token = edge.places.action_token(claims, note_of(Comeback("dial", tool)))
        return twiml.dial(
            [twiml.DialNumber(str(action.get("to", "")))],
            action_url=edge.origin.url(f"{DIAL_PATH}?s={token}"),
            timeout_s=timeout_s if isinstance(timeout_s, int) else 20,
            caller_id=str(action.get("caller_id", "")) or _our_number(form),
            allow_insecure=edge.settings.development,
        )

    async def _connect(
        self,
        claims: StreamClaims,
        form: Form,
        placement: Placement,
        state: CallState | None,
        before: tuple[twiml.Verb, ...] = (),
    ) -> str:
        has_mind = state is not None and state.known
        parameters = await self._services.parameters_again(
            placement, form, claims.tenant_id, has_mind=has_mind
        )
        if not has_mind:
            await self._edge.recall.remind(claims, placement.actor, variables_of(parameters))
        return connect(self._edge, placement, parameters, before)


def _end_of(form: Form) -> str:
    """Why a call is over, where a relay session says it; empty where nobody does."""
    return "caller_hung_up" if form.get("SessionStatus") == "completed" else ""


def _our_number(form: Form) -> str | None:
    """Our number in this call; None if it is none that a phone can show."""
    is_outbound = form.get("Direction", "inbound").startswith("outbound")
    try:
        return check_e164(form.get("From" if is_outbound else "To", ""), "caller_id")
    except InvalidPhoneNumber:
        return None
