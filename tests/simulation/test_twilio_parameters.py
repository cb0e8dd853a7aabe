from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.exchange import OwnedNumber
from simulation.twilio_parameters import (
    Form,
    change_number,
    read_create_call,
    read_recording,
    read_update_call,
)
from simulation.twilio_wire import ApiError

GOOD = {"To": "+14155550123", "From": "+14155550199", "Url": "https://h/v"}


def form(**fields: object) -> Form:
    return Form(urlencode(fields, doseq=True).encode())


def test_what_is_not_said_is_as_documented() -> None:
    call = read_create_call(form(**GOOD))
    assert (call.to_number, call.from_number) == (GOOD["To"], GOOD["From"])
    plan = call.plan
    assert (plan.url, plan.method, plan.time_limit_s) == ("https://h/v", "POST", 14_400.0)
    assert plan.status_states == ("completed", "busy", "failed", "no-answer", "canceled")
    assert plan.out is not None
    assert (plan.out.timeout_s, plan.out.detection, plan.out.recording) == (60.0, None, None)


def test_events_are_repeated_or_a_list() -> None:
    for events in (["initiated", "answered"], "initiated answered"):
        plan = read_create_call(form(**GOOD, StatusCallbackEvent=events)).plan
        assert plan.status_states == ("initiated", "in-progress")


def test_the_url_wins_over_the_twiml() -> None:
    plan = read_create_call(form(**GOOD, Twiml="<Response/>")).plan
    assert (plan.url, plan.twiml) == ("https://h/v", b"")


def test_keys_leave_detection_out() -> None:
    out = read_create_call(form(**GOOD, SendDigits="1", MachineDetection="Enable")).plan.out
    assert out is not None
    assert (out.send_digits, out.detection) == ("1", None)


def test_detection_and_recording() -> None:
    out = read_create_call(
        form(
            **GOOD,
            MachineDetection="DetectMessageEnd",
            AsyncAmd="true",
            AsyncAmdStatusCallback="https://h/amd",
            MachineDetectionTimeout=20,
            Record="true",
            RecordingChannels="dual",
        )
    ).plan.out
    assert out is not None
    assert out.detection is not None
    assert (out.detection.mode, out.detection.is_async) == ("DetectMessageEnd", True)
    assert (out.detection.callback, out.detection.timeout_s) == ("https://h/amd", 20.0)
    assert out.recording is not None
    assert (out.recording.channels, out.recording.source) == (2, "OutboundAPI")


def test_a_number_keeps_what_is_not_changed() -> None:
    owned = OwnedNumber("PN1", "+14155550199", voice_url="https://h/a", voice_method="GET")
    change_number(form(StatusCallback="https://h/s"), owned)
    assert (owned.voice_url, owned.voice_method) == ("https://h/a", "GET")
    assert owned.status_callback == "https://h/s"
    with pytest.raises(ApiError):
        change_number(form(VoiceUrl="https://h/b", VoiceMethod="PUT"), owned)
    assert owned.voice_url == "https://h/a"
    change_number(form(VoiceUrl=""), owned)
    assert owned.voice_url == ""


_names = st.sampled_from(
    [
        *GOOD,
        *("Twiml", "Method", "Timeout", "TimeLimit", "SendDigits", "Record", "RecordingChannels"),
        *("MachineDetection", "AsyncAmd", "MachineDetectionTimeout", "StatusCallback"),
        *("StatusCallbackEvent", "Status", "RecordingStatusCallback", "VoiceUrl"),
    ]
)


@settings(max_examples=150)
@given(st.dictionaries(_names, st.text(max_size=12)), st.binary(max_size=40))
def test_any_form_is_read_or_refused(fields: dict[str, str], junk: bytes) -> None:
    for body in (urlencode({**GOOD, **fields}).encode(), junk):
        with suppress(ApiError):
            read_create_call(Form(body))
        with suppress(ApiError):
            read_update_call(Form(body))
        with suppress(ApiError):
            read_recording(Form(body), "StartCallRecordingAPI")
        with suppress(ApiError):
            change_number(Form(body), OwnedNumber("PN1", "+14155550199"))
