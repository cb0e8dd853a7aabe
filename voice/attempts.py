"""The numbers of turns and of the attempts at them, and what the current turn has asked for."""

from __future__ import annotations

from voice.events import TurnKind
from voice.guesses import Guesses
from voice.turn import Turn
from voice.waste import TurnSpend


class Attempts:
    """Counts in one call.

    Attributes:
        turn_id: Number of the turn that comes or is there; 0 while the greeting is.
    """

    __slots__ = ("_asked", "_count", "turn_id")

    def __init__(self) -> None:
        self.turn_id = 1
        self._count = 0
        self._asked = 0  # of them, those that the mind was asked for

    def next_number(self) -> int:
        """Of the attempt that begins now."""
        self._count += 1
        return self._count

    def open(self, kind: TurnKind, text: str, *, is_asked: bool) -> Turn:
        """A new attempt at the current turn."""
        self._asked += is_asked
        return Turn(self.turn_id, self.next_number(), kind, text, is_asked)

    def settled(self, turn: Turn) -> None:
        """The turn is over: count the attempts anew."""
        self._count = self._asked = 0
        self.turn_id = max(self.turn_id, turn.turn_id + 1)

    def spend(self, turn: Turn, guesses: Guesses, spoken_chars: int) -> TurnSpend:
        """What the turn that is being settled asked for, and how much of it in vain.

        Args:
            turn: The attempt that was heard, or would have been.
            guesses: Those at this turn.
            spoken_chars: Given to the voice for the attempt that was heard.
        """
        is_answered = turn.is_asked and turn.is_taken
        return TurnSpend(
            calls=self._asked,
            guessed_calls=guesses.begun,
            missed_calls=guesses.missed,
            wasted_calls=self._asked - is_answered,
            chars=guesses.wasted_chars + (spoken_chars if is_answered else 0),
            wasted_chars=guesses.wasted_chars,
        )
