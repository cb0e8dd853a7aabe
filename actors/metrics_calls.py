"""What the calls of an ingress replica measure, turn by turn.

Nothing here runs for a frame: a call is asked for its sums when a turn is settled and when it ends,
and what a turn has measured is observed after its audio has left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from actors.metrics_trace import trace_of
from actors.reply_units import GUESSED, WASTED
from actors.wire import TurnEntry
from dialogue.agent import Agent
from dialogue.tool_use import status_of
from telemetry import catalog
from telemetry.ledger import MetricsLedger
from telemetry.traces import TraceQueue
from voice import events as voice
from voice import timeline
from voice.ports import FRAME_SAMPLES, SAMPLE_RATE_HZ
from voice.reasons import ended_by
from voice.waste import SpeculationBudget

TurnStep = voice.BeginTurn | voice.CommitTurn | voice.RetractTurn | voice.AbandonTurn
BARGE_INS = frozenset({"barge-in", "key pressed"})  # reasons of an interrupted turn


class AgentMeter:
    """Measures for the calls of one agent in one process.

    Args:
        ledger: Of this process.
        agent: Whose calls they are.
        traces: Takes the trace of every turn; None makes none.
    """

    def __init__(
        self, ledger: MetricsLedger, agent: Agent, traces: TraceQueue | None = None
    ) -> None:
        self.ledger = ledger
        self.traces = traces
        self.labels = (agent.tenant_id, agent.agent_id, agent.language)
        self.language = agent.language
        self.recogniser = agent.recogniser
        self.thinker = agent.thinker

    def call_began(self, *, resume: int) -> None:
        """A stream has become a call; ``resume`` is 0 for its first one."""
        if resume == 0:
            self.ledger.count(catalog.CALLS, *self.labels)


@dataclass(frozen=True, slots=True)
class CallSums:
    """What a call has summed up since it began.

    Attributes:
        heard_samples: Caller audio that was given to the recogniser.
        sent_samples: Audio that was sent to the carrier.
        underruns: Times the ear ran dry inside a reply.
        replacements: Times the call was moved to another CallActor.
    """

    heard_samples: int = 0
    sent_samples: int = 0
    underruns: int = 0
    replacements: int = 0


class CallMeter:
    """Measures one call on one stream.

    Args:
        meter: Of the call's agent.
        call_id: For traces only.
        budget: Of the call's guesses; None measures none.
        is_relayed: The carrier hears and speaks: nobody here knows when the caller's speech ended.
    """

    def __init__(
        self,
        meter: AgentMeter,
        call_id: str,
        budget: SpeculationBudget | None = None,
        *,
        is_relayed: bool = False,
    ) -> None:
        self._is_relayed = is_relayed
        self._meter = meter
        self._budget = budget
        self._call_id = call_id
        self._ledger = meter.ledger
        self._guesses: set[tuple[int, int]] = set()
        self._taken: tuple[int, int] | None = None
        self._sums = CallSums()

    def follow(self, step: TurnStep) -> None:
        """A reply is asked for, taken, taken back or given up."""
        match step:
            case voice.BeginTurn():
                self.begun(step)
            case voice.CommitTurn():
                self.committed(step)
            case voice.RetractTurn():
                self.retracted(step)
            case voice.AbandonTurn():
                self.abandoned(step)
            case _:
                assert_never(step)

    # --- guesses ---------------------------------------------------------------------------------

    def begun(self, turn: voice.BeginTurn) -> None:
        """The mind is asked."""
        if turn.speculative:
            self._guesses.add((turn.turn_id, turn.guess))

    def committed(self, turn: voice.CommitTurn) -> None:
        """The turn is taken."""
        self._fate_of_taken(None)
        key = (turn.turn_id, turn.guess)
        if key in self._guesses:
            self._guesses.discard(key)
            self._taken = key

    def retracted(self, turn: voice.RetractTurn) -> None:
        """The turn is not over after all; its reply is a guess again if it was one."""
        self._ledger.count(catalog.RETREATS, *self._meter.labels)
        if self._taken == (turn.turn_id, turn.guess):
            self._guesses.add(self._taken)
            self._taken = None

    def abandoned(self, turn: voice.AbandonTurn) -> None:
        """A reply is given up; of a taken one the settled turn tells whether it was used."""
        key = (turn.turn_id, turn.guess)
        if key in self._guesses:
            self._guesses.discard(key)
            self._ledger.count(catalog.GUESSES, "dropped")

    def _fate_of_taken(self, spoken: tuple[int, int] | None) -> None:
        taken, self._taken = self._taken, None
        if taken is not None:
            self._ledger.count(catalog.GUESSES, "taken" if taken == spoken else "given_up")

    # --- turns -----------------------------------------------------------------------------------

    def units(self, sums: CallSums) -> dict[str, float]:
        """Count what has grown since the last time; returns the provider units of it."""
        last, self._sums = self._sums, sums
        heard_samples = sums.heard_samples - last.heard_samples
        for metric, labels, total, before in (
            (catalog.FRAMES, ("in",), _frames(sums.heard_samples), _frames(last.heard_samples)),
            (catalog.FRAMES, ("out",), _frames(sums.sent_samples), _frames(last.sent_samples)),
            (catalog.UNDERRUNS, (), sums.underruns, last.underruns),
            (catalog.CALLS_REPLACED, (), sums.replacements, last.replacements),
        ):
            if total > before:
                self._ledger.count(metric, *labels, by=total - before)
        return {"recognised_s": heard_samples / SAMPLE_RATE_HZ} if heard_samples else {}

    def settled(self, entry: TurnEntry, guess: int, *, after_s: float | None) -> None:
        """A turn is over.

        Args:
            entry: The turn.
            guess: The guess that was spoken.
            after_s: Seconds from the zero of its timeline until now; None if it has no timeline.
        """
        meter, ledger = self._meter, self._ledger
        self._fate_of_taken((entry.turn_id, guess))
        ledger.count(catalog.TURNS, *meter.labels, entry.kind, entry.outcome)
        if ended_by(entry.reason) in BARGE_INS:
            ledger.count(catalog.BARGE_INS, *meter.labels)
        self._speculated(entry.usage)
        if entry.cache:
            self._looked_up(entry.cache)
        tenant_id, agent_id, _ = meter.labels
        for use in entry.tools:
            ledger.count(catalog.TOOLS, tenant_id, agent_id, str(use.get("name")), status_of(use))
        if entry.kind == "caller" and timeline.SPEECH_ENDED in entry.timeline:
            self._observe(entry.timeline)
        elif entry.kind == "caller" and self._is_relayed:
            self._observe_relayed(entry.timeline)
        if meter.traces is not None and after_s is not None:
            ids = {"call_id": self._call_id, "tenant_id": tenant_id, "agent_id": agent_id}
            meter.traces.put(trace_of(entry, ids, after_s=after_s))

    def _looked_up(self, said: Mapping[str, Any]) -> None:
        tenant_id, agent_id, _ = self._meter.labels
        outcome, tier, reason = (str(said.get(name, "")) for name in ("outcome", "tier", "reason"))
        self._ledger.count(catalog.CACHE_TURNS, tenant_id, agent_id, outcome, tier, reason)
        if isinstance(is_given := said.get("expected"), bool):
            result = "given" if is_given else "not_given"
            self._ledger.count(catalog.CACHE_EXPECTED, tenant_id, agent_id, result)
        lookup_s = said.get("lookup_s")
        if isinstance(lookup_s, int | float):
            self._ledger.observe(catalog.CACHE_LOOKUP, lookup_s, outcome)

    def _speculated(self, usage: Mapping[str, float]) -> None:
        for unit, metric in ((GUESSED, catalog.GUESSED_CALLS), (WASTED, catalog.WASTED_CALLS)):
            if usage.get(unit):
                self._ledger.count(metric, *self._meter.labels, by=usage[unit])
        if self._budget is not None:
            tenant_id = self._meter.labels[0]
            self._ledger.gauge(catalog.GUESS_PATIENCE, self._budget.patience, tenant_id)

    def _observe(self, times: Mapping[str, float]) -> None:
        meter, ledger = self._meter, self._ledger
        for stage, after_s in times.items():
            if stage in timeline.STAGES and stage != timeline.SPEECH_ENDED:
                ledger.observe(catalog.TURN_STAGE, after_s, stage, *meter.labels)
        final = times.get(timeline.FINAL_TRANSCRIPT)
        if final is not None:
            where = (meter.recogniser, "final_words", meter.language)
            ledger.observe(catalog.PROVIDER_LATENCY, final, *where)
        asked, token = times.get(timeline.THINK_REQUESTED), times.get(timeline.FIRST_TOKEN)
        if asked is not None and token is not None:
            where = (meter.thinker, "first_token", meter.language)
            ledger.observe(catalog.PROVIDER_LATENCY, token - asked, *where)
        out, committed = times.get(timeline.FIRST_FRAME_OUT), times.get(timeline.COMMITTED)
        if out is None:
            return
        ledger.observe(catalog.RESPONSE_LATENCY, out, *meter.labels)
        if committed is not None:
            ledger.observe(catalog.COMMIT_TO_FRAME, out - committed)

    def _observe_relayed(self, times: Mapping[str, float]) -> None:
        """The zero of such a turn is the moment in which the carrier's words came."""
        meter, out = self._meter, times.get(timeline.FIRST_FRAME_OUT)
        if out is not None and timeline.COMMITTED in times:
            self._ledger.observe(catalog.RELAY_LATENCY, out, *meter.labels)

    def pressed(self) -> None:
        """The caller pressed a key."""
        self._ledger.count(catalog.DIGITS)


def _frames(samples: int) -> int:
    return samples // FRAME_SAMPLES
