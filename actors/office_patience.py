"""How long a replica waits for a back office that does not answer before it ends it.

Longer after each time, until it answers: one that needs longer to start than anybody waits for it
would be ended by one replica or another for as long as the machine is that busy, and nobody would
watch the replicas. One machine for each replica; they do not know of each other.
"""

from __future__ import annotations


class OfficePatience:
    """See above; times are seconds of one clock.

    Args:
        first_s: For so long one that has answered may be silent.
        most_s: For so long anyone.
    """

    def __init__(self, first_s: float, most_s: float) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._patience_s = first_s
        self._since: float | None = None

    def silent(self, now: float) -> bool:
        """A question has not been answered; whether it is to be ended now, and started anew."""
        if self._since is None:
            self._since = now
        if now - self._since <= self._patience_s:
            return False
        self._patience_s = min(2 * self._patience_s, self._most_s)
        self._since = now
        return True

    def away(self) -> None:
        """It is known not to be there, and is started: it may be silent for as long once more."""
        self._since = None

    def answered(self) -> None:
        """It works."""
        self._since, self._patience_s = None, self._first_s
