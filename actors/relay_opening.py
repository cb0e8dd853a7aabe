"""How a relay socket begins: what was read of it before its call was known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from actors.comeback import Comeback
from telephony.relay_messages import RelayMessage
from telephony.relay_stream import RelayStream


@dataclass(frozen=True, slots=True)
class RelayOpening:
    """How a relay socket begins.

    Attributes:
        stream: Has read the first message.
        call_sid: Of ``setup``, or of the token that stands for it.
        parameters: Of ``setup``.
        is_reconnected: The carrier has opened the socket again by itself.
        first: The first message, when it was none of ``setup``.
        comeback: What the carrier did with the call before; None for a new call, or one whose
            socket was lost.
    """

    stream: RelayStream
    call_sid: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    is_reconnected: bool = False
    first: RelayMessage | None = None
    comeback: Comeback | None = None
