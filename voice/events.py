"""What enters and what leaves a ``VoiceSession``: two closed unions.

Inputs are in the past tense, outputs imperative. ``turn_id`` counts the turns of a call from 1 (the
greeting is turn 0); ``guess`` counts the attempts at one turn from 1: a speculative reply that was
thrown away and its successor share the ``turn_id`` and differ in ``guess``. ``index`` counts the
segments of one reply from 0. Audio is mu-law, 8 kHz, mono, one byte a sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from voice.ports import TextMark
from voice.ports import TurnEndHinted as TurnEndHinted
from voice.ports import TurnResumed as TurnResumed
from voice.waste import TurnSpend

TurnKind = Literal["greeting", "caller", "digits", "silence", "resume"]
Outcome = Literal["heard", "interrupted", "failed", "dropped"]

# --- inputs ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallStarted:
    """The stream is up. ``greeting`` is spoken first; None after a resume (or to stay silent).

    Attributes:
        resume_text: Said first in a call that goes on; None to stay silent.
        unanswered: What the caller had asked when the stream was lost: it is answered now, and what
            is said first is heard until the answer comes.
        resume_audio: ``resume_text``, ready, mu-law; empty when it is not. Only for ``unanswered``.
        unfinished: What the caller was saying when the stream was lost, as far as it is known: it
            opens what he says after ``resume_text``, and is answered if he says no more.
    """

    greeting: str | None
    next_turn_id: int = 1
    resume_text: str | None = None
    unanswered: str = ""
    resume_audio: bytes = b""
    unfinished: str = ""


@dataclass(frozen=True, slots=True)
class FrameHeard:
    """One 20 ms frame of the caller, already scored. Media time advances by one frame."""

    is_speech: bool
    level_db: float


@dataclass(frozen=True, slots=True)
class InterimHeard:
    """The recogniser's words so far of the running phrase."""

    text: str
    end_s: float


@dataclass(frozen=True, slots=True)
class FinalHeard:
    """A finished phrase of the recogniser. ``text`` may be empty."""

    text: str
    end_s: float


@dataclass(frozen=True, slots=True)
class TurnJudged:
    """The end-of-turn model's answer to the ``JudgeTurn`` of the same ``pause_id``."""

    pause_id: int
    finished_ratio: float


@dataclass(frozen=True, slots=True)
class HearingChanged:
    """Whether it is known that no words of the caller can come; at first it is not."""

    is_lost: bool


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """The caller pressed a key: 0-9, ``*``, ``#``, A-D."""

    digit: str


@dataclass(frozen=True, slots=True)
class SegmentPlanned:
    """The mind wants this piece of the reply said."""

    turn_id: int
    guess: int
    index: int
    text: str


@dataclass(frozen=True, slots=True)
class ReplyWorking:
    """The mind has others do something before it goes on, and fills the time with words itself.

    Attributes:
        for_s: How long that may take once the turn is taken; 0 when it has ended.
    """

    turn_id: int
    guess: int
    for_s: float


@dataclass(frozen=True, slots=True)
class ReplyFinished:
    """The mind has no more segments for this turn.

    Attributes:
        hang_up: End the call once all of it was heard.
        action: What the carrier shall do with the call once all of it was heard: plain data with a
            ``verb``, ``dial`` or ``digits``. Empty for nothing.
    """

    turn_id: int
    guess: int
    hang_up: bool = False
    action: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReplyFailed:
    """The mind could not answer (or not finish). Segments planned before still stand."""

    turn_id: int
    guess: int
    message: str


MindStep = SegmentPlanned | ReplyWorking | ReplyFinished | ReplyFailed
"""One step of a reply that the mind thinks up."""


@dataclass(frozen=True, slots=True)
class SpeechArrived:
    """Audio of a segment, in order."""

    turn_id: int
    guess: int
    index: int
    ulaw: bytes
    marks: tuple[TextMark, ...] = ()


@dataclass(frozen=True, slots=True)
class SpeechFinished:
    """All audio of a segment has arrived."""

    turn_id: int
    guess: int
    index: int


@dataclass(frozen=True, slots=True)
class SpeechFailed:
    """A segment could not be synthesised (or not to its end)."""

    turn_id: int
    guess: int
    index: int
    message: str


@dataclass(frozen=True, slots=True)
class MarkPlayed:
    """The carrier echoed a mark. After a ``clear`` this does not mean that it was heard."""

    name: str


@dataclass(frozen=True, slots=True)
class HangUpRequested:
    """Say ``farewell`` if there is one, then end the call as planned.

    Attributes:
        is_trouble: A provider is the reason: the call is handed over, if its agent knows to whom.
    """

    reason: str
    farewell: str | None = None
    is_trouble: bool = False


Input = (
    CallStarted
    | FrameHeard
    | InterimHeard
    | FinalHeard
    | TurnEndHinted
    | TurnResumed
    | TurnJudged
    | HearingChanged
    | DigitPressed
    | SegmentPlanned
    | ReplyWorking
    | ReplyFinished
    | ReplyFailed
    | SpeechArrived
    | SpeechFinished
    | SpeechFailed
    | MarkPlayed
    | HangUpRequested
)

# --- outputs --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class JudgeTurn:
    """Ask the end-of-turn model about the caller's last seconds. It need not ever answer."""

    pause_id: int


@dataclass(frozen=True, slots=True)
class BeginTurn:
    """Ask the mind for a reply to ``text``. A speculative one may still be thrown away."""

    turn_id: int
    guess: int
    kind: TurnKind
    text: str
    speculative: bool


@dataclass(frozen=True, slots=True)
class CommitTurn:
    """The turn is taken: a guess made before has become the reply (or begins right now).

    ``text`` are the words that were said; the guess may have been made at fewer.
    """

    turn_id: int
    guess: int
    text: str


@dataclass(frozen=True, slots=True)
class RetractTurn:
    """The turn is not over after all: its reply is held again, as if it had never been taken.

    What was sent of it is cleared before. ``CommitTurn`` or ``AbandonTurn`` follows in the end.
    """

    turn_id: int
    guess: int
    reason: str


@dataclass(frozen=True, slots=True)
class AbandonTurn:
    """Stop thinking and speaking for this guess; whatever still arrives for it is stale."""

    turn_id: int
    guess: int
    reason: str


@dataclass(frozen=True, slots=True)
class Synthesise:
    """Turn this segment into audio."""

    turn_id: int
    guess: int
    index: int
    text: str


@dataclass(frozen=True, slots=True)
class PauseSpeech:
    """Read the speaker of this guess no further: as much is held as may be."""

    turn_id: int
    guess: int


@dataclass(frozen=True, slots=True)
class ResumeSpeech:
    """Read on: the guess that was paused is being spoken."""

    turn_id: int
    guess: int


@dataclass(frozen=True, slots=True)
class SendAudio:
    """Send this audio to the carrier now; a whole number of frames but for a segment's last.

    ``turn_id`` and ``guess`` tell whose it is: only those of the turn that is taken are ever sent.
    """

    ulaw: bytes
    turn_id: int = -1
    guess: int = -1


@dataclass(frozen=True, slots=True)
class SendMark:
    """Ask the carrier to say when everything sent so far has been played."""

    name: str


@dataclass(frozen=True, slots=True)
class ClearPlayout:
    """Throw away what the carrier has not played yet."""


@dataclass(frozen=True, slots=True)
class TurnSettled:
    """A turn is over: what was said, and what of it was heard.

    Attributes:
        caller_text: The caller's words (empty for a greeting).
        agent_text: What the agent meant to say.
        heard_text: The part of it that reached the caller's ear.
        outcome: ``heard`` to the end, ``interrupted``, ``failed`` (provider) or ``dropped``.
        timeline: Stage name (``voice.timeline``) to loop time in seconds, absolute.
        reason: What committed the turn and what broke it off (``voice.reasons``), or why it failed.
        performs: Whether what the reply asked for (to end the call, an action) is done now.
        spend: Replies asked for at this turn, and how many of them in vain.
    """

    turn_id: int
    guess: int
    kind: TurnKind
    caller_text: str
    agent_text: str
    heard_text: str
    outcome: Outcome
    reason: str
    timeline: dict[str, float] = field(default_factory=dict)
    performs: bool = False
    spend: TurnSpend = field(default_factory=TurnSpend)


@dataclass(frozen=True, slots=True)
class EndCall:
    """Close the stream; the call ends as planned, or the carrier does ``hand_over`` with it."""

    reason: str
    hand_over: Mapping[str, Any] = field(default_factory=dict)


Output = (
    JudgeTurn
    | BeginTurn
    | CommitTurn
    | RetractTurn
    | AbandonTurn
    | Synthesise
    | PauseSpeech
    | ResumeSpeech
    | SendAudio
    | SendMark
    | ClearPlayout
    | TurnSettled
    | EndCall
)
