"""The person on the phone: follows a script, speaks clips on the 20 ms clock, listens, measures.

Rules
- Speech is sent bit for bit as the clip has it; between clips the line carries quiet noise.
- A frame leaves when its last sample has been spoken: the sample at offset ``o`` of a clip was
  spoken 20 ms before its frame was due, plus ``o``. Latencies are counted from there.
- While the line is dead the person goes on speaking; what was said then is lost.
- What the agent says counts when it is heard (``hearing.py``), not when its bytes arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from simulation.caller_events import (
    AgentHeard,
    CallerEvent,
    CallerSaid,
    CallStarted,
    Interrupted,
    StreamResumed,
    TurnMeasured,
)
from simulation.caller_script import (
    Interrupt,
    Leave,
    Listen,
    PreparedClip,
    PressKeys,
    Speak,
    StaySilent,
    Step,
    line_noise,
)
from simulation.caller_turns import MeasuredTurn, TurnMeter, Utterance
from simulation.caller_voice import Mouth
from simulation.carrier_stream import HangUp, Press
from simulation.carrier_ticker import FRAME_S
from simulation.hearing import AgentStarted, AgentStopped, Ear
from simulation.playout_clock import Heard
from simulation.recording import Recording

_NOTHING: tuple[Press | HangUp, ...] = ()


@dataclass(frozen=True, slots=True)
class CallerConfig:
    """Who calls.

    Attributes:
        call: Number of the call in its run, for events.
        call_sid: The carrier's id, for events.
        max_duration_s: The caller hangs up after this long; never when None.
        noise: Frames sent between clips; with none, no packets are sent there.
        on_event: Told everything as it happens, if given.
        recording: Both channels are written here, if given.
    """

    call: int = 0
    call_sid: str = ""
    max_duration_s: float | None = None
    noise: tuple[str, ...] = line_noise()
    on_event: Callable[[CallerEvent], None] | None = None
    recording: Recording | None = None


class SimulatedCaller:
    """A person with a script; a ``carrier_stream.Person``.

    Args:
        script: Steps in order; the caller hangs up after the last.
        config: See ``CallerConfig``.
        placed_s: Loop time at which the call is placed.
    """

    def __init__(self, script: Iterator[Step], config: CallerConfig, placed_s: float) -> None:
        self.config = config
        self.meter = TurnMeter()
        self.first_heard_s: float | None = None
        self._script = script
        self._placed_s = placed_s
        self._ear = Ear()
        # Over at the first tick, which then begins the script.
        self._step: Step = StaySilent(0.0)
        self._step_since_s = placed_s
        self._mouth = Mouth(config.noise, config.recording)
        self._spoke_due_s = float("-inf")
        self._speech_end_s = float("-inf")
        self._agent_since_s: float | None = None
        self._keys_pressed = 0
        self._now_s = placed_s
        self._closed_s: float | None = None
        self._left = False
        self._utterance: Utterance | None = None

    @property
    def saying(self) -> Utterance | None:
        """What is said, or was said last, in words: for a carrier that hears for the server."""
        return self._utterance

    @property
    def speaking(self) -> bool:
        """True from the first frame of a clip until its true end of speech."""
        return self._spoke_due_s <= self._now_s < self._speech_end_s

    # Person

    def stream_opened(self, *, now: float) -> None:
        """The line is open, for the first time or again."""
        config = self.config
        if self._closed_s is None:
            self._step_since_s = now
            self._tell(CallStarted(config.call, self._since(now), config.call_sid))
        else:
            gap_s = now - self._closed_s
            self._tell(StreamResumed(config.call, self._since(now), gap_s))

    def stream_closed(self, heard: Sequence[Heard], *, now: float) -> None:
        """The line is dead; what was still to be played is lost."""
        for piece in heard:
            self._hear(piece)
        self._note(self._ear.cut())
        self._closed_s = now

    def playout_cleared(self, heard: Sequence[Heard], *, now: float) -> None:
        """The agent took back what was waiting: it stops here, or says it again."""
        for piece in heard:
            self._hear(piece)
        self._ear.cleared(now=now)

    def tick(
        self, due_s: float, now: float, heard: Sequence[Heard]
    ) -> tuple[str | None, Sequence[Press | HangUp]]:
        """One frame: listen, decide, speak. See ``Person.tick``."""
        self._now_s = now
        for piece in heard:
            self._hear(piece)
        if self._ear.speaking:
            self._note(self._ear.advance(now=now))
        if self.meter.waiting:
            self._close(self.meter.advance(now=now))
        actions = self._act(due_s)
        return self._mouth.frame(due_s), actions

    def end(self, *, now: float) -> None:
        """The call is over."""
        self._now_s = now
        self._close(self.meter.end())

    # The script

    def _act(self, due_s: float) -> Sequence[Press | HangUp]:
        if self._left:
            return _NOTHING
        limit_s = self.config.max_duration_s
        if limit_s is not None and due_s - self._placed_s >= limit_s:
            self._left = True
            return (HangUp(),)
        while self._is_done(due_s):
            self._step = next(self._script, Leave())
            self._step_since_s = due_s
            if isinstance(self._step, Leave):
                self._left = True
                return (HangUp(),)
            if isinstance(self._step, Speak):
                self._speak(self._step.clip, due_s)
            self._keys_pressed = 0
        return self._press(self._step, due_s) if isinstance(self._step, PressKeys) else _NOTHING

    def _is_done(self, due_s: float) -> bool:
        match self._step:
            case Listen(until_silence_s=until_silence_s, give_up_s=give_up_s):
                return self._agent_is_done(due_s, until_silence_s, give_up_s)
            case Speak():
                return due_s >= self._speech_end_s
            case Interrupt():
                return self._interrupt(self._step, due_s)
            case StaySilent(duration_s=duration_s):
                return due_s - self._step_since_s >= duration_s
            case PressKeys(digits=digits):
                return self._keys_pressed >= len(digits)
            case Leave():
                return True

    def _agent_is_done(self, due_s: float, until_silence_s: float, give_up_s: float) -> bool:
        if self._ear.speaking:
            return False
        last_s = self._ear.last_loud_s
        if last_s > self._speech_end_s and not self.meter.waiting:
            return due_s - last_s >= until_silence_s
        return due_s - max(self._step_since_s, self._speech_end_s, last_s) >= give_up_s

    def _interrupt(self, step: Interrupt, due_s: float) -> bool:
        """Start talking when it is time; done when the speech is over."""
        if self._spoke_due_s >= self._step_since_s:
            return due_s >= self._speech_end_s
        since_s = self._agent_since_s
        talked_enough = (
            self._ear.speaking and since_s is not None and due_s - since_s >= step.after_s
        )
        if talked_enough or self._agent_is_done(due_s, 1.0, step.give_up_s):
            self._speak(step.clip, due_s)
        return False

    def _press(self, step: PressKeys, due_s: float) -> Sequence[Press]:
        at_s = self._step_since_s + self._keys_pressed * step.gap_s
        if self._keys_pressed >= len(step.digits) or due_s < at_s:
            return ()
        digit = step.digits[self._keys_pressed]
        self._keys_pressed += 1
        if self._keys_pressed == len(step.digits):
            self._say(Utterance("digits", "", step.digits, self._step_since_s, due_s))
        return (Press(digit),)

    # The mouth

    def _speak(self, clip: PreparedClip, due_s: float) -> None:
        self._mouth.speak(clip, due_s)
        self._spoke_due_s = due_s
        start_s = due_s - FRAME_S
        self._say(
            Utterance(
                "interrupt" if self._ear.speaking else "say",
                clip.name,
                clip.text,
                start_s + clip.speech_start_s,
                start_s + clip.speech_end_s,
                tuple(start_s + end_s for end_s in clip.word_ends_s),
            )
        )

    def _say(self, utterance: Utterance) -> None:
        self._agent_since_s = None
        if utterance.kind != "digits":
            self._utterance = utterance
        self._speech_end_s = utterance.speech_end_s
        self._close(self.meter.begin(utterance))
        self._tell(
            CallerSaid(
                self.config.call,
                self._since(utterance.speech_start_s),
                utterance.text,
                utterance.clip,
                self._since(utterance.speech_end_s),
            )
        )

    # The ear

    def _hear(self, heard: Heard) -> None:
        self._note(self._ear.listen(heard))
        if self.config.recording is not None:
            self.config.recording.add_agent(heard.start_s, heard.audio)

    def _note(self, events: Sequence[AgentStarted | AgentStopped]) -> None:
        for event in events:
            if isinstance(event, AgentStarted):
                self._agent_started(event.at_s)
            else:
                self._agent_stopped(event.at_s)

    def _agent_started(self, at_s: float) -> None:
        if self.first_heard_s is None:
            self.first_heard_s = at_s - self._placed_s
        if self._agent_since_s is None and at_s >= self._speech_end_s:
            self._agent_since_s = at_s
        self._tell(AgentHeard(self.config.call, self._since(at_s), True))
        self._close(self.meter.agent_started(at_s))

    def _agent_stopped(self, at_s: float) -> None:
        self._tell(AgentHeard(self.config.call, self._since(at_s), False))
        turn = self.meter.turns[-1] if self.meter.turns else None
        before = turn.barge_in_stop_s if turn else None
        closed = self.meter.agent_stopped(at_s)
        if turn is not None and turn.barge_in_stop_s is not None and before is None:
            self._tell(Interrupted(self.config.call, self._since(at_s), turn.barge_in_stop_s))
        self._close(closed)

    # Reports

    def measured(self, turn: MeasuredTurn, number: int) -> TurnMeasured:
        """A turn as an event, its times counted from the placing of the call."""
        said = turn.utterance
        return TurnMeasured(
            call=self.config.call,
            at_s=self._since(self._now_s),
            turn=number,
            kind=said.kind,
            clip=said.clip,
            text=said.text,
            speech_start_s=self._since(said.speech_start_s),
            speech_end_s=self._since(said.speech_end_s),
            outcome=turn.outcome or "call_ended",
            latency_s=turn.latency_s,
            cut_in=turn.cut_in,
            words_cut=turn.words_cut,
            barge_in_stop_s=turn.barge_in_stop_s,
        )

    def _close(self, closed: Sequence[MeasuredTurn]) -> None:
        for turn in closed:
            self._tell(self.measured(turn, self.meter.turns.index(turn) + 1))

    def _tell(self, event: CallerEvent) -> None:
        if self.config.on_event is not None:
            self.config.on_event(event)

    def _since(self, at_s: float) -> float:
        return at_s - self._placed_s
