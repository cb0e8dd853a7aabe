"""Measures turns: who spoke when, and how long the caller waited. A machine without a clock.

Rules
- A turn opens when the caller begins to speak and is measured from the *true* end of speech, which
  the clip knows; one turn is open at a time.
- Answered: the first audible onset at or after that end; latency is the distance.
- An onset before it is a cut-in (not for interruptions, where the caller is the one who cuts in,
  unless the agent had already fallen silent and comes back during the speech). When the agent
  stays audible for more than ``SOFT_RETREAT_S`` past the end, that was its reply: premature. When
  it retreats earlier, the turn stays open for the real one.
- Barge-in stop time: audible onset of the interrupting speech to the agent's last audible sample.
- Unanswered: ``UNANSWERED_S`` without an audible agent, counted from the end of speech or from the
  moment the agent fell silent, whichever is later.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulation.caller_events import Outcome, TurnKind

UNANSWERED_S = 10.0
SOFT_RETREAT_S = 0.4


@dataclass(frozen=True, slots=True)
class Utterance:
    """What the caller says in one turn; times are loop times in seconds."""

    kind: TurnKind
    clip: str
    text: str
    speech_start_s: float
    speech_end_s: float
    word_ends_s: tuple[float, ...] = ()


@dataclass(slots=True)
class MeasuredTurn:
    """A turn and what came of it; see ``caller_events.TurnMeasured``."""

    utterance: Utterance
    outcome: Outcome | None = None
    latency_s: float | None = None
    cut_in: bool = False
    words_cut: int = 0
    barge_in_stop_s: float | None = None


class TurnMeter:
    """Measures the turns of one call."""

    def __init__(self) -> None:
        self.turns: list[MeasuredTurn] = []
        self._open: MeasuredTurn | None = None
        self._agent_speaking = False
        self._agent_onset_s = 0.0
        self._agent_last_s = float("-inf")
        # The interrupted speech is still being heard.
        self._being_interrupted = False

    @property
    def waiting(self) -> bool:
        """True while a turn has no outcome."""
        return self._open is not None

    def begin(self, utterance: Utterance) -> list[MeasuredTurn]:
        """The caller begins to speak; returns the turn before, if it was still open."""
        closed = self._close("unanswered") if self._open else []
        self._open = MeasuredTurn(utterance)
        self._being_interrupted = self._agent_speaking
        self.turns.append(self._open)
        return closed

    def agent_started(self, at_s: float) -> list[MeasuredTurn]:
        """The agent became audible; returns the turn it answers."""
        self._agent_speaking = True
        self._agent_onset_s = at_s
        turn = self._open
        if turn is None:
            return []
        said = turn.utterance
        if at_s >= said.speech_end_s:
            turn.latency_s = at_s - said.speech_end_s
            return self._close("answered")
        if at_s >= said.speech_start_s:
            self._cut_in(turn, at_s)
        return []

    def agent_stopped(self, at_s: float) -> list[MeasuredTurn]:
        """The agent fell silent at ``at_s``; returns the turn that this decides."""
        self._agent_speaking = False
        self._agent_last_s = at_s
        turn = self._open
        if turn is None:
            return []
        said = turn.utterance
        if self._being_interrupted:
            self._being_interrupted = False
            turn.barge_in_stop_s = max(0.0, at_s - said.speech_start_s)
        elif turn.cut_in and at_s - said.speech_end_s > SOFT_RETREAT_S:
            return self._close("premature")
        return []

    def advance(self, *, now: float) -> list[MeasuredTurn]:
        """Time passes; returns a turn that nobody answered."""
        turn = self._open
        if turn is None or self._agent_speaking:
            return []
        quiet_since_s = max(turn.utterance.speech_end_s, self._agent_last_s)
        return self._close("unanswered") if now - quiet_since_s >= UNANSWERED_S else []

    def end(self) -> list[MeasuredTurn]:
        """The call is over; returns the open turn."""
        if self._open is None:
            return []
        spoke_past_end = self._agent_speaking and not self._being_interrupted
        return self._close("premature" if spoke_past_end and self._open.cut_in else "call_ended")

    def _cut_in(self, turn: MeasuredTurn, at_s: float) -> None:
        if not turn.cut_in:
            turn.cut_in = True
            turn.words_cut = sum(end_s > at_s for end_s in turn.utterance.word_ends_s)

    def _close(self, outcome: Outcome) -> list[MeasuredTurn]:
        turn, self._open = self._open, None
        if turn is None:
            return []
        turn.outcome = outcome
        return [turn]
