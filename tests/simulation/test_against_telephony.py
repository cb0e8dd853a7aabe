"""Two independent readings of the same documents: what the product says, the carrier accepts.

The simulation shares no code with ``telephony``; where they disagree, one of them has misread.
"""

from __future__ import annotations

import base64
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.carrier_messages import (
    MessageWriter,
    ServerClear,
    ServerMark,
    ServerMedia,
    read_server_message,
)
from simulation.carrier_signature import sign
from simulation.twiml_run import read_twiml
from simulation.twiml_verbs import Connect, Stream
from telephony import twiml
from telephony.messages import Dtmf, Mark, Media, Start, Stop, StreamWriter, parse, read_media
from telephony.origin import PublicOrigin
from telephony.signature import SignatureCheck, SigningKey

SID = "MZ" + "0" * 31 + "1"
names = st.text(min_size=1, max_size=20)
plain_text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60)


def test_every_message_of_the_carrier_is_understood() -> None:
    writer = MessageWriter("AC" + "0" * 32, "CA" + "0" * 32, SID, 102)
    texts = [
        writer.start({"tok": "x"}),
        writer.media(base64.b64encode(b"\xff" * 160).decode(), 0),
        writer.mark("turn-1/2"),
        writer.dtmf("#"),
        writer.stop(),
    ]
    assert [type(parse(text)) for text in texts] == [Start, Media, Mark, Dtmf, Stop]


def test_media_of_the_carrier_takes_the_fast_road() -> None:
    writer = MessageWriter("AC" + "0" * 32, "CA" + "0" * 32, SID, 102)
    text = writer.media(base64.b64encode(b"\xff" * 160).decode(), 20)
    assert read_media(text) == (1, SID, 122, b"\xff" * 160)


@settings(max_examples=50)
@given(st.binary(min_size=1, max_size=400), names)
def test_every_message_of_the_product_is_accepted(audio: bytes, name: str) -> None:
    writer = StreamWriter(SID)
    found = read_server_message(writer.media(audio), SID)
    if not audio.startswith((b"RIFF", b"ID3", b"OggS", b"fLaC")):
        assert found == ServerMedia(audio)
    assert read_server_message(writer.mark(name), SID) == ServerMark(name)
    assert read_server_message(writer.clear(), SID) == ServerClear()
    assert json.loads(writer.clear())["event"] == "clear"


@settings(max_examples=50)
@given(st.dictionaries(names, st.text(max_size=30), max_size=5))
def test_what_the_carrier_signs_the_product_admits(form: dict[str, str]) -> None:
    check = SignatureCheck(PublicOrigin.parse("https://a.example"), [SigningKey("12345")])
    target = "/twilio/after?n=1"
    signature = sign("https://a.example" + target, form.items(), "12345")
    assert check.is_signed_form(target, form.items(), signature)
    assert not check.is_signed_form(target, {**form, "more": "x"}.items(), signature)
    upgrade = sign("wss://a.example/twilio/media", (), "12345")
    assert check.is_signed_upgrade("/twilio/media", upgrade)


@settings(max_examples=50)
@given(plain_text)
def test_the_products_twiml_is_what_the_carrier_runs(value: str) -> None:
    document = read_twiml(
        twiml.connect_stream(
            stream_url="wss://a.example/m",
            action_url="https://a.example/after?n=1&t=2",
            parameters={"tok": value},
            status_callback_url="https://a.example/s",
        ).encode()
    )
    stream = Stream("wss://a.example/m", "", "https://a.example/s", "POST", {"tok": value})
    assert document.warnings == ()
    assert document.verbs == (Connect(stream, "https://a.example/after?n=1&t=2"),)
