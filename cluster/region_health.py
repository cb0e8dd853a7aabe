"""Whether another region answers: a machine with hysteresis; whoever asks it touches memory only.

Rules
1. A region is believed to answer until ``FAILURES_CLOSE`` in a row say otherwise: one lost probe
   sends no caller across an ocean.
2. It is believed in again after ``ANSWERS_OPEN`` good probes in a row: a region that comes up and
   goes down again takes nobody's call with it.
3. A call that it did not take for want of an answer counts as a failed probe; one that it took, as
   a good one. A region that is full answers.
"""

from __future__ import annotations

FAILURES_CLOSE = 2
ANSWERS_OPEN = 3


class RegionHealth:
    """What is believed of one region.

    Attributes:
        is_up: Whether calls may be given to it.
    """

    def __init__(self) -> None:
        self.is_up = True
        self._in_a_row = 0
        """Of the kind that speaks against what is believed."""

    def saw(self, *, answered: bool) -> bool:
        """Take one observation; True when it changed what is believed."""
        if answered == self.is_up:
            self._in_a_row = 0
            return False
        self._in_a_row += 1
        if self._in_a_row < (FAILURES_CLOSE if self.is_up else ANSWERS_OPEN):
            return False
        self.is_up = answered
        self._in_a_row = 0
        return True
