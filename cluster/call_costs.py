"""What each call has used, and what that cost: for its record and for the metrics.

Units come turn by turn; a turn told twice (after a move the whole log is told again) counts once.
The metrics are told at the end of a call, and of what comes later only the difference, so that they
agree with the records. Of a call that has moved to another CallActor they are told here of what
belongs to no turn: its turns, and its record, are over there.
"""

from __future__ import annotations

import logging
import re
from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from actors.wire import TurnEntry
from dialogue.agent import Agent
from dialogue.session import CallIdentity
from providers.openai_body import model_of
from providers.realtime.config import model_of as realtime_model_of
from providers.realtime.config import transcriber_of
from providers.settings import ProviderSettings
from providers.speech_models import speech_model
from telemetry import catalog
from telemetry.catalog import Metric
from telemetry.cost import Bill, Services, bill_of, checked_units, item_of, wasted_units
from telemetry.ledger import MetricsLedger, Series
from telemetry.prices import SETTING, PriceTable

logger = logging.getLogger(__name__)

MAX_CLOSED = 500  # calls that are over here, to which something late may still belong
UNITS = (
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "spoken_chars",
    "recognised_s",
    "realtime_text_in",
    "realtime_text_cached",
    "realtime_text_out",
    "realtime_audio_in",
    "realtime_audio_cached",
    "realtime_audio_out",
    "transcribed_s",
    "transcribed_tokens",
    "recording_s",
    "call_s",
    "stream_s",
    "relay_s",
    "conversed_s",
    "detections",
)
# Who was given the time of a call tells how it was carried.
_MODE_OF = (("recognised_s", "pipeline"), ("relay_s", "relay"), ("conversed_s", "realtime"))
_REASON = re.compile(r"[a-z_]{1,40}")


@dataclass(slots=True)
class _Tally:
    """The units of one call so far, and what the metrics were told of it."""

    turns: dict[int, Mapping[str, float]] = field(default_factory=dict)
    other: dict[str, float] = field(default_factory=dict)
    told: dict[Series, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallBill:
    """Units of a whole call, and their cost.

    Attributes:
        wasted: The part for replies that were never spoken.
        mode: How it was carried, with commas when in several ways, in the order of the agent's
            file; empty for not at all.
    """

    usage: Mapping[str, float]
    bill: Bill
    wasted: Bill
    mode: str = ""


class CallCosts:
    """Units and costs of the calls of one CallActor.

    Args:
        ledger: Of this process.
        prices: What units cost.
        agents: By tenant and agent id.
        known: The providers' settings, which name the models.
    """

    def __init__(
        self,
        ledger: MetricsLedger,
        prices: PriceTable,
        agents: Mapping[tuple[str, str], Agent],
        known: ProviderSettings,
    ) -> None:
        self._ledger = ledger
        self._prices = prices
        self._agents = agents
        self._known = known
        self._tallies: dict[str, _Tally] = {}
        self._closed: OrderedDict[str, _Tally] = OrderedDict()
        self._said: set[tuple[str, str]] = set()

    def language(self, call: CallIdentity) -> str:
        """The language of the call's agent; empty if there is no such agent here."""
        agent = self._agents.get((call.tenant_id, call.agent_id))
        return agent.language if agent is not None else ""

    def mode(self, call: CallIdentity) -> str:
        """How a call of this agent begins; empty if there is no such agent here."""
        agent = self._agents.get((call.tenant_id, call.agent_id))
        return agent.mode if agent is not None else ""

    def call_opened(self, call: CallIdentity) -> None:
        """A stream of the call is up; the call may have been given up for lost before."""
        closed = self._closed.pop(call.call_id, None)
        self._tallies.setdefault(call.call_id, closed or _Tally())

    def turn_settled(self, call: CallIdentity, turn: TurnEntry) -> bool:
        """Take the units of a turn; True if the call was closed before: its bill has changed."""
        tally = self._tally(call)
        tally.turns[turn.turn_id] = turn.usage
        return call.call_id in self._closed

    def units_used(self, call: CallIdentity, usage: Mapping[str, float]) -> bool:
        """Take units that belong to no turn; True if the call was closed before."""
        other = self._tally(call).other
        for unit, amount in usage.items():
            other[unit] = other.get(unit, 0) + amount
        return call.call_id in self._closed

    def call_closed(
        self, call: CallIdentity, *, planned: bool, reason: str, duration_s: float
    ) -> CallBill:
        """The call is over: its bill, and what the metrics need to know of it.

        Args:
            call: Whose bill it is.
            planned: False when the stream was lost: it lasted as long as audio came.
            reason: Why it ended.
            duration_s: From its start until now.
        """
        tally = self._tally(call)
        self._put_away(call, tally)
        # Audio comes all the time that a stream is up; a person whom the caller was given to is
        # spoken to without us.
        duration_s = max(duration_s, 0.0)
        sums = _sum_of(tally)
        audio_s = sums.get("recognised_s", 0.0) + sums.get("conversed_s", 0.0)
        streamed_s = min(audio_s, duration_s)
        carried_s = min(streamed_s + sums.get("relay_s", 0.0), duration_s)
        tally.other["call_s"] = round(duration_s if planned else carried_s, 3)
        tally.other["stream_s"] = round(streamed_s, 3)
        agent = self._agents.get((call.tenant_id, call.agent_id))
        if agent is not None and agent.record:
            tally.other["recording_s"] = tally.other["call_s"]
        labels = (call.tenant_id, call.agent_id, self.language(call))
        self._ledger.observe(catalog.CALL_DURATION, tally.other["call_s"], *labels)
        known = _REASON.match(reason)
        self._ledger.count(catalog.CALLS_ENDED, known.group() if known else "other")
        if not planned:
            self._ledger.count(catalog.CALLS_LOST)
        return self.bill(call)

    def call_moved(self, call: CallIdentity) -> None:
        """Another CallActor has the call and bills its turns: the rest is billed here."""
        if (tally := self._tallies.get(call.call_id)) is not None:
            tally.turns.clear()
            self._put_away(call, tally)
            self.bill(call)

    def bill(self, call: CallIdentity) -> CallBill:
        """The bill of a closed call as it stands; tells the metrics what has grown."""
        tally = self._tally(call)
        usage = _sum_of(tally)
        services = self._services(call)
        bill = bill_of(usage, services, self._prices)
        for component, usd in bill.usd.items():
            where = (component, call.tenant_id, call.agent_id)
            self._tell(tally, catalog.COST, where, usd)
        wasted = bill_of(wasted_units(usage), services, self._prices)
        for component, usd in wasted.usd.items():
            where = (component, call.tenant_id, call.agent_id)
            self._tell(tally, catalog.WASTED_COST, where, usd)
        for component, usd in bill_of(checked_units(usage), services, self._prices).usd.items():
            where = (component, call.tenant_id, call.agent_id)
            self._tell(tally, catalog.CHECKED_COST, where, usd)
        # One service may count a unit twice: the agent's own model, and as somebody's stand-in.
        units: defaultdict[tuple[str, str], float] = defaultdict(float)
        for unit, amount in usage.items():
            plain = unit.partition("@")[0]
            if plain in UNITS:
                units[plain, item_of(unit, services)] += amount
        for labels, total in units.items():
            self._tell(tally, catalog.UNITS, labels, total)
        unpriced: defaultdict[tuple[str, str], float] = defaultdict(float)
        for missing in bill.unpriced:
            unpriced[missing.unit, missing.item] += missing.amount
            self._say_once(missing.unit, missing.item)
        for labels, total in unpriced.items():
            self._tell(tally, catalog.UNPRICED, labels, total)
        modes = {mode for unit, mode in _MODE_OF if usage.get(unit, 0.0) > 0}
        return CallBill(usage, bill, wasted, ",".join(self._in_turn(call, modes)))

    def _in_turn(self, call: CallIdentity, modes: set[str]) -> list[str]:
        """In the order in which calls of this agent go on; the others behind."""
        agent = self._agents.get((call.tenant_id, call.agent_id))
        order = (*(agent.modes if agent is not None else ()), *(mode for _, mode in _MODE_OF))
        return sorted(modes, key=order.index)

    def wasted_usd(self, call: CallIdentity, usage: Mapping[str, float]) -> float:
        """What of these units went into replies that were never spoken, in dollars."""
        wasted = wasted_units(usage)
        return bill_of(wasted, self._services(call), self._prices).total_usd if wasted else 0.0

    def _put_away(self, call: CallIdentity, tally: _Tally) -> None:
        self._closed[call.call_id] = self._tallies.pop(call.call_id, tally)
        while len(self._closed) > MAX_CLOSED:
            self._closed.popitem(last=False)

    def _tally(self, call: CallIdentity) -> _Tally:
        known = self._closed.get(call.call_id) or self._tallies.get(call.call_id)
        if known is None:
            known = self._tallies[call.call_id] = _Tally()
        return known

    def _services(self, call: CallIdentity) -> Services:
        agent = self._agents.get((call.tenant_id, call.agent_id))
        if agent is None:
            return Services("", "", "", direction=call.direction)
        return services_of(agent, self._known, direction=call.direction)

    def _tell(self, tally: _Tally, metric: Metric, labels: tuple[str, ...], total: float) -> None:
        series = (metric.name, labels)
        grown = total - tally.told.get(series, 0.0)
        if grown > 0:
            tally.told[series] = total
            self._ledger.count(metric, *labels, by=grown)

    def _say_once(self, unit: str, item: str) -> None:
        if (unit, item) not in self._said:
            self._said.add((unit, item))
            logger.warning("no price for %s of %r: give one in the file of %s", unit, item, SETTING)


def services_of(agent: Agent, known: ProviderSettings, *, direction: str) -> Services:
    """The names under which the price table knows what an agent uses."""
    own = _model(agent.thinker, known)
    has_models = own != agent.thinker  # those without keys have none
    model = (agent.model or own) if has_models else own
    stand_ins = {name: _model(name, known) for name in agent.then_thinkers}
    realtime, speaks_itself = known.openai_realtime, "realtime" in agent.modes
    return Services(
        model,
        speech_model(agent.speaker, known),
        agent.recogniser,
        direction=direction,
        stand_ins=stand_ins,
        realtime_model=realtime_model_of(realtime, agent) if speaks_itself else "",
        transcriber=transcriber_of(realtime) if speaks_itself else "",
    )


def _model(name: str, known: ProviderSettings) -> str:
    """The model that a thinker answers with when an agent names none."""
    config = {
        "openai": known.openai,
        "azure_openai": known.azure_openai,
        "openrouter": known.openrouter,
    }.get(name)
    return model_of(config) if config is not None else name


def _sum_of(tally: _Tally) -> dict[str, float]:
    usage: dict[str, float] = dict(tally.other)
    for units in tally.turns.values():
        for unit, amount in units.items():
            usage[unit] = usage.get(unit, 0) + amount
    return {unit: round(amount, 6) for unit, amount in usage.items()}
