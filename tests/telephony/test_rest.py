from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from telephony.errors import InvalidCall, InvalidPhoneNumber
from telephony.rest import CreateCall, MachineDetection

GOOD: dict[str, Any] = {
    "to": "+14155550100",
    "from_": "+14155550199",
    "url": "https://voice.example.com/twilio/voice?o=token",
}


def test_an_ordinary_call_is_taken() -> None:
    call = CreateCall(**GOOD)
    assert call.status_events == ("initiated", "ringing", "answered", "completed")
    assert call.timeout_s == 60


@pytest.mark.parametrize("field", ["to", "from_"])
def test_numbers_are_e164(field: str) -> None:
    with pytest.raises(InvalidPhoneNumber) as caught:
        CreateCall(**GOOD | {field: "415 555 0100"})
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": ""}, "url"),
        ({"twiml": "<Response/>"}, "url"),
        ({"url": "", "twiml": "<Response>" + "x" * 4_000}, "twiml"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"timeout_s": 601}, "timeout_s"),
        ({"time_limit_s": 0}, "time_limit_s"),
        ({"time_limit_s": 86_401}, "time_limit_s"),
        ({"send_digits": "1" * 33}, "send_digits"),
        ({"send_digits": "12x"}, "send_digits"),
        ({"send_digits": "1", "machine_detection": MachineDetection()}, "send_digits"),
        ({"machine_detection": MachineDetection(timeout_s=2)}, "machine_detection.timeout_s"),
        ({"machine_detection": MachineDetection(timeout_s=60)}, "machine_detection.timeout_s"),
    ],
)
def test_what_the_carrier_would_refuse_is_refused_by_name(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidCall) as caught:
        CreateCall(**GOOD | changes)
    assert caught.value.field == field
    assert field in str(caught.value)


def test_a_changed_copy_is_checked_as_well() -> None:
    with pytest.raises(InvalidCall):
        dataclasses.replace(CreateCall(**GOOD), timeout_s=0)


def test_detection_is_asynchronous_when_somebody_is_to_be_told() -> None:
    assert MachineDetection(callback_url="https://h/amd").is_async
    assert not MachineDetection().is_async
