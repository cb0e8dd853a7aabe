"""Reading <Dial> and <Start><Recording> as strictly as the carrier."""

from __future__ import annotations

import pytest

from simulation.twiml_run import Document, read_twiml
from simulation.twiml_verbs import Dial, Number, StartRecording
from telephony import twiml
from telephony.twiml import DialNumber


def read(inner: str) -> Document:
    return read_twiml(f"<Response>{inner}</Response>".encode())


def test_a_number_as_text() -> None:
    assert read("<Dial> +14155550123 </Dial>") == Document((Dial((Number("+14155550123"),)),), ())


def test_a_dial_with_everything() -> None:
    document = read(
        '<Dial action="/dial?s=1" method="GET" timeout="20" timeLimit="600" sequential="true"'
        ' callerId="+14155550199"><Number sendDigits="ww12" statusCallback="https://a.example/s"'
        ' statusCallbackEvent="initiated answered" statusCallbackMethod="GET">+14155550123</Number>'
        "<Number>+14155550124</Number></Dial>"
    )
    first = Number("+14155550123", "ww12", "https://a.example/s", "GET", ("initiated", "answered"))
    dial = Dial(
        (first, Number("+14155550124")), "/dial?s=1", "GET", 20.0, 600.0, "+14155550199", True
    )
    assert document == Document((dial,), ())


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        ("<Dial>415 555 0123</Dial>", 13223),
        ("<Dial><Number>0123</Number></Dial>", 13223),
        ("<Dial><Client>alice</Client></Dial>", 13215),
        ('<Dial timeout="soon">+14155550123</Dial>', 13212),
        ('<Dial timeLimit="-1">+14155550123</Dial>', 13216),
        ('<Dial method="PUT">+14155550123</Dial>', 13210),
        ('<Dial sequential="yes">+14155550123</Dial>', 13218),
        ('<Dial callerId="me">+14155550123</Dial>', 13214),
        ('<Dial record="true">+14155550123</Dial>', 12200),
        ('<Dial><Number sendDigits="x">+14155550123</Number></Dial>', 13222),
        ('<Dial><Number url="/whisper">+14155550123</Number></Dial>', 12200),
        ("<Start><Stream/></Start>", 12200),
        ("<Start/>", 12200),
        ('<Start><Recording recordingStatusCallback="/rel"/></Start>', 13256),
        ('<Start><Recording channels="stereo"/></Start>', 12200),
        ('<Start><Recording recordingStatusCallbackEvent="begun"/></Start>', 12200),
        ('<Play digits="1 2"/>', 12200),
    ],
)
def test_what_is_wrong_is_told_by_its_code(inner: str, code: int) -> None:
    assert [warning.code for warning in read(inner).warnings] == [code]


def test_nobody_to_ring_is_still_a_dial() -> None:
    document = read('<Dial action="/dial">nobody</Dial>')
    assert document.verbs == (Dial((), "/dial"),)


def test_ten_numbers_and_no_more() -> None:
    numbers = "".join(f"<Number>+1415555012{n}</Number>" for n in range(10))
    assert not read(f"<Dial>{numbers}</Dial>").warnings
    more = read(f"<Dial>{numbers}<Number>+14155550130</Number></Dial>")
    assert [warning.code for warning in more.warnings] == [13215]


def test_a_recording() -> None:
    inner = (
        '<Start><Recording channels="dual" track="inbound" recordingStatusCallbackMethod="GET"'
        ' recordingStatusCallback="https://a.example/r"'
        ' recordingStatusCallbackEvent="in-progress completed"/></Start>'
    )
    recording = StartRecording(
        "https://a.example/r", "GET", ("in-progress", "completed"), 2, "inbound"
    )
    assert read(inner) == Document((recording,), ())


def test_what_the_product_writes_is_read_without_a_warning() -> None:
    written = twiml.dial(
        [DialNumber("+14155550123", "ww9"), DialNumber("+14155550124")],
        action_url="https://voice.example.com/twilio/dial?s=a.b",
        timeout_s=20,
        caller_id="+14155550199",
        is_sequential=True,
        before=[
            twiml.say("One moment, please.", "en-US"),
            twiml.play_digits("12#"),
            twiml.start_recording("https://voice.example.com/twilio/recording"),
        ],
    )
    document = read_twiml(written.encode())
    assert document.warnings == ()
    assert len(document.verbs) == 4
