"""What a simulated caller reports while it talks, for those who print or count it live.

``call`` numbers the calls of a run from 0. ``at_s`` counts from the moment the call was placed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# answered: the reply began after the caller's true end of speech.
# premature: the agent cut in and its reply had begun before that.
# unanswered: nothing was to be heard for ten seconds.
# call_ended: the call was over before one of these was known.
Outcome = Literal["answered", "premature", "unanswered", "call_ended"]
TurnKind = Literal["say", "interrupt", "digits"]
# completed: admitted, and the caller hung up; or the server did, without an error, after all turns.
# ended_early: admitted, and ended by the server or by an error before that.
# refused: answered without an error and without a stream (a polite text, a busy tone).
# failed: never admitted, because something went wrong.
CallOutcome = Literal["completed", "ended_early", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class CallStarted:
    """The stream is open for the first time; the caller hears and is heard."""

    call: int
    at_s: float
    call_sid: str


@dataclass(frozen=True, slots=True)
class StreamResumed:
    """Another stream took over after the line had been dead for ``gap_s``."""

    call: int
    at_s: float
    gap_s: float


@dataclass(frozen=True, slots=True)
class CallerSaid:
    """The caller began to speak (or pressed keys); ``ends_at_s`` is the true end of speech."""

    call: int
    at_s: float
    text: str
    clip: str
    ends_at_s: float


@dataclass(frozen=True, slots=True)
class AgentHeard:
    """The agent started or stopped being audible."""

    call: int
    at_s: float
    started: bool


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The caller talked over the agent, and it fell silent ``stop_s`` after the onset."""

    call: int
    at_s: float
    stop_s: float


@dataclass(frozen=True, slots=True)
class TurnMeasured:
    """One utterance of the caller and what came of it.

    Attributes:
        call: The call's number.
        at_s: When this was known.
        turn: Counted from 1.
        kind: How the caller spoke.
        clip: The clip's name; empty for digits.
        text: What was said.
        speech_start_s: When the speech began.
        speech_end_s: When it truly ended.
        outcome: See ``Outcome``.
        latency_s: True end of speech to the first audible sample of the reply; None unless
            answered.
        cut_in: The agent became audible while the caller was still speaking.
        words_cut: How many of the caller's words were not yet finished then.
        barge_in_stop_s: Onset of an interruption to the agent's last audible sample.
    """

    call: int
    at_s: float
    turn: int
    kind: TurnKind
    clip: str
    text: str
    speech_start_s: float
    speech_end_s: float
    outcome: Outcome
    latency_s: float | None = None
    cut_in: bool = False
    words_cut: int = 0
    barge_in_stop_s: float | None = None


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call is over.

    Attributes:
        status: ``completed``, ``busy``, ``no-answer`` or ``failed``, in the carrier's words.
        ended_by: ``caller``, ``agent`` or ``error``.
        outcome: What became of it; see ``CallOutcome``.
    """

    call: int
    at_s: float
    status: str
    ended_by: str
    outcome: CallOutcome


CallerEvent = (
    CallStarted | StreamResumed | CallerSaid | AgentHeard | Interrupted | TurnMeasured | CallEnded
)
