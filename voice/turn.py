"""The turn that is being prepared or spoken, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
        action: What the carrier shall do with the call once all was heard; empty for nothing.
        heard_at: Loop time since which all was heard, while an action waits for the caller.
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
    action: Mapping[str, Any] = field(default_factory=dict)
    heard_at: float | None = None
    held_at: float | None = None
    timeline: dict[str, float] = field(default_factory=dict)

    @property
    def key(self) -> tuple[int, int]:
        """``(turn_id, guess)``, as events name it."""
        return self.turn_id, self.guess
