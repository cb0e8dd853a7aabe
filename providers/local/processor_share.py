"""How much of a core something that may be left out is allowed to use: a bucket of seconds.

Rules:

1. The bucket holds at most ``burst_s`` seconds of work and fills by ``share`` seconds a second.
2. Work may begin while anything is in it, and takes out what it took, by the clock on the wall: on
   a busy machine the same work takes longer, so less of it is begun where the processor is scarce.
3. It may be overdrawn by one piece of work; then nothing begins until that is made up for.
"""

from __future__ import annotations


class ProcessorShare:
    """Says whether a piece of work may begin.

    Args:
        share: Of one core, above 0; 1 and more is never in the way of a single thread.
        burst_s: Seconds of work that may follow each other after a time without any.
    """

    __slots__ = ("_burst_s", "_left_s", "_seen_at", "_share")

    def __init__(self, share: float, burst_s: float = 0.5) -> None:
        if share <= 0.0 or burst_s <= 0.0:
            raise ValueError("share and burst_s must be above 0")
        self._share = share
        self._burst_s = burst_s
        self._left_s = burst_s
        self._seen_at: float | None = None

    def may_begin(self, *, now: float) -> bool:
        """Whether there is anything left at ``now``, loop time in seconds."""
        if self._seen_at is not None:
            refilled_s = max(0.0, now - self._seen_at) * self._share
            self._left_s = min(self._burst_s, self._left_s + refilled_s)
        self._seen_at = now
        return self._left_s > 0.0

    def took(self, seconds: float) -> None:
        """A piece of work took so long."""
        self._left_s -= seconds
