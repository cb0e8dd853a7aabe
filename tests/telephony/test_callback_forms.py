from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.callback_forms import (
    FINAL_STATUSES,
    read_call_status,
    read_dial_result,
    read_machine_report,
    read_recording_report,
)
from telephony.errors import InvalidField, MissingField
from tests.telephony.properties import examples

CALL = "CA" + "a" * 32
CHILD = "CA" + "d" * 32
RECORDING = "RE" + "b" * 32

STATUS = {
    "CallSid": CALL,
    "CallStatus": "completed",
    "SequenceNumber": "3",
    "CallDuration": "42",
    "Timestamp": "Fri, 20 Nov 2026 23:40:01 +0000",
    "Unannounced7": " é ",
}
DIAL = {
    "CallSid": CALL,
    "CallStatus": "in-progress",
    "DialCallStatus": "completed",
    "DialCallSid": CHILD,
    "DialCallDuration": "7",
    "DialBridged": "true",
}
MACHINE = {"CallSid": CALL, "AnsweredBy": "human", "MachineDetectionDuration": "2540"}
RECORDED = {
    "CallSid": CALL,
    "RecordingSid": RECORDING,
    "RecordingStatus": "completed",
    "RecordingUrl": f"https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/{RECORDING}",
    "RecordingDuration": "12",
    "RecordingChannels": "2",
    "RecordingSource": "OutboundAPI",
    "RecordingStartTime": "Fri, 20 Nov 2026 23:40:01 +0000",
    "ErrorCode": "0",
}
READERS: list[tuple[Callable[[dict[str, str]], object], dict[str, str], list[str]]] = [
    (read_call_status, STATUS, ["CallSid", "CallStatus"]),
    (read_dial_result, DIAL, ["CallSid", "CallStatus", "DialCallStatus"]),
    (read_machine_report, MACHINE, ["CallSid", "AnsweredBy"]),
    (read_recording_report, RECORDED, ["RecordingSid", "CallSid", "RecordingStatus"]),
]


def test_a_state_of_a_call() -> None:
    report = read_call_status(STATUS)
    assert (report.call_sid, report.status, report.is_final) == (CALL, "completed", True)
    assert (report.sequence_number, report.duration_s) == (3, 42)
    assert report.at == datetime(2026, 11, 20, 23, 40, 1, tzinfo=UTC)


@pytest.mark.parametrize("status", ["queued", "initiated", "ringing", "in-progress", "new-one"])
def test_a_call_goes_on_after_any_other_state(status: str) -> None:
    report = read_call_status({"CallSid": CALL, "CallStatus": status})
    assert not report.is_final
    assert (report.sequence_number, report.duration_s, report.at) == (None, None, None)
    assert status not in FINAL_STATUSES


def test_why_a_call_failed_and_who_dialled_it() -> None:
    form = STATUS | {
        "CallStatus": "failed",
        "SipResponseCode": "404",
        "ParentCallSid": CHILD,
        "AnsweredBy": "machine_start",
    }
    report = read_call_status(form)
    assert (report.sip_response_code, report.parent_call_sid) == (404, CHILD)
    assert report.answered_by == "machine_start"


def test_a_dialled_call_that_was_answered() -> None:
    result = read_dial_result(DIAL)
    assert (result.is_answered, result.caller_is_there) == (True, True)
    assert (result.dial_call_sid, result.dial_duration_s) == (CHILD, 7)
    assert result.is_bridged is True


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
def test_a_dialled_call_that_nobody_took(status: str) -> None:
    form = {"CallSid": CALL, "CallStatus": "in-progress", "DialCallStatus": status}
    result = read_dial_result(form)
    assert not result.is_answered
    assert (result.dial_call_sid, result.dial_duration_s, result.is_bridged) == ("", None, None)


def test_a_caller_who_is_gone() -> None:
    assert not read_dial_result(DIAL | {"CallStatus": "completed"}).caller_is_there


@pytest.mark.parametrize(
    ("answered_by", "facts"),
    [
        ("human", (True, False, False)),
        ("machine_start", (False, True, False)),
        ("machine_end_beep", (False, True, True)),
        ("machine_end_silence", (False, True, True)),
        ("machine_end_other", (False, True, True)),
        ("fax", (False, True, False)),
        ("unknown", (False, False, False)),
        ("something_new", (False, False, False)),
    ],
)
def test_who_answered(answered_by: str, facts: tuple[bool, bool, bool]) -> None:
    report = read_machine_report(MACHINE | {"AnsweredBy": answered_by})
    assert (report.is_human, report.is_machine, report.can_leave_message) == facts
    assert report.detection_s == 2.54


def test_a_recording_that_can_be_fetched() -> None:
    report = read_recording_report(RECORDED)
    assert (report.recording_sid, report.call_sid) == (RECORDING, CALL)
    assert (report.duration_s, report.channels, report.source) == (12, 2, "OutboundAPI")
    assert report.url.endswith(RECORDING)
    assert report.error_code is None
    assert report.url not in repr(report)


def test_a_recording_without_a_sound() -> None:
    form = RECORDED | {"RecordingStatus": "absent", "RecordingDuration": "-1", "ErrorCode": "13601"}
    report = read_recording_report(form)
    assert (report.status, report.duration_s, report.error_code) == ("absent", None, 13601)


@pytest.mark.parametrize(("read", "form", "required"), READERS)
def test_what_must_be_there_is_named_when_it_is_not(
    read: Callable[[dict[str, str]], object], form: dict[str, str], required: list[str]
) -> None:
    for name in required:
        for broken in ({k: v for k, v in form.items() if k != name}, form | {name: ""}):
            with pytest.raises(MissingField, match=name) as caught:
                read(broken)
            assert caught.value.field == name


@pytest.mark.parametrize(
    ("read", "form", "name", "value"),
    [
        (read_call_status, STATUS, "CallSid", "CA/../x"),
        (read_call_status, STATUS, "CallSid", "a" * 65),
        (read_call_status, STATUS, "CallStatus", "Completed!"),
        (read_call_status, STATUS, "SequenceNumber", "-2"),
        (read_call_status, STATUS, "CallDuration", "1.5"),
        (read_call_status, STATUS, "CallDuration", "٤"),
        (read_call_status, STATUS, "CallDuration", "9" * 16),
        (read_dial_result, DIAL, "DialCallSid", "<b>"),
        (read_machine_report, MACHINE, "AnsweredBy", "human\nINFO forged line"),
        (read_recording_report, RECORDED, "RecordingUrl", "javascript:alert(1)"),
        (read_recording_report, RECORDED, "RecordingUrl", "https://h/a b"),
    ],
)
def test_what_is_not_what_it_should_be_is_named_and_not_repeated(
    read: Callable[[dict[str, str]], object], form: dict[str, str], name: str, value: str
) -> None:
    with pytest.raises(InvalidField, match=name) as caught:
        read(form | {name: value})
    assert value not in str(caught.value)


_field = st.sampled_from(
    sorted(set(STATUS) | set(DIAL) | set(MACHINE) | set(RECORDED) | {"SipResponseCode"})
)
_value = st.text(max_size=80) | st.sampled_from(
    [
        *STATUS.values(),
        *DIAL.values(),
        *RECORDED.values(),
        "31 Feb 2026 99:99:99 +9999",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Fri, 31 Dec 9999 23:59:59 -2359",
    ]
)


@pytest.mark.parametrize(("read", "form"), [(read, form) for read, form, _ in READERS])
@examples(150)
@given(changes=st.dictionaries(_field, _value, max_size=6))
def test_any_form_is_read_or_refused_by_name(
    read: Callable[[dict[str, str]], object], form: dict[str, str], changes: dict[str, str]
) -> None:
    try:
        report = read(form | changes)
    except MissingField as error:
        assert_names_its_field(error)
    else:
        # Sids and words may stand in a log line; no value of theirs breaks one.
        assert "\n" not in repr(report)


def assert_names_its_field(error: MissingField) -> None:
    assert error.field in str(error)
