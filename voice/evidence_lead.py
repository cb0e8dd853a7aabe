"""How long a reply takes to its first audio: a guess that is made sooner than that gains nothing.

Rules:

1. A longer time than the usual one is believed by half, a shorter one by a tenth: so the figure is
   one that about five of six replies keep, whoever answers, and whatever he keeps in store.
2. It stays within ``LEAST_S`` and ``MOST_S``.
"""

from __future__ import annotations

LEAST_S = 0.2
MOST_S = 1.5
_UP = 0.5
_DOWN = 0.1


class ReplyLead:
    """Of one call.

    Args:
        first_s: The usual time of replies of which nothing is known yet.

    Attributes:
        usual_s: The usual time, as learned so far.
    """

    __slots__ = ("usual_s",)

    def __init__(self, first_s: float) -> None:
        self.usual_s = first_s

    def took(self, seconds: float) -> None:
        """A reply took so long."""
        seconds = min(max(seconds, LEAST_S), MOST_S)
        share = _UP if seconds > self.usual_s else _DOWN
        self.usual_s += share * (seconds - self.usual_s)
