"""One attempt at a turn of a relayed call, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voice.events import TurnKind
from voice.relay_heard import RelayHeard
from voice.words import join_words


@dataclass(slots=True)
class RelayTurn:
    """The turn that is being prepared, thought about or spoken.

    Attributes:
        text: The caller's words.
        is_asked: True when the mind was asked; False for words of the session's own.
        is_taken: False while it is only a guess, whose words are held.
        reason: What took it.
        planned: Segments of the reply, in order.
        is_finished: The mind has no more of them.
        progress_at: Loop time of the last thing that the mind did for it.
        working_s: How long the mind may be busy with something else; 0 while it is not.
        owes_answer: The mind had something done, and has said nothing of it yet.
        failure: Why it failed; empty while it has not.
        said_trouble: True when it ends with the sentence that gives the call up.
        hang_up, action: What is to be done once all was heard.
        heard: What was sent of it, and heard.
    """

    turn_id: int
    guess: int
    kind: TurnKind
    text: str
    is_asked: bool
    progress_at: float
    is_taken: bool = False
    taken_at: float = 0.0
    reason: str = ""
    planned: list[str] = field(default_factory=list)
    is_finished: bool = False
    working_s: float = 0.0
    owes_answer: bool = False
    failure: str = ""
    has_apologised: bool = False
    said_trouble: bool = False
    hang_up: bool = False
    action: Mapping[str, Any] = field(default_factory=dict)
    heard: RelayHeard = field(default_factory=RelayHeard)
    timeline: dict[str, float] = field(default_factory=dict)

    @property
    def key(self) -> tuple[int, int]:
        """``(turn_id, guess)``, as events name it."""
        return self.turn_id, self.guess

    @property
    def is_silent(self) -> bool:
        """True while nothing of it was sent."""
        return self.heard.first_at is None

    @property
    def agent_text(self) -> str:
        """What the agent means to say, as far as it is known."""
        return join_words(self.planned)
