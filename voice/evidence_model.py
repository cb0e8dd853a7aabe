"""When the end-of-turn model is asked about a pause, and which of its answers count.

Rules:

1. A pause has a number; the model is asked about it at a few fixed lengths of silence, as long as
   the answer could still change anything.
2. An answer counts until the caller goes on; what comes for an earlier pause is stale. The newest
   answer replaces the one before it.
3. Nothing ever waits for an answer.
"""

from __future__ import annotations

import math


class TurnJudge:
    """The questions of one call.

    Args:
        at_s: Silences at which the model is asked, rising; empty never to ask.

    Attributes:
        pause_id: Number of the running pause.
        ratio: How likely the caller has finished by the model's answer, 0 to 1; None without one.
        next_at_s: The silence at which it is asked next; infinite when it is not.
    """

    __slots__ = ("_at_s", "_next", "next_at_s", "pause_id", "ratio")

    def __init__(self, at_s: tuple[float, ...]) -> None:
        self._at_s = (*at_s, float("inf"))
        self._next = 0
        self.pause_id = 1
        self.ratio: float | None = None
        self.next_at_s = self._at_s[0]

    def asked(self, silence_s: float) -> int:
        """The model is asked now; returns the number of the pause."""
        while self.next_at_s <= silence_s:
            self._next += 1
            self.next_at_s = self._at_s[self._next]
        return self.pause_id

    def answered(self, pause_id: int, ratio: float) -> bool:
        """An answer came; returns whether it counts. Values out of 0 to 1 are clipped."""
        if pause_id != self.pause_id or self._next == 0 or math.isnan(ratio):
            return False
        self.ratio = min(max(ratio, 0.0), 1.0)
        return True

    def went_on(self) -> None:
        """The caller speaks again, or a new utterance begins."""
        if self._next == 0:
            return
        self.pause_id += 1
        self._next = 0
        self.ratio = None
        self.next_at_s = self._at_s[0]
