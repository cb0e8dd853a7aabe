"""What a ConversationRelay session is opened with, and how it ended."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from simulation.carrier_line import NORMAL_CLOSE, SocketAddress
from simulation.carrier_webhooks import CallIdentity, Form
from simulation.relay_timing import RelayTiming
from simulation.twiml_relay import Relay


@dataclass(frozen=True, slots=True)
class RelaySetup:
    """What a session is opened with; ``call_status`` is ``RINGING`` or ``IN_PROGRESS``."""

    noun: Relay
    address: SocketAddress
    auth_token: str
    identity: CallIdentity
    session_id: str
    call_status: str = "IN_PROGRESS"
    tls: ssl.SSLContext | None = None
    timing: RelayTiming = field(default_factory=RelayTiming)


@dataclass(frozen=True, slots=True)
class RelayEnd:
    """How a session ended.

    Attributes:
        at_s: Loop time.
        status: ``ended``, ``completed`` or ``failed``.
        error: Code and message of a failed one.
        handoff_data: Of one that the server ended; None when it gave none.
        close_code: Of the server's close frame; 1006 when none came.
    """

    at_s: float
    status: str
    error: tuple[int, str] = (0, "")
    handoff_data: str | None = None
    close_code: int = NORMAL_CLOSE

    @property
    def hung_up(self) -> bool:
        """The caller ended it."""
        return self.status == "completed"

    def fields(self, session_id: str, duration_s: float) -> Form:
        """What ``action`` is told besides."""
        found = [
            ("SessionId", session_id),
            ("SessionStatus", self.status),
            ("SessionDuration", str(round(duration_s))),
        ]
        if self.status == "failed":
            found += [("ErrorCode", str(self.error[0])), ("ErrorMessage", self.error[1])]
        if self.handoff_data is not None:
            found.append(("HandoffData", self.handoff_data))
        return tuple(found)
