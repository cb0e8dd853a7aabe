"""The turn that is being prepared or spoken, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

from voice.events import TurnKind


@dataclass(slots=True)
class Turn:
    """The turn that is being prepared or spoken.

    Attributes:
        is_asked: True when the mind was asked; False for words of the session's own.
        is_taken: True from commit on.
        reason: What committed it.
        failure: Why it failed; empty while it has not.
        said_trouble: True when it ends with the sentence that gives the call up.
        held_at: Loop time since which its first audio waits for the caller to be quiet.
    """

    turn_id: int
    guess: int
    kind: TurnKind
    text: str
    is_asked: bool
    is_taken: bool = False
    taken_at: float = 0.0
    reason: str = ""
    failure: str = ""
    has_apologised: bool = False
    said_trouble: bool = False
    hang_up: bool = False
    held_at: float | None = None
    timeline: dict[str, float] = field(default_factory=dict)
