"""What the parts of one leg share: who it is, how far it has come, who holds its phone."""

from __future__ import annotations

import asyncio

from simulation.carrier_callbacks import Callbacks
from simulation.carrier_parts import CallPlan, LegParts, LegReport
from simulation.carrier_record import CallRecord
from simulation.carrier_recorder import Recorder
from simulation.carrier_recording import LegRecording, RecordingOrder, TappedPerson
from simulation.carrier_steering import Steering
from simulation.carrier_stream import Person
from simulation.carrier_webhooks import CallIdentity


class LegState:
    """One leg.

    Args:
        parts: Shared by all calls.
        identity: Who calls whom.
        plan: How the call is handled.

    Attributes:
        phone: Whoever holds the phone; None until a call out is answered.
    """

    def __init__(self, parts: LegParts, identity: CallIdentity, plan: CallPlan) -> None:
        self.parts = parts
        self.identity = identity
        self.plan = plan
        self.record = CallRecord(identity)
        self.report = LegReport(identity.call_sid)
        self.steering = Steering()
        self.phone: TappedPerson | None = None
        self.callbacks = Callbacks(
            parts.webhooks,
            identity,
            parts.random,
            plan.status_url,
            plan.status_states,
            plan.status_method,
        )
        self.recorder = Recorder(parts, identity, self.callbacks)
        self._time_limit: asyncio.TimerHandle | None = None

    @property
    def is_answered(self) -> bool:
        """Whether somebody has answered, ever."""
        return self.record.answered_s is not None

    @property
    def is_in_progress(self) -> bool:
        """Whether it was answered and nobody has ended it."""
        return self.is_answered and not self.steering.ended_by and not self.record.is_over

    def give_phone(self, person: Person) -> TappedPerson:
        """Somebody holds the phone."""
        self.phone = TappedPerson(person)
        return self.phone

    def reach(self, status: str) -> None:
        """The call has come to a state."""
        self.record.change(status)
        self.callbacks.call_status(status, self.record.duration_s or 0.0)

    def answer(self) -> None:
        """The call is answered; nothing when it was before."""
        if not self.is_answered:
            self.reach("in-progress")
            loop = asyncio.get_running_loop()
            limit_s = self.plan.time_limit_s
            self._time_limit = loop.call_later(limit_s, self.steering.end, "agent")

    def finish(self) -> None:
        """The call is over: its time limit holds it no more."""
        if self._time_limit is not None:
            self._time_limit.cancel()

    def record_sound(self, order: RecordingOrder) -> LegRecording | None:
        """Record from now on; None when the call is not in progress."""
        if self.phone is None or not self.is_in_progress:
            return None
        return self.recorder.start(order, self.phone)
