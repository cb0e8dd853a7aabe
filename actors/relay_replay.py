"""Prompts that the carrier tells a second time after it has opened a socket again.

With ``applicationReconnect`` it keeps up to 500 events while no socket is open, and tells them on
the next one; which of them had arrived before is not marked. A caller who was answered is not
answered twice; one whose answer was not heard is, unless a tool was begun for it: answered anew, it
would be begun again, though the caller has asked once.
"""

from __future__ import annotations

from collections.abc import Sequence

from actors.wire import TurnEntry
from voice.words import normalise

REPLAY_S = 3.0
LOOKS_BACK = 3


class ReplayGuard:
    """Knows the last prompts that were answered.

    Args:
        log: The turns of the call so far.
        now: Loop time at which the socket was taken.
    """

    __slots__ = ("_answered", "_until")

    def __init__(self, log: Sequence[TurnEntry], *, now: float) -> None:
        self._until = now + REPLAY_S
        self._answered = [
            normalise(entry.caller_text)
            for entry in log[-LOOKS_BACK:]
            if entry.kind == "caller" and (entry.heard_text.strip() or _has_begun_tools(entry))
        ]

    def is_replayed(self, text: str, *, is_last: bool, now: float) -> bool:
        """Whether this is a prompt that was answered already; each counts once."""
        if not self._answered or now > self._until:
            return False
        words = normalise(text)
        for at, answered in enumerate(self._answered):
            if answered == words:
                if is_last:
                    del self._answered[: at + 1]
                return True
        return False


def _has_begun_tools(entry: TurnEntry) -> bool:
    return any("id" in use and "of_turn" not in use for use in entry.tools)
