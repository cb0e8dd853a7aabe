"""What enters a ``RealtimeCall`` besides the service's events, and what leaves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from providers.errors import ProviderError
from providers.realtime.events import ServerEvent
from voice.events import (
    CallStarted,
    ClearPlayout,
    DigitPressed,
    EndCall,
    FrameHeard,
    HangUpRequested,
    MarkPlayed,
    SendAudio,
    SendMark,
    TurnSettled,
)

# --- inputs ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SessionUp:
    """There is a session, and it knows the conversation so far.

    Attributes:
        heard_samples: Caller audio of the call up to which the session has heard nothing.
    """

    heard_samples: int = 0


@dataclass(frozen=True, slots=True)
class SessionLost:
    """The session is gone; another one may come."""

    reason: str


@dataclass(frozen=True, slots=True)
class ToolAnswered:
    """What came of a tool that the model wanted.

    Attributes:
        action: What is done once the reply was heard (``dialogue.tool_use``); empty for none.
        output: For the model, where there is no action: a result, or why it cannot be done.
    """

    turn_id: int
    call_id: str
    action: Mapping[str, Any] = field(default_factory=dict)
    output: str = ""


@dataclass(frozen=True, slots=True)
class ToolRunning:
    """A tool that the model wanted is being run; ``ToolAnswered`` follows.

    Attributes:
        for_s: How long that may take.
        say: Said meanwhile, word for word, to a caller who hears nothing; empty for nothing.
    """

    turn_id: int
    call_id: str
    for_s: float
    say: str = ""


LineEvent = (
    CallStarted
    | FrameHeard
    | MarkPlayed
    | DigitPressed
    | HangUpRequested
    | SessionUp
    | SessionLost
    | ToolAnswered
    | ToolRunning
)
Input = ServerEvent | LineEvent

# --- outputs --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tell:
    """Send this event to the service, as it is."""

    message: str


@dataclass(frozen=True, slots=True)
class UseTool:
    """Ask the mind about a tool; ``ToolAnswered`` with the same ids is the answer."""

    turn_id: int
    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class DropSession:
    """The session does not do its work: give it up. ``SessionLost`` follows."""

    error: ProviderError


Output = Tell | UseTool | DropSession | SendAudio | SendMark | ClearPlayout | TurnSettled | EndCall
