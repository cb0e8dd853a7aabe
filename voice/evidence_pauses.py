"""How long this caller pauses in the middle of what he says.

The usual pause is a moving average of the pauses after which he went on, those included that we
mistook for the end of his turn: they count double, since they are the long ones that we hardly ever
get to see. It stays within ``LEAST_S`` and ``MOST_S``.
"""

from __future__ import annotations

LEAST_S = 0.15
MOST_S = 0.9
_NOTICED_S = 0.1
_FORGOTTEN_S = 3.0
_WEIGHT = 0.12


class CallerPauses:
    """One caller's.

    Args:
        first_s: The usual pause of a caller of whom nothing is known yet.

    Attributes:
        usual_s: The usual pause, as learned so far.
    """

    __slots__ = ("_first_s", "usual_s")

    def __init__(self, first_s: float) -> None:
        self._first_s = first_s
        self.usual_s = first_s

    @property
    def pace_ratio(self) -> float:
        """How this caller's pauses compare with everybody's: above 1 for one who takes his time."""
        return self.usual_s / self._first_s

    def went_on_after(self, pause_s: float, *, was_taken: bool = False) -> bool:
        """The caller paused and went on; returns whether that counts as a pause.

        Args:
            pause_s: From the last sound before it to the first one after it.
            was_taken: True when the pause was mistaken for the end of the turn.
        """
        if not _NOTICED_S <= pause_s <= _FORGOTTEN_S:
            return False
        weight = 2 * _WEIGHT if was_taken else _WEIGHT
        usual_s = self.usual_s + weight * (pause_s - self.usual_s)
        self.usual_s = min(max(usual_s, LEAST_S), MOST_S)
        return True
