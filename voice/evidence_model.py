"""When the end-of-turn model is asked about a pause, and which of its answers count.

Rules:

1. A pause has a number. The model is asked about it early, and once more if no answer came: the
   longer the silence that it hears, the more it takes any pause for an end. Asked after 60 ms it
   tells ends from pauses best (area under the curve 0.88, after 100 ms 0.87, after 200 ms 0.83,
   after 440 ms 0.79).
2. An answer counts until the caller goes on; what comes for an earlier pause is stale, and so is a
   second answer.
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
        is_open = pause_id == self.pause_id and self._next > 0 and self.ratio is None
        if not is_open or math.isnan(ratio):
            return False
        self.ratio = min(max(ratio, 0.0), 1.0)
        self.next_at_s = float("inf")
        return True

    def went_on(self) -> None:
        """The caller speaks again, or a new utterance begins."""
        if self._next == 0:
            return
        self.pause_id += 1
        self._next = 0
        self.ratio = None
        self.next_at_s = self._at_s[0]
