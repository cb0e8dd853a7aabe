"""What enters and what leaves a ``RelaySession``, besides what it shares with ``voice.events``.

The carrier is the ear and the mouth of such a call: words come in and go out as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voice import events as voice

# --- inputs ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PromptHeard:
    """The caller's words; all of the running utterance so far when ``is_last`` is False."""

    text: str
    is_last: bool = True


@dataclass(frozen=True, slots=True)
class SpeechCut:
    """The caller has cut the agent's speech, of which so much was heard."""

    heard_text: str


@dataclass(frozen=True, slots=True)
class AgentSounded:
    """The agent's speech has become audible, or has ended."""

    is_on: bool


@dataclass(frozen=True, slots=True)
class CallerSounded:
    """The caller has begun to speak, or has ended."""

    is_on: bool


@dataclass(frozen=True, slots=True)
class WordsPlayed:
    """These words of the agent were just played."""

    text: str


Input = (
    voice.CallStarted
    | voice.SegmentPlanned
    | voice.ReplyWorking
    | voice.ReplyFinished
    | voice.ReplyFailed
    | voice.DigitPressed
    | voice.HangUpRequested
    | PromptHeard
    | SpeechCut
    | AgentSounded
    | CallerSounded
    | WordsPlayed
)

# --- outputs --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SendWords:
    """Have this said; ``is_last`` ends the talk cycle. Nothing but that when ``token`` is empty."""

    token: str
    is_last: bool


@dataclass(frozen=True, slots=True)
class DropWords:
    """Forget the words that have not left us yet: the reply was cut."""


@dataclass(frozen=True, slots=True)
class PressKeys:
    """Press keys on the line; the session goes on."""

    digits: str


@dataclass(frozen=True, slots=True)
class EndSession:
    """End the session: the call is over, or the carrier does ``hand_over`` with it."""

    reason: str
    hand_over: Mapping[str, Any] = field(default_factory=dict)


Output = (
    voice.BeginTurn
    | voice.CommitTurn
    | voice.AbandonTurn
    | voice.TurnSettled
    | SendWords
    | DropWords
    | PressKeys
    | EndSession
)
