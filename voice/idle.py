"""Silence on both sides: first a question, then the end.

Counted from the last thing heard on the line. The question itself does not count, so the call ends
``hang_up_s`` after the last real exchange.
"""

from __future__ import annotations

from typing import Literal

_ROUNDING_S = 1e-6


class IdleWatch:
    """Watches one call's silence; asks once in each."""

    __slots__ = ("_hang_up_s", "_has_prompted", "_prompt_s", "_since")

    def __init__(self, prompt_s: float, hang_up_s: float) -> None:
        self._prompt_s = prompt_s
        self._hang_up_s = hang_up_s
        self._since: float | None = None
        self._has_prompted = False

    def note_activity(self, *, now: float) -> None:
        """Somebody was heard."""
        self._since = now
        self._has_prompted = False

    def next_deadline(self) -> float | None:
        """Loop time at which something is due if the silence lasts; None before the call began."""
        if self._since is None:
            return None
        wait_s = self._hang_up_s
        if not self._has_prompted:
            wait_s = min(wait_s, self._prompt_s)
        return self._since + wait_s

    def handle_deadline(self, *, now: float) -> Literal["prompt", "hang_up"] | None:
        """What is due at ``now``."""
        deadline = self.next_deadline()
        if deadline is None or self._since is None or now < deadline - _ROUNDING_S:
            return None
        if now >= self._since + self._hang_up_s - _ROUNDING_S:
            return "hang_up"
        self._has_prompted = True
        return "prompt"
