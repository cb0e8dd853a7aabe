"""``POST /twilio/dial``, the ``action`` of ``<Dial>``: what became of a transfer.

Somebody took the call: it is over for us. Nobody did: the caller gets a new stream, hears so, and
the conversation goes on. The carrier may ask twice; the newest stream has the call.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from actors.comeback import Comeback
from actors.mind_calls import TRANSFERRED
from cluster.edge import Edge
from cluster.form_refused import FormRefused
from cluster.hand_overs import comeback_of
from cluster.resume_routes import MAX_HAND_OVERS, ResumeWebhook
from telephony import twiml
from telephony.callback_forms import read_dial_result
from telephony.errors import MalformedMessage

logger = logging.getLogger(__name__)

NOBODY = "We are sorry, nobody can take your call. Please call again later. Goodbye."


class DialWebhook:
    """Answers the carrier when a transfer is over.

    Args:
        edge: Of this replica.
        resume: Opens streams again.
    """

    def __init__(self, edge: Edge, resume: ResumeWebhook) -> None:
        self._edge = edge
        self._resume = resume

    async def answer(self, form: Mapping[str, str], token: str) -> str:
        """The TwiML. Raises ``FormRefused`` for a form that cannot be read."""
        edge = self._edge
        claims = self._resume.claims_of(form, token)
        if claims is None:
            return twiml.hang_up()
        asked = comeback_of(claims.after)
        if asked is None or asked.verb != "dial":
            raise FormRefused(400, "the state in the action URL is not of a transfer")
        try:
            result = read_dial_result(form)
        except MalformedMessage as error:
            raise FormRefused(400, error.message) from None
        if result.is_answered or not result.caller_is_there:
            edge.count("transfers_answered" if result.is_answered else "transfers_left", 1)
            reason = TRANSFERRED if result.is_answered else "caller_hung_up"
            await edge.ends.close(claims, reason)
            return twiml.hang_up() if result.caller_is_there else twiml.empty()
        edge.count("transfers_unanswered", 1)
        state = await self._resume.state_of(claims)
        if await edge.ends.is_planned(claims, state):
            return twiml.hang_up()
        if claims.hand_overs >= MAX_HAND_OVERS:
            logger.warning("call %s: handed over %d times", claims.call_id, claims.hand_overs)
            await edge.ends.close(claims, "transfers_exhausted")
            return twiml.say_and_hang_up(NOBODY, "en-US")
        comeback = Comeback("dial", asked.tool, result.dial_status)
        return await self._resume.go_on(claims, form, comeback, state)
