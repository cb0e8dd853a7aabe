"""What an attempt tells about its unit.

Rules
1. Bad: no connection, closed, a server error, garbage; silence past 1.15 x the unit's own P99 (long
   before any deadline); past the deadline; a stall in mid-stream; an empty transcript while someone
   speaks, silent audio, the wrong language.
2. Shut: 429, a 503 that says when to come back, and refused keys open at once, for as long as the
   provider says.
3. Nothing: the caller spoke up or hung up before the first output, the model only called a tool, a
   content filter acted, another candidate was first, a pooled socket was stale, a limit of our own
   on this process was reached (``ProviderBusy`` with a setting): the next provider is asked, and
   the other processes keep this one.
4. Our own mistakes (a 400) raise an alarm and open nothing: the next provider would be asked the
   same wrong thing, and every tenant would lose a provider for one tenant's typing error.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
)


class Sign(StrEnum):
    """What was seen."""

    ANSWERED = "answered"
    UNAVAILABLE = "unavailable"
    GARBAGE = "garbage"
    SILENT = "silent"
    LATE = "late"
    STALLED = "stalled"
    NO_CONTENT = "no_content"
    BUSY = "busy"
    REFUSED = "refused"
    ABANDONED = "abandoned"
    TOOL_ONLY = "tool_only"
    FILTERED = "filtered"
    OUTRUN = "outrun"
    STALE_SOCKET = "stale_socket"
    NO_PLACE = "no_place"
    OUR_MISTAKE = "our_mistake"


Weight = Literal["good", "bad", "shut", "nothing", "alarm"]

WEIGHTS: Final[dict[Sign, Weight]] = {
    Sign.ANSWERED: "good",
    Sign.UNAVAILABLE: "bad",
    Sign.GARBAGE: "bad",
    Sign.SILENT: "bad",
    Sign.LATE: "bad",
    Sign.STALLED: "bad",
    Sign.NO_CONTENT: "bad",
    Sign.BUSY: "shut",
    Sign.REFUSED: "shut",
    Sign.ABANDONED: "nothing",
    Sign.TOOL_ONLY: "nothing",
    Sign.FILTERED: "nothing",
    Sign.OUTRUN: "nothing",
    Sign.STALE_SOCKET: "nothing",
    Sign.NO_PLACE: "nothing",
    Sign.OUR_MISTAKE: "alarm",
}
# Told to the keeper without waiting for the next batch.
URGENT: Final = frozenset({Sign.UNAVAILABLE, Sign.GARBAGE, Sign.BUSY, Sign.REFUSED})


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing seen of one unit.

    Attributes:
        sign: What it was.
        latency_s: From the request to the first useful output; for ANSWERED only.
        retry_after_s: How long the provider asked us to stay away; for BUSY.
    """

    sign: Sign
    latency_s: float | None = None
    retry_after_s: float | None = None

    @property
    def weight(self) -> Weight:
        """How it counts."""
        return WEIGHTS[self.sign]


def signal_of_error(error: ProviderError) -> Signal:
    """What an error says about its unit."""
    match error:
        case ProviderBusy() if error.setting:
            return Signal(Sign.NO_PLACE)
        case ProviderBusy():
            return Signal(Sign.BUSY, retry_after_s=error.retry_after_s)
        case ProviderRefused():
            return Signal(Sign.REFUSED)
        case ProviderRejected():
            return Signal(Sign.OUR_MISTAKE)
        case _ if error.retry_after_s is not None:
            return Signal(Sign.BUSY, retry_after_s=error.retry_after_s)
        case ProviderTimeout():
            return Signal(Sign.LATE)
        case ProviderProtocolError():
            return Signal(Sign.GARBAGE)
        case _:
            return Signal(Sign.UNAVAILABLE)
