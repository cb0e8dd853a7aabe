"""One whole simulated call: a person with a script on a phone leg of the carrier."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from simulation.caller import CallerConfig, SimulatedCaller
from simulation.caller_events import CallEnded, CallerEvent, CallOutcome, TurnMeasured
from simulation.caller_script import Step, line_noise
from simulation.carrier import Carrier
from simulation.carrier_parts import LegReport
from simulation.recording import Recording


@dataclass(frozen=True, slots=True)
class CallOrder:
    """A call to be placed.

    Attributes:
        script: What the caller does; see ``caller_script``.
        from_number: E.164.
        to_number: E.164.
        call: Number of the call in its run.
        max_duration_s: The caller hangs up after this long; never when None.
        turns: How many turns the script has; None when it has no end, or when nobody counts.
        record: Keep both channels.
        suppress_silence: Send no packets between clips, as some networks do.
        noise: Frames sent between clips, base64; those of a quiet line when None.
    """

    script: Iterator[Step]
    from_number: str = "+14155550100"
    to_number: str = "+14155550199"
    call: int = 0
    max_duration_s: float | None = None
    turns: int | None = None
    record: bool = False
    suppress_silence: bool = False
    noise: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class CallResult:
    """What came of a call.

    Attributes:
        call: Number of the call in its run.
        leg: What the carrier saw.
        turns: In order; times counted from the placing of the call.
        greeting_s: From placing the call to the first audible sample; None when there was none.
        first_frame_s: From placing the call to the first frame of the server's audio, which a voice
            may begin with silence; None when none came over a media stream.
        turns_scripted: How many there should have been; None when the script had no number.
        recording: Both channels, if asked for.
        recording_start_s: Sample 0 of the recording, counted from the placing of the call.
    """

    call: int
    leg: LegReport
    turns: tuple[TurnMeasured, ...]
    greeting_s: float | None
    first_frame_s: float | None = None
    turns_scripted: int | None = None
    recording: Recording | None = None
    recording_start_s: float = 0.0

    @property
    def outcome(self) -> CallOutcome:
        """What became of the call."""
        leg = self.leg
        if not leg.admitted:
            return "refused" if leg.refusal else "failed"
        had_all = self.turns_scripted is not None and not self.turns_missing
        said_goodbye = had_all and leg.ended_by == "agent" and not leg.errors.counts
        return "completed" if leg.ended_by == "caller" or said_goodbye else "ended_early"

    @property
    def turns_missing(self) -> int:
        """Turns of the script that were not had to their end; 0 when the script had no number."""
        had = sum(turn.outcome != "call_ended" for turn in self.turns)
        return max(0, (self.turns_scripted or 0) - had)


async def place_call(
    carrier: Carrier, order: CallOrder, on_event: Callable[[CallerEvent], None] | None = None
) -> CallResult:
    """Place a call and carry it to its end. Never raises for what the server does."""
    loop = asyncio.get_running_loop()
    identity = carrier.identity(order.from_number, order.to_number)
    recording = Recording() if order.record else None
    placed_s = loop.time()
    caller = SimulatedCaller(
        order.script,
        CallerConfig(
            call=order.call,
            call_sid=identity.call_sid,
            max_duration_s=order.max_duration_s,
            on_event=on_event,
            recording=recording,
            noise=() if order.suppress_silence else order.noise or line_noise(),
        ),
        placed_s,
    )
    leg = await carrier.dial(identity, caller).run()
    caller.end(now=loop.time())
    result = CallResult(
        call=order.call,
        leg=leg,
        turns=tuple(caller.measured(turn, n) for n, turn in enumerate(caller.meter.turns, 1)),
        greeting_s=caller.first_heard_s,
        first_frame_s=None if leg.first_media_s is None else leg.first_media_s - placed_s,
        turns_scripted=order.turns,
        recording=recording,
        recording_start_s=recording.start_s - placed_s if recording else 0.0,
    )
    if on_event is not None:
        at_s = loop.time() - placed_s
        on_event(CallEnded(order.call, at_s, leg.status, leg.ended_by, result.outcome))
    return result
