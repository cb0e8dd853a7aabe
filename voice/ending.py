"""How a call will end, once that is decided."""

from __future__ import annotations


class Ending:
    """The wish to end the call after the agent has said what it has to say.

    Attributes:
        reason: Why; None while the call goes on.
        farewell: What remains to be said first.
        is_firm: True when the caller's voice does not change it any more.
    """

    __slots__ = ("farewell", "is_firm", "reason")

    def __init__(self) -> None:
        self.reason: str | None = None
        self.farewell: str | None = None
        self.is_firm = False

    def decide(self, reason: str, farewell: str | None, *, is_firm: bool) -> None:
        """End the call; a firm decision is never replaced."""
        if not self.is_firm:
            self.reason, self.farewell, self.is_firm = reason, farewell, is_firm

    def take_back(self) -> None:
        """The caller spoke: go on, unless the end is firm."""
        if not self.is_firm:
            self.reason = self.farewell = None
