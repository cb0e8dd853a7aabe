"""What travels through the carrier to the replica that gets a stream."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from cluster.stream_parameters import stream_parameters
from telephony import twiml


@given(st.text(), st.text())
@example("sip:\x00\x1b[31m\u202e\ufffe\uffff@example.com", "\ud800")
@example("+14155550123", "x" * 5_000)
def test_whatever_a_caller_calls_himself_there_is_an_answer(caller: str, called: str) -> None:
    parameters = stream_parameters("t" * 480, {"From": caller, "To": called})
    document = twiml.connect_stream(
        stream_url="wss://voice.example.com/twilio/media",
        action_url="https://voice.example.com/twilio/resume",
        parameters=parameters,
    )
    assert document.count("<Parameter ") == 3


def test_numbers_and_sip_addresses_stay_as_they_are() -> None:
    form = {"From": "sip:Zoë+1@example.com", "To": "+14155550199"}
    found = stream_parameters("t", form)
    assert (found["from"], found["to"]) == (form["From"], form["To"])
