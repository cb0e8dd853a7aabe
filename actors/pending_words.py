"""What the caller of a call has said that no settled turn answers, as its CallActor knows it.

It is for the stream that comes after a lost one.

Rules
1. A turn that was taken is *asked*, until it is settled, or a later one is. One whose socket went
   before anything of its reply was heard is not answered by being settled.
2. The words of the newest guess are *unfinished*: the turn is not taken. They last until that turn
   or a later one is taken or settled; but what the next stream says first answers nobody.
3. A guess for a turn that is asked means that it was taken back: its words are unfinished again.
4. Unfinished words are told for ``UNFINISHED_FOR_S``. After that the caller has forgotten where he
   was; and words that the recogniser has taken back since are never told for long.
"""

from __future__ import annotations

from collections.abc import Sequence

from actors.wire import TurnEntry
from voice.reasons import STREAM_CLOSED, ended_by

UNFINISHED_FOR_S = 10.0


class PendingWords:
    """Of one call; times are loop times."""

    __slots__ = ("_asked", "_guessed", "_guessed_at")

    def __init__(self) -> None:
        self._asked: tuple[int, str] | None = None
        self._guessed: tuple[int, str] | None = None
        self._guessed_at = 0.0

    @property
    def unanswered(self) -> str:
        """What the caller has asked for; empty for nothing."""
        return "" if self._asked is None else self._asked[1]

    def unfinished(self, *, now: float) -> str:
        """What he was saying a moment ago; empty for nothing."""
        if self._guessed is None or now - self._guessed_at > UNFINISHED_FOR_S:
            return ""
        return self._guessed[1]

    def taken(self, turn_id: int, text: str) -> None:
        """The turn was taken, and is not settled."""
        self._asked = turn_id, text
        if self._guessed is not None and self._guessed[0] <= turn_id:
            self._guessed = None

    def guessed(self, turn_id: int, text: str, *, now: float) -> None:
        """A reply to these words is prepared; the turn is neither taken nor settled."""
        self._guessed, self._guessed_at = (turn_id, text), now
        if self._asked is not None and self._asked[0] >= turn_id:
            self._asked = None

    def settled(self, turns: Sequence[TurnEntry]) -> None:
        """These turns are over."""
        asked, guessed = self._asked, self._guessed
        if asked is not None and any(_answers(turn, asked[0]) for turn in turns):
            self._asked = None
        if guessed is not None and any(
            turn.turn_id >= guessed[0] and turn.kind != "resume" for turn in turns
        ):
            self._guessed = None


def _answers(turn: TurnEntry, asked: int) -> bool:
    """Whether nobody waits for the turn ``asked`` any more; its socket may have gone before."""
    is_cut = ended_by(turn.reason) == STREAM_CLOSED and not turn.heard_text
    return turn.turn_id > asked or (turn.turn_id == asked and not is_cut)
