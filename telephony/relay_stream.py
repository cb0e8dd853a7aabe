"""One ConversationRelay socket, read into messages: the machine behind it.

The rules:

1. ``setup`` comes first, within 5 s; what comes before it is dropped, counted and reported. With
   ``applicationReconnect`` it is not known whether a socket that Twilio has opened again begins
   with one: a machine that ``is_known`` takes any message from the start.
2. A second ``setup`` of the same call is handed out (Twilio has taken the session up again), one of
   another call is out of place.
3. Bad messages do not end a call, but fifty in a row do: ``receive`` raises ``TooManyBadMessages``,
   as it does ever after. Types that we do not know are no bad messages.
4. A flood ends the socket (``TooManyMessages``), and Twilio opens another one: more than
   ``MESSAGES_A_SECOND`` for long, or ``MOST_AT_ONCE`` together. Each 1,000 characters count as one
   more, and what may begin or end a turn as ``COST_OF_TURN``: nobody speaks, cuts in or presses
   keys fifty times a second. The 500 that Twilio keeps for a socket which it opens again are none.

Nothing here does I/O or reads a clock; ``now`` is loop time in seconds.
"""

from __future__ import annotations

from telephony.errors import (
    MalformedMessage,
    OutOfPlace,
    StartOverdue,
    TooManyBadMessages,
    TooManyMessages,
)
from telephony.relay_messages import (
    Interrupt,
    KeyPressed,
    Prompt,
    RelayMessage,
    Setup,
    UnknownMessage,
    parse_relay,
)
from telephony.stream_events import ProtocolWarning

SETUP_TIMEOUT_S = 5.0
MAX_BAD_IN_A_ROW = 50
MESSAGES_A_SECOND = 200.0
MOST_AT_ONCE = 2_500.0
COST_OF_TURN = 4.0
_CHARS_OF_ONE = 1_000


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
        self._spare = MOST_AT_ONCE
        self._spare_at = now

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
        self._count(1.0 + len(message) / _CHARS_OF_ONE, now)
        try:
            read = parse_relay(message)
            if isinstance(read, KeyPressed | Interrupt) or (
                isinstance(read, Prompt) and read.is_last
            ):
                self._count(COST_OF_TURN - 1.0, now)
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

    def _count(self, cost: float, now: float) -> None:
        regained = (now - self._spare_at) * MESSAGES_A_SECOND
        self._spare_at = now
        self._spare = min(self._spare + regained, MOST_AT_ONCE) - cost
        if self._spare < 0.0:
            raise TooManyMessages(f"more than {MESSAGES_A_SECOND:.0f} messages a second")

    def _check_place(self, read: RelayMessage) -> None:
        if not isinstance(read, Setup):
            if not self.is_known:
                raise OutOfPlace(f"{type(read).__name__} before setup")
            return
        if self.is_known and read.call_sid != self._call_sid:
            raise OutOfPlace("setup of another call")
        self._call_sid = read.call_sid
        self.setup = read
