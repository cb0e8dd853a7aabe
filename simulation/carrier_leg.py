"""A phone leg as the carrier runs it: webhook, TwiML, stream, call-backs, until somebody hangs up.

Rules (the numbers are Twilio's error codes)
- A call that comes in says ``ringing`` in its first request, later ones ``in-progress``. A call out
  is rung first, and says ``in-progress`` from the beginning.
- When the first request fails, the fallback URL is asked with ``ErrorCode`` and ``ErrorUrl``;
  without one the call is ``failed``, or ``completed`` if it had been answered.
- What its documents do is in ``carrier_verbs``. After the last verb the call is over.
- A closed stream is never opened again by the carrier; only new TwiML opens another.
- REST in mid-call replaces what the call does, at once: the stream gets its ``stop``, the old
  document and its ``action`` are forgotten, the new one runs.
"""

from __future__ import annotations

import asyncio

from simulation.carrier_errors import CarrierError
from simulation.carrier_messages import Violation
from simulation.carrier_outgoing import Outgoing
from simulation.carrier_parts import CallPlan, LegParts, LegReport
from simulation.carrier_record import CallRecord
from simulation.carrier_recording import LegRecording, RecordingOrder
from simulation.carrier_ring import press
from simulation.carrier_state import LegState
from simulation.carrier_steering import Following
from simulation.carrier_stream import CarrierStream, Person
from simulation.carrier_verbs import VerbRun
from simulation.carrier_webhooks import CallIdentity, call_form
from simulation.relay_line import RelayLine
from simulation.twiml_run import Document, read_twiml

MAX_DOCUMENTS = 100
# What is wrong with a <Stream> of the TwiML; see twiml_run.py.
STREAM_CODES = range(31900, 32000)


class PhoneLeg:
    """One call from its first state to its last call-back. A ``carrier_record.LiveCall``.

    Args:
        parts: Shared by all calls.
        identity: Who calls whom.
        person: Holds the phone; None for a call out, which somebody has to answer first.
        plan: How the call is handled; as the carrier's configuration says when None.
    """

    def __init__(
        self,
        parts: LegParts,
        identity: CallIdentity,
        person: Person | None,
        plan: CallPlan | None = None,
    ) -> None:
        self.identity = identity
        self._parts = parts
        self._plan = plan or parts.plan()
        self._loop = asyncio.get_running_loop()
        self._state = state = LegState(parts, identity, self._plan)
        if person is not None:
            state.give_phone(person)
        self._steering = state.steering
        self._verbs = VerbRun(state)
        self._is_first = True
        out = self._plan.out
        self._outgoing = Outgoing(parts, out, state.record, self._steering.off) if out else None

    @property
    def report(self) -> LegReport:
        """What has happened so far."""
        return self._state.report

    @property
    def record(self) -> CallRecord:
        """See ``LiveCall``."""
        return self._state.record

    @property
    def stream(self) -> CarrierStream | None:
        """The stream that runs."""
        return self._verbs.talk.stream

    @property
    def relay(self) -> RelayLine | None:
        """The relay session that runs."""
        return self._verbs.relay.line

    async def run(self) -> LegReport:
        """Carry the call to its end; never raises for what the server does."""
        started_s = self._loop.time()
        state, report = self._state, self.report
        try:
            report.status, report.ended_by = await self._carry()
        except CarrierError as error:
            report.errors.note(Violation(error.code, error.message))
            report.status = "completed" if state.is_answered else "failed"
            report.ended_by = "error"
        finally:
            self._verbs.close_line()
            state.finish()
            if self._outgoing is not None:
                self._outgoing.end()
        report.duration_s = self._loop.time() - started_s
        state.reach(report.status)
        await state.recorder.finish()
        await state.callbacks.delivered()
        report.callbacks_refused = state.callbacks.refused
        return report

    # LiveCall

    def facts(self) -> dict[str, object]:
        """See ``LiveCall``."""
        report = self.report
        return {
            "said": report.said,
            "keys": report.keys,
            "played": report.played,
            "streams": report.streams,
            "violations": dict(report.violations.counts),
            "errors": dict(report.errors.counts),
            "callbacks_refused": self._state.callbacks.refused,
        }

    def update(self, twiml: bytes) -> bool:
        """Replace what the call is doing, as ``POST Calls/{sid}.json`` with ``Twiml`` does.

        Returns:
            False when the call is not in progress (21220).
        """
        return self._replace(Following(body=twiml))

    def redirect(self, url: str, method: str = "POST") -> bool:
        """The same with ``Url``."""
        return self._replace(Following(url, method))

    def hang_up(self) -> bool:
        """End the call, answered or not; False when it is over."""
        if self.record.is_over or not self._steering.end("agent"):
            return False
        # REST shows it at once; the call-back follows.
        self.record.change("completed" if self._state.is_answered else "canceled")
        return True

    def record_sound(self, order: RecordingOrder) -> LegRecording | None:
        """See ``LiveCall``."""
        return self._state.record_sound(order)

    def _replace(self, following: Following) -> bool:
        if not self._state.is_in_progress:
            return False
        self._steering.replace(following)
        return True

    # From the first state to the last document

    async def _carry(self) -> tuple[str, str]:
        """Run everything; returns the state in which the call ends, and who ended it."""
        plan, state = self._plan, self._state
        following: Following | None = Following(plan.url, plan.method, plan.twiml or None)
        if self._outgoing is None:
            state.reach("ringing")
        elif self._steering.ended_by:
            # Nobody wanted it any more while it waited in line.
            return "canceled", self._steering.ended_by
        else:
            outcome = await self._outgoing.ring(state.reach)
            if outcome != "answers":
                return outcome, "agent" if outcome == "canceled" else "caller"
            following = await self._take_up(self._outgoing)
        for _ in range(MAX_DOCUMENTS):
            if following is None or self._steering.ended_by:
                break
            following = await self._run_one(following)
        else:
            raise CarrierError(12400, "the documents of this call never end")
        ended_by = self._steering.ended_by
        if ended_by and not state.is_answered:
            return "canceled", ended_by
        return self._verbs.rejected or "completed", ended_by or "agent"

    async def _take_up(self, outgoing: Outgoing) -> Following:
        """A call out was answered: keys, recording, detection, and then the first document."""
        state, plan, out = self._state, self._plan, outgoing.out
        state.give_phone(outgoing.pick_up(self._loop.time()))
        state.answer()
        self._verbs.open_line()
        if out.recording is not None:
            state.record_sound(out.recording)
        self.report.keys += await press(out.send_digits, self._steering.off)
        more = await outgoing.detect(state.callbacks)
        first = Following(plan.url, plan.method, plan.twiml or None, more)
        return self._steering.take() or first

    async def _run_one(self, following: Following) -> Following | None:
        found: tuple[Document, str] | None
        if following.body is None:
            found = await self._steering.unless_off(self._ask(following))
        else:
            found = self._read(following.body), ""
        self._is_first = False
        if found is None:
            return self._steering.take()
        document, url = found
        for warning in document.warnings:
            self.report.violations.note(warning)
            # A stream that the carrier will not run was asked for all the same: no refusal.
            self.report.stream_asked |= warning.code in STREAM_CODES
        after = await self._verbs.run(document.verbs, url)
        # An update counts whatever the document had in mind.
        return self._steering.take() or after

    async def _ask(self, where: Following) -> tuple[Document, str]:
        plan, webhooks = self._plan, self._parts.webhooks
        status = "in-progress" if self._state.is_answered else "ringing"
        form = (*call_form(self.identity, status, self._parts.random), *where.more)
        try:
            answer = await webhooks.fetch(where.url, form, where.method)
            document = self._read(answer.body)
        except CarrierError as error:
            if not plan.fallback_url or not self._is_first:
                raise
            self.report.errors.note(Violation(error.code, error.message))
            failed = (("ErrorCode", str(error.code)), ("ErrorUrl", where.url))
            answer = await webhooks.fetch(plan.fallback_url, (*form, *failed), plan.fallback_method)
            document = self._read(answer.body)
        if self.report.webhook_s is None:
            self.report.webhook_s = answer.took_s
        return document, answer.url

    def _read(self, body: bytes) -> Document:
        return read_twiml(body, allow_insecure=self._parts.allow_insecure)
