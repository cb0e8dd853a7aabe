"""What Twilio posts about a call besides its webhooks: states, dialled calls, machines, recordings.

Every function takes all decoded fields of one form. Values that Twilio may add to (states, who
answered) are kept as they are, so that a new one is not an error; properties say what is known of
it. Delivery is at least once and in any order: a reader tells reports apart by their sids and
states, never by their arrival.

Source: Twilio, Call resource (status callback), Dial (action), Answering Machine Detection,
Recording resource (status callback).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from telephony.errors import InvalidField, MissingField

FINAL_STATUSES = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
"""Nothing follows one of these."""

_SID = re.compile(r"[0-9A-Za-z]{1,64}")
_WORD = re.compile(r"[a-z][a-z_-]{0,31}")
_URL = re.compile(r"https?://[\x21-\x7e]{1,2000}")
_MAX_NUMBER_CHARS = 15

Form = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CallStatusReport:
    """A call has reached a state.

    Attributes:
        status: ``queued``, ``initiated``, ``ringing``, ``in-progress`` or one of
            ``FINAL_STATUSES``.
        sequence_number: Counts the reports of one call from 0; None when it was not sent.
        duration_s: Of a completed call.
        answered_by: See ``MachineReport``; empty when nobody looked.
        parent_call_sid: The call that dialled this one; empty for others.
        sip_response_code: Why a call failed, such as 404; None when it was not sent.
        at: When it happened, in UTC; None when it was not sent, or cannot be read.
    """

    call_sid: str
    status: str
    sequence_number: int | None = None
    duration_s: int | None = None
    answered_by: str = ""
    parent_call_sid: str = ""
    sip_response_code: int | None = None
    at: datetime | None = None

    @property
    def is_final(self) -> bool:
        """Whether the call is over."""
        return self.status in FINAL_STATUSES


@dataclass(frozen=True, slots=True)
class DialResult:
    """What became of a ``<Dial>``: the request to its ``action``.

    Attributes:
        call_sid: Of the call that dialled.
        call_status: Its state; anything but ``in-progress`` means that nobody is there to hear
            what we answer.
        dial_status: ``completed`` or ``answered``, ``busy``, ``no-answer``, ``failed``,
            ``canceled``.
        dial_call_sid: The dialled call; empty when there was none.
        dial_duration_s: How long the two were connected; None when they were not.
        is_bridged: Whether they were connected; None when it was not sent.
    """

    call_sid: str
    call_status: str
    dial_status: str
    dial_call_sid: str = ""
    dial_duration_s: int | None = None
    is_bridged: bool | None = None

    @property
    def caller_is_there(self) -> bool:
        """Whether the caller is still on the line."""
        return self.call_status == "in-progress"

    @property
    def is_answered(self) -> bool:
        """Whether somebody took the call."""
        return self.dial_status in {"completed", "answered"}


@dataclass(frozen=True, slots=True)
class MachineReport:
    """Who answered an outbound call.

    Attributes:
        answered_by: ``human``, ``machine_start``, ``machine_end_beep``, ``machine_end_silence``,
            ``machine_end_other``, ``fax`` or ``unknown``.
        detection_s: How long it took to find out; None when it was not sent.
    """

    call_sid: str
    answered_by: str
    detection_s: float | None = None

    @property
    def is_human(self) -> bool:
        """Whether a person answered, as far as anybody can tell."""
        return self.answered_by == "human"

    @property
    def is_machine(self) -> bool:
        """Whether an answering machine or a fax answered; False for ``unknown``."""
        return self.answered_by.startswith("machine") or self.answered_by == "fax"

    @property
    def can_leave_message(self) -> bool:
        """Whether the machine's greeting is over: what is said now is on its tape."""
        return self.answered_by.startswith("machine_end")


@dataclass(frozen=True, slots=True)
class RecordingReport:
    """A recording has reached a state.

    Attributes:
        status: ``in-progress``, ``completed``, ``absent`` (nothing to keep) or ``failed``.
        url: Where it can be fetched, without an extension; empty until it can.
        duration_s: Whole seconds; None until it is known.
        channels: 1 or 2; None when it was not sent.
        source: ``OutboundAPI``, ``StartCallRecordingAPI``, ``StartCallRecordingTwiML``, ...
        started_at: UTC; None when it was not sent, or cannot be read.
        error_code: Why it is absent; None otherwise.
    """

    recording_sid: str
    call_sid: str
    status: str
    url: str = field(default="", repr=False)
    duration_s: int | None = None
    channels: int | None = None
    source: str = ""
    started_at: datetime | None = None
    error_code: int | None = None


def read_call_status(form: Form) -> CallStatusReport:
    """A status callback. Raises ``MissingField`` or ``InvalidField``, as do all that follow."""
    return CallStatusReport(
        call_sid=_sid(form, "CallSid"),
        status=_word(form, "CallStatus"),
        sequence_number=_whole(form, "SequenceNumber"),
        duration_s=_whole(form, "CallDuration"),
        answered_by=_optional_word(form, "AnsweredBy"),
        parent_call_sid=_optional_sid(form, "ParentCallSid"),
        sip_response_code=_whole(form, "SipResponseCode"),
        at=_moment(form, "Timestamp"),
    )


def read_dial_result(form: Form) -> DialResult:
    """The request to the ``action`` of a ``<Dial>``."""
    bridged = form.get("DialBridged", "").lower()
    return DialResult(
        call_sid=_sid(form, "CallSid"),
        call_status=_word(form, "CallStatus"),
        dial_status=_word(form, "DialCallStatus"),
        dial_call_sid=_optional_sid(form, "DialCallSid"),
        dial_duration_s=_whole(form, "DialCallDuration"),
        is_bridged={"true": True, "false": False}.get(bridged),
    )


def read_machine_report(form: Form) -> MachineReport:
    """The callback of asynchronous detection, or the voice webhook after a synchronous one."""
    detection_ms = _whole(form, "MachineDetectionDuration")
    return MachineReport(
        call_sid=_sid(form, "CallSid"),
        answered_by=_word(form, "AnsweredBy"),
        detection_s=None if detection_ms is None else detection_ms / 1_000,
    )


def read_recording_report(form: Form) -> RecordingReport:
    """A recording's status callback."""
    error_code = _whole(form, "ErrorCode")
    return RecordingReport(
        recording_sid=_sid(form, "RecordingSid"),
        call_sid=_sid(form, "CallSid"),
        status=_word(form, "RecordingStatus"),
        url=_url(form, "RecordingUrl"),
        duration_s=_whole(form, "RecordingDuration"),
        channels=_whole(form, "RecordingChannels"),
        source=form.get("RecordingSource", "")[:64],
        started_at=_moment(form, "RecordingStartTime"),
        # 0 is how "no error" is written.
        error_code=error_code or None,
    )


def _present(form: Form, name: str) -> str:
    value = form.get(name, "")
    if not value:
        raise MissingField(f"{name} is missing", name)
    return value


def _sid(form: Form, name: str) -> str:
    value = _present(form, name)
    if _SID.fullmatch(value) is None:
        raise InvalidField(f"{name} is 1 to 64 letters and digits", name)
    return value


def _optional_sid(form: Form, name: str) -> str:
    return _sid(form, name) if form.get(name) else ""


def _word(form: Form, name: str) -> str:
    value = _present(form, name)
    if _WORD.fullmatch(value) is None:
        raise InvalidField(f"{name} is one lower-case word", name)
    return value


def _optional_word(form: Form, name: str) -> str:
    return _word(form, name) if form.get(name) else ""


def _whole(form: Form, name: str) -> int | None:
    value = form.get(name, "")
    # Recordings without a length have -1 there.
    if not value or value == "-1":
        return None
    if not (value.isascii() and value.isdecimal() and len(value) <= _MAX_NUMBER_CHARS):
        raise InvalidField(f"{name} is a whole number", name)
    return int(value)


def _url(form: Form, name: str) -> str:
    value = form.get(name, "")
    if value and _URL.fullmatch(value) is None:
        raise InvalidField(f"{name} is an http(s) URL", name)
    return value


def _moment(form: Form, name: str) -> datetime | None:
    """An RFC 2822 date. Nothing depends on it, so one that cannot be read is none."""
    try:
        moment = parsedate_to_datetime(form.get(name, ""))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
