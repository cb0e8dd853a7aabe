"""What the dialer is told and what it wants: two closed unions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CallKey = tuple[str, str]
"""(``tenant_id``, ``call_id``)."""

OUTCOME_UNKNOWN = "outcome_unknown"
UNREACHABLE = "carrier_unreachable"
THROTTLED = "the carrier takes no more calls just now"


# --- events ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallDue:
    """A call waits to be dialled. ``attempts`` counts those made before."""

    key: CallKey
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class CallWithdrawn:
    """Somebody cancelled a call, or it is dialled elsewhere; nothing if it is not waiting."""

    key: CallKey


@dataclass(frozen=True, slots=True)
class CapacityKnown:
    """The cluster can take so many more calls now.

    ``tenants``: likewise of each tenant with a limit; those on their way are taken off.
    """

    free: int
    tenants: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallAccepted:
    """The carrier has queued the call under this sid."""

    key: CallKey
    call_sid: str


@dataclass(frozen=True, slots=True)
class CallRefused:
    """The carrier will not place this call; ``code`` is its own."""

    key: CallKey
    code: int
    message: str


@dataclass(frozen=True, slots=True)
class CarrierWasBusy:
    """Nothing was done, and no other call would be taken either, such as after a 429.

    ``retry_after_s`` is None when the carrier did not say; ``why`` is for people.
    """

    key: CallKey
    retry_after_s: float | None = None
    why: str = THROTTLED


@dataclass(frozen=True, slots=True)
class CarrierWasAway:
    """No answer. ``maybe_done``: the phone may be ringing all the same."""

    key: CallKey
    message: str
    maybe_done: bool


@dataclass(frozen=True, slots=True)
class CallTaken:
    """It turned out that the call is not to be dialled now; the carrier was not asked.

    It was cancelled, is dialled by another, or could not be claimed.
    """

    key: CallKey


Event = (
    CallDue
    | CallWithdrawn
    | CapacityKnown
    | CallAccepted
    | CallRefused
    | CarrierWasBusy
    | CarrierWasAway
    | CallTaken
)

# --- outputs --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dial:
    """Mark the call as being dialled, in the store, and then ask the carrier.

    ``attempt`` counts from 1.
    """

    key: CallKey
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class MarkPlaced:
    """The carrier has it."""

    key: CallKey
    call_sid: str


@dataclass(frozen=True, slots=True)
class MarkWaiting:
    """It goes back to the queue, to be tried again in ``delay_s``."""

    key: CallKey
    delay_s: float
    attempts: int
    why: str


@dataclass(frozen=True, slots=True)
class MarkFailed:
    """It is over. ``code`` is the carrier's, 0 when there is none."""

    key: CallKey
    code: int
    why: str


Output = Dial | MarkPlaced | MarkWaiting | MarkFailed
