"""How a call will end, or leave us, once that is decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_REASONS = {"dial": "transferring", "digits": "sending_digits", "switch": "switching"}


def is_known(action: Mapping[str, Any]) -> bool:
    """Whether the carrier can be told to do this; what another version wants may be unknown."""
    verb = action.get("verb")
    return isinstance(verb, str) and verb in _REASONS


class Ending:
    """The wish to end the call after the agent has said what it has to say.

    Attributes:
        reason: Why; None while the call goes on.
        farewell: What remains to be said first.
        is_firm: True when the caller's voice does not change it any more.
        hand_over: What the carrier does with the call then; empty when it is over.
    """

    __slots__ = ("farewell", "hand_over", "is_firm", "reason")

    def __init__(self) -> None:
        self.reason: str | None = None
        self.farewell: str | None = None
        self.is_firm = False
        self.hand_over: Mapping[str, Any] = {}

    def decide(
        self,
        reason: str,
        farewell: str | None,
        *,
        is_firm: bool,
        hand_over: Mapping[str, Any] | None = None,
    ) -> None:
        """End the call, or hand it over; a firm decision is never replaced."""
        if not self.is_firm:
            self.reason, self.farewell, self.is_firm = reason, farewell, is_firm
            self.hand_over = hand_over or {}

    def give_up(self, reason: str, farewell: str | None, action: Mapping[str, Any]) -> None:
        """There is trouble: end firmly, or hand over to whoever ``action`` names."""
        hand_over = action if is_known(action) else None
        self.decide(reason, farewell, is_firm=True, hand_over=hand_over)

    def perform(self, *, hang_up: bool, action: Mapping[str, Any]) -> None:
        """A reply was heard to its end: do what it asked for, unless the call ends anyway."""
        if self.reason is not None:
            return
        if hang_up:
            self.decide("agent_hung_up", None, is_firm=True)
        elif is_known(action):
            self.decide(_REASONS[action["verb"]], None, is_firm=True)
            self.hand_over = action

    def take_back(self) -> None:
        """The caller spoke: go on, unless the end is firm."""
        if not self.is_firm:
            self.reason = self.farewell = None
