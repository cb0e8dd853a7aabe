"""What passes from a Realtime model that was given up to whoever carries the call then."""

from __future__ import annotations

from dataclasses import dataclass

from actors.call_parts import CallEnd
from actors.comeback import Comeback

GIVEN_UP = CallEnd(False, "realtime_given_up", 1011)


@dataclass(frozen=True, slots=True)
class Remains:
    """What a call that the service was given up for leaves behind.

    Attributes:
        audio: What the caller has said and nobody has answered; mu-law.
        is_new: Nothing was said yet, not even the greeting.
        was_cut: The agent was speaking, or a tool was at work for the caller.
        comeback: What the carrier did with the call, if no turn has told it yet.
    """

    audio: bytes
    is_new: bool
    was_cut: bool
    comeback: Comeback | None
