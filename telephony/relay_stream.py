"""One ConversationRelay socket, read into messages: the machine behind it.

The rules:

1. ``setup`` comes first, within 5 s; what comes before it is dropped, counted and reported. With
   ``applicationReconnect`` it is not known whether a socket that Twilio has opened again begins
   with one: a machine that ``is_known`` takes any message from the start.
2. A second ``setup`` of the same call is handed out (Twilio has taken the session up again), one of
   another call is out of place.
3. Bad messages do not end a call, but fifty in a row do: ``receive`` raises ``TooManyBadMessages``,
   as it does ever after. Types that we do not know are no bad messages.

Nothing here does I/O or reads a clock; ``now`` is loop time in seconds.
"""

from __future__ import annotations

from telephony.errors import MalformedMessage, OutOfPlace, StartOverdue, TooManyBadMessages
from telephony.relay_messages import RelayMessage, Setup, UnknownMessage, parse_relay
from telephony.stream_events import ProtocolWarning

SETUP_TIMEOUT_S = 5.0
MAX_BAD_IN_A_ROW = 50


class RelayStream:
    """Reads one socket.

    Args:
        now: Loop time when the socket was accepted.
        call_sid: Of the call that this socket is known to belong to; empty when ``setup`` says it.

    Attributes:
        setup: The newest one; None before the first.
        unknown: Messages of a type that we do not know.
        bad: Messages that could not be read or were out of place.
    """

    def __init__(self, *, now: float, call_sid: str = "") -> None:
        self.setup: Setup | None = None
        self.unknown = 0
        self.bad = 0
        self._call_sid = call_sid
        self._setup_due = now + SETUP_TIMEOUT_S
        self._bad_in_a_row = 0

    @property
    def session_id(self) -> str:
        """``VX...``; empty before ``setup``."""
        return self.setup.session_id if self.setup is not None else ""

    @property
    def is_known(self) -> bool:
        """Whether it is known which call this is."""
        return bool(self._call_sid)

    def receive(self, message: str | bytes, *, now: float) -> RelayMessage | ProtocolWarning:
        """Read one WebSocket message.

        Raises:
            StreamRefused: The socket cannot go on; close it with ``close_code``.
        """
        if self._bad_in_a_row >= MAX_BAD_IN_A_ROW:
            raise TooManyBadMessages(f"{MAX_BAD_IN_A_ROW} bad messages in a row")
        if not self.is_known and now > self._setup_due:
            raise StartOverdue(f"no setup within {SETUP_TIMEOUT_S:.0f} s")
        try:
            read = parse_relay(message)
            self._check_place(read)
        except (MalformedMessage, OutOfPlace) as error:
            self.bad += 1
            self._bad_in_a_row += 1
            if self._bad_in_a_row >= MAX_BAD_IN_A_ROW:
                raise TooManyBadMessages(
                    f"{MAX_BAD_IN_A_ROW} bad messages in a row; the last one: {error}"
                ) from None
            return ProtocolWarning(error)
        if isinstance(read, UnknownMessage):
            self.unknown += 1
        else:
            self._bad_in_a_row = 0
        return read

    def _check_place(self, read: RelayMessage) -> None:
        if not isinstance(read, Setup):
            if not self.is_known:
                raise OutOfPlace(f"{type(read).__name__} before setup")
            return
        if self.is_known and read.call_sid != self._call_sid:
            raise OutOfPlace("setup of another call")
        self._call_sid = read.call_sid
        self.setup = read
