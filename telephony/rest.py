"""What we ask of the carrier: place a call, steer it, record it, look after numbers.

The port and its plain data. ``telephony.twilio_rest`` does it with Twilio's own client.

What an error means for a caller of ``create_call``
- ``CarrierRefused``: nothing was done, and asking again will not help.
- ``CarrierThrottled``: nothing was done; ask again after ``retry_after_s``.
- ``CarrierUnreachable`` with ``maybe_done`` False: nothing was done; ask again later. With
  ``maybe_done`` True nobody knows: asking again may ring the same phone twice.

Source: Twilio, Call, Recording, IncomingPhoneNumber and Account resources, 2010-04-01.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Protocol

from telephony.errors import InvalidCall
from telephony.phone_number import check_e164

CallStatus = Literal[
    "queued",
    "initiated",
    "ringing",
    "in-progress",
    "completed",
    "busy",
    "failed",
    "no-answer",
    "canceled",
]
"""``initiated`` is named in status callbacks only."""

StatusEvent = Literal["initiated", "ringing", "answered", "completed"]
ALL_STATUS_EVENTS: tuple[StatusEvent, ...] = ("initiated", "ringing", "answered", "completed")

MAX_INLINE_TWIML_CHARS = 4_000
MAX_SEND_DIGITS = 32
MAX_RING_S = 600
MAX_CALL_S = 86_400

_SEND_DIGITS = re.compile(r"[0-9A-D#*wW]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineDetection:
    """Find out who answered.

    Attributes:
        mode: ``Enable`` tells as soon as it is known (``human``, ``machine_start``, ``fax``,
            ``unknown``); ``DetectMessageEnd`` waits for the end of the machine's greeting
            (``machine_end_beep``, ``machine_end_silence``, ``machine_end_other``).
        callback_url: Told the result while the call goes on already. Empty: the call waits in
            silence, two to four seconds, and the voice webhook carries ``AnsweredBy``.
        timeout_s: After this long the result is ``unknown``; 3 to 59, the carrier's 30 when None.
    """

    mode: Literal["Enable", "DetectMessageEnd"] = "Enable"
    callback_url: str = ""
    timeout_s: int | None = None

    @property
    def is_async(self) -> bool:
        """Whether the call goes on before the result is known."""
        return bool(self.callback_url)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecording:
    """Record a call, each side on a channel of its own.

    Attributes:
        callback_url: Told when the recording can be fetched.
        channels: ``dual`` or ``mono``.
    """

    callback_url: str = ""
    channels: Literal["dual", "mono"] = "dual"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCall:
    """A call to be placed. Checked when it is made.

    Attributes:
        to: E.164.
        from_: E.164; a number of the account or one verified as a caller ID.
        url: Asked for TwiML when the call is answered. Either this or ``twiml``.
        twiml: At most 4,000 characters; its ``action`` URLs are absolute.
        status_callback: Told of ``status_events``; nobody when empty.
        status_events: Which of them.
        timeout_s: How long it rings, 1 to 600; the carrier may add five seconds.
        time_limit_s: The carrier ends the call after this long; its own limit (4 h) when None.
        machine_detection: None: nobody listens for a machine.
        recording: None: nothing is recorded.
        send_digits: Pressed on answer, at most 32 of ``0-9 A-D # *``, ``w`` (0.5 s), ``W`` (1 s).
            The carrier leaves machine detection out when there are any, so both together are
            refused here.

    Raises:
        InvalidPhoneNumber: ``to`` or ``from_``.
        InvalidCall: Anything else; names the attribute.
    """

    to: str
    from_: str
    url: str = ""
    twiml: str = ""
    status_callback: str = ""
    status_events: tuple[StatusEvent, ...] = ALL_STATUS_EVENTS
    timeout_s: int = 60
    time_limit_s: int | None = None
    machine_detection: MachineDetection | None = None
    recording: CallRecording | None = None
    send_digits: str = ""

    def __post_init__(self) -> None:
        check_e164(self.to, "to")
        check_e164(self.from_, "from_")
        for is_wrong, field, text in self._problems():
            if is_wrong:
                raise InvalidCall(f"{field}: {text}", field)

    def _problems(self) -> tuple[tuple[bool, str, str], ...]:
        amd, limit_s = self.machine_detection, self.time_limit_s
        wait_s = amd.timeout_s if amd else None
        return (
            (bool(self.url) == bool(self.twiml), "url", "give either url or twiml"),
            (
                len(self.twiml) > MAX_INLINE_TWIML_CHARS,
                "twiml",
                f"{len(self.twiml)} characters, at most {MAX_INLINE_TWIML_CHARS}; use url",
            ),
            (not 1 <= self.timeout_s <= MAX_RING_S, "timeout_s", f"1 to {MAX_RING_S} seconds"),
            (
                limit_s is not None and not 1 <= limit_s <= MAX_CALL_S,
                "time_limit_s",
                f"1 to {MAX_CALL_S} seconds",
            ),
            (
                len(self.send_digits) > MAX_SEND_DIGITS
                or _SEND_DIGITS.fullmatch(self.send_digits) is None,
                "send_digits",
                f"at most {MAX_SEND_DIGITS} of 0-9 A-D # * w W",
            ),
            (
                amd is not None and bool(self.send_digits),
                "send_digits",
                "not together with machine_detection, which the carrier would leave out",
            ),
            (
                wait_s is not None and not 3 <= wait_s <= 59,
                "machine_detection.timeout_s",
                "3 to 59 seconds",
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierCall:
    """A call as the carrier's records have it.

    Attributes:
        status: See ``CallStatus``.
        direction: ``inbound``, ``outbound-api`` or ``outbound-dial``.
        answered_by: Of machine detection; empty without.
        duration_s: None while it lasts, and for calls that nobody answered.
        price: What it cost so far as known, as the carrier writes it (negative); empty until then.
        parent_call_sid: Of the call that dialled this one; empty otherwise.
    """

    sid: str
    status: str
    direction: str = ""
    to: str = ""
    from_: str = ""
    answered_by: str = ""
    duration_s: int | None = None
    price: str = ""
    price_unit: str = ""
    parent_call_sid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierNumber:
    """A number that the account owns, and where it sends its calls."""

    sid: str
    number: str
    voice_url: str = ""
    voice_method: str = "POST"
    voice_fallback_url: str = ""
    status_callback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierAccount:
    """The account that our key opens.

    Attributes:
        status: ``active``, ``suspended`` or ``closed``.
        type: ``Full`` or ``Trial``.
    """

    sid: str
    status: str
    type: str = ""


class CarrierRest(Protocol):
    """The carrier's REST interface.

    Every method may raise ``CarrierRefused``, ``CarrierThrottled`` or ``CarrierUnreachable``, and
    does so within the time limit of the implementation. None asks again by itself.
    """

    async def create_call(self, call: CreateCall) -> str:
        """Queue a call at the carrier; returns its sid."""

    async def update_call(
        self, call_sid: str, *, twiml: str = "", status: Literal["", "completed", "canceled"] = ""
    ) -> None:
        """Replace what a call is doing by ``twiml``, or end it. Exactly one of the two.

        ``completed`` hangs up whatever the call does; ``canceled`` only before it is answered.

        Raises:
            CarrierRefused: ``is_call_over`` when the call is not in progress any more.
        """

    async def fetch_call(self, call_sid: str) -> CarrierCall:
        """The call as the carrier has it."""

    async def start_recording(self, call_sid: str, recording: CallRecording | None = None) -> str:
        """Record a call in progress from now on; returns the recording's sid."""

    async def delete_recording(self, recording_sid: str) -> bool:
        """Delete a recording for good; False when there was none."""

    async def find_number(self, number: str) -> CarrierNumber | None:
        """The account's number, or None when it owns no such number. ``number`` is E.164."""

    async def set_number_urls(
        self, number_sid: str, *, voice_url: str, status_url: str, fallback_url: str | None = None
    ) -> None:
        """Where a number sends its calls (POST), and whom it tells of their end.

        Args:
            number_sid: Of the number.
            voice_url: Asked for TwiML when somebody calls; nobody when empty.
            status_url: Told of the end of its calls; nobody when empty.
            fallback_url: Asked when ``voice_url`` fails; nobody when empty, left alone when None.
        """

    async def check_account(self) -> CarrierAccount:
        """The account behind the key: shows that the key is good."""

    async def close(self) -> None:
        """Close the connections."""
