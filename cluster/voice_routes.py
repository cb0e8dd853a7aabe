"""``POST /twilio/voice``: who answers this call, and may it come in?

Rules
1. The called number decides, by the local copy of the table of numbers; nothing is asked there. An
   unknown number goes to the default agent or is told politely that it is not in service
   (CALLCLUSTER_UNKNOWN_NUMBERS). The URL of a call that we placed names its agent itself.
2. A webhook that is repeated gets the answer that it got: within ``ANSWER_LIFE_S`` on this replica
   the very same words. On another one it gets another token, but the id of the call is derived from
   its ``CallSid`` (or stands in the URL), so that the cluster counts it as the same call.
3. The database is asked in one case only: a call that we placed with variables. It waits
   ``VARIABLES_WITHIN_S`` at most; without them the agent would say the wrong words, so the call
   ends politely.
4. With several regions, a call that comes in is offered to those its caller is nearer to first, and
   one that cannot come in here to the others, before it is refused (``other_regions``).
5. A number or an account that brings more calls a second than it may gets the busy tone for those
   beyond (``call_rates``), from every region that is asked.
6. A tenant that has as many calls in progress as it may gets no further one that comes in. Somebody
   whom we have called is not sent away, but counts.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from cluster.call_places import RESUME_PATH, Placement
from cluster.call_rates import CallRates
from cluster.call_urls import CallUrls, inbound_call_id
from cluster.edge import Edge
from cluster.errors import NoCapacityError
from cluster.number_routes import NumberRoutes
from cluster.other_regions import OtherRegions
from cluster.stream_parameters import INBOUND, OUTBOUND, stream_parameters
from dialogue.agent import Agent
from dialogue.languages import language_of
from records.errors import RecordsError
from telephony import twiml
from telephony.call_token import CallClaims
from telephony.errors import TokenRefused
from telephony.relay_twiml import connect_relay
from telephony.say_languages import say_language

logger = logging.getLogger(__name__)

BUSY = "All our lines are busy at the moment. Please call again in a few minutes. Goodbye."
NOT_IN_SERVICE = "The number you have called is not in service. Goodbye."
TROUBLE = "We are sorry, something went wrong on our side. Goodbye."
MEDIA_PATH = "/twilio/media"
RELAY_PATH = "/twilio/relay"
ANSWER_LIFE_S = 30.0
ANSWERS_KEPT = 10_000
VARIABLES_WITHIN_S = 3.0

# The carrier asks again when nobody takes the connection, or no answer comes: a replica that hangs
# may have been asked, and the next one answers. Asking twice does no harm (``resume_routes``).
ASK_AGAIN = "#rc=5&rp=ct,rt,5xx&ct=1000&rt=2500&tt=14000"

Variables = Mapping[str, str]
ReadVariables = Callable[[str, str], Awaitable[Variables]]
Question = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class VoiceAnswer:
    """What the carrier is told.

    Attributes:
        twiml: The document.
        is_refused: It sends the caller away: another region may do better.
    """

    twiml: str
    is_refused: bool = False


class VoiceWebhook:
    """Answers new calls.

    Args:
        edge: Admits and places them.
        routes: The copy of the table of numbers.
        urls: Reads the tokens of calls that we placed.
        read_variables: Those of ``(tenant id, call id)``. Raises ``RecordsError``.
        on_answered: Told of a call that we placed when it asks what to do.
        regions: The other regions; None when there is only this one.
    """

    def __init__(
        self,
        edge: Edge,
        routes: NumberRoutes,
        urls: CallUrls,
        read_variables: ReadVariables,
        on_answered: Callable[[CallClaims, str], None],
        regions: OtherRegions | None = None,
    ) -> None:
        self._edge = edge
        self._routes = routes
        self._urls = urls
        self._read_variables = read_variables
        self._on_answered = on_answered
        self._regions = regions
        settings = edge.settings
        self._rates = CallRates(settings.calls_per_number_s, settings.calls_per_account_s)
        # By what was asked, oldest first: when that was, and the answer in the making or made.
        self._answers: OrderedDict[Question, tuple[float, asyncio.Task[VoiceAnswer]]]
        self._answers = OrderedDict()

    async def answer(
        self, call_sid: str, form: Mapping[str, str], token: str, via: str = ""
    ) -> VoiceAnswer:
        """The answer to a new call; to a repeated webhook that to the first.

        Args:
            call_sid: The carrier's id.
            form: Of the webhook.
            token: Of the URL of a call that we placed; empty for one that comes in.
            via: The region that passes the call on; empty when the carrier asks.
        """
        loop = asyncio.get_running_loop()
        self._forget(loop.time())
        # The carrier asks anew, with the URL that failed, when an answer has led nowhere.
        question = (call_sid, via, form.get("ErrorUrl", ""))
        known = self._answers.get(question)
        if known is not None:
            self._edge.count("webhooks_repeated", 1)
            return await asyncio.shield(known[1])
        task = loop.create_task(self._answer(call_sid, form, token, via))
        self._answers[question] = (loop.time(), task)
        task.add_done_callback(lambda done: self._answered(question, done))
        return await asyncio.shield(task)

    def _answered(self, question: Question, task: asyncio.Task[VoiceAnswer]) -> None:
        """A failure is not kept, though whoever asked first may have gone."""
        has_failed = task.cancelled() or task.exception() is not None
        if has_failed and self._answers.get(question, (0.0, None))[1] is task:
            del self._answers[question]

    def _forget(self, now: float) -> None:
        answers = self._answers
        while answers and (
            len(answers) >= ANSWERS_KEPT or next(iter(answers.values()))[0] < now - ANSWER_LIFE_S
        ):
            answers.popitem(last=False)

    async def _answer(
        self, call_sid: str, form: Mapping[str, str], token: str, via: str
    ) -> VoiceAnswer:
        if token:
            return await self._answer_outbound(call_sid, form, token)
        rate = self._over_rate(form)
        if rate:
            self._edge.count(f"calls_refused_{rate}", 1)
            return VoiceAnswer(twiml.reject_busy(), is_refused=True)
        regions = self._regions if not via else None
        agent = self.agent_for(form.get("To", ""))
        if agent is None:
            self._edge.count("calls_refused_unknown_number", 1)
            return VoiceAnswer(twiml.say_and_hang_up(NOT_IN_SERVICE, "en-US"), is_refused=True)
        if regions is not None and (taken := await regions.nearer(form)) is not None:
            return VoiceAnswer(taken)
        call_id = inbound_call_id(call_sid)
        answer = await self._admit(call_sid, call_id, agent, form, INBOUND, {})
        if answer.is_refused and regions is not None:
            taken = await regions.instead(form)
            return VoiceAnswer(taken) if taken is not None else answer
        return answer

    def _over_rate(self, form: Mapping[str, str]) -> str:
        now = asyncio.get_running_loop().time()
        return self._rates.refusal(form.get("To", ""), form.get("AccountSid", ""), now=now)

    def agent_for(self, number: str) -> Agent | None:
        """Who answers this number of ours; None when it is not in service."""
        edge = self._edge
        row = self._routes.of(number)
        if row is not None:
            agent = edge.parts.agents.get((row.tenant_id, row.agent_id))
            if agent is None:
                logger.error(
                    "a number is routed to agent %s of tenant %s, who does not exist here",
                    row.agent_id,
                    row.tenant_id,
                )
            return agent
        settings = edge.settings
        if settings.unknown_numbers == "refuse" and number != settings.twilio_phone_number:
            return None
        return edge.parts.agents.get((settings.tenant_id, settings.default_agent))

    async def _answer_outbound(
        self, call_sid: str, form: Mapping[str, str], token: str
    ) -> VoiceAnswer:
        edge = self._edge
        try:
            claims = self._urls.read(token)
        except TokenRefused as error:
            edge.count("call_tokens_refused", 1)
            logger.warning("the voice webhook of a placed call was refused: %s", error)
            return VoiceAnswer(twiml.hang_up())
        self._on_answered(claims, call_sid)
        agent = edge.parts.agents.get((claims.tenant_id, claims.agent_id))
        if agent is None:
            logger.error("call %s: agent %s does not exist here", claims.call_id, claims.agent_id)
            return VoiceAnswer(twiml.say_and_hang_up(TROUBLE, "en-US"))
        try:
            variables = await self.variables(claims)
        except (RecordsError, TimeoutError) as error:
            edge.count("calls_without_variables", 1)
            logger.error(
                "call %s: its variables cannot be read: %s",
                claims.call_id,
                str(error) or "no answer",
            )
            return VoiceAnswer(twiml.say_and_hang_up(TROUBLE, "en-US"))
        return await self._admit(call_sid, claims.call_id, agent, form, OUTBOUND, variables)

    async def variables(self, claims: CallClaims) -> Variables:
        """The variables of a call that we placed. Raises ``RecordsError``, ``TimeoutError``."""
        if not claims.has_variables:
            return {}
        async with asyncio.timeout(VARIABLES_WITHIN_S):
            return await self._read_variables(claims.tenant_id, claims.call_id)

    async def _admit(
        self,
        call_sid: str,
        call_id: str,
        agent: Agent,
        form: Mapping[str, str],
        direction: str,
        variables: Variables,
    ) -> VoiceAnswer:
        edge = self._edge
        await edge.wait_for_slot(agent.tenant_id)
        refusal = edge.refusal()
        if not refusal:
            full = edge.tenant_refusal(agent.tenant_id, call_id)
            refusal = full if direction == INBOUND else ""
        if not refusal and direction == INBOUND:  # somebody whom we have called is not sent away
            refusal = await edge.provider_refusal(agent, call_id)
        if not refusal:
            try:
                is_limited = edge.tenant_limits.of(agent.tenant_id) is not None
                placement = edge.places.place(call_sid, agent, call_id, is_limited=is_limited)
            except NoCapacityError:
                refusal = "actors_full"
            else:
                edge.count("calls_admitted", 1)
                parameters = stream_parameters(
                    placement.stream_token, form, direction=direction, variables=variables
                )
                return VoiceAnswer(connect(edge, placement, parameters))
        edge.parts.pool.stock.tenants.drop(call_id)
        edge.count(f"calls_refused_{refusal}", 1)
        logger.warning("a call was refused politely: %s", refusal)
        return VoiceAnswer(say_busy(agent), is_refused=True)


def say_busy(agent: Agent) -> str:
    """The polite refusal, in the agent's language where the carrier's voice speaks it."""
    row, code = language_of(agent.language), say_language(agent.language)
    if row is None or not code:
        return twiml.say_and_hang_up(BUSY, "en-US")
    return twiml.say_and_hang_up(row.busy, code)


def connect(
    edge: Edge,
    placement: Placement,
    parameters: Mapping[str, str],
    before: Sequence[twiml.Verb] = (),
) -> str:
    """The TwiML that opens a stream to this placement; ``before`` is run first."""
    action_url = edge.origin.url(f"{RESUME_PATH}?s={placement.action_token}{ASK_AGAIN}")
    agent = edge.parts.agents.get(placement.agent)
    if agent is not None and (placement.mode or agent.mode) == "relay":
        again = agent.relay.application_reconnect
        path = f"{RELAY_PATH}/{placement.action_token}" if again else RELAY_PATH
        return connect_relay(
            relay_url=edge.origin.stream_url(path),
            action_url=action_url,
            language=agent.language,
            options=agent.relay,
            parameters=parameters,
            before=before,
            allow_insecure=edge.settings.development,
        )
    return twiml.connect_stream(
        stream_url=edge.origin.stream_url(MEDIA_PATH),
        action_url=action_url,
        parameters=parameters,
        before=before,
        allow_insecure=edge.settings.development,
    )
