from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.errors import LocalProtocolError
from telephony.stream_writer import StreamWriter
from tests.telephony.properties import examples
from tests.telephony.streams import STREAM_SID


def test_media_has_exactly_the_fields_that_twilio_accepts() -> None:
    assert json.loads(StreamWriter(STREAM_SID).media(b"\xff\x7f\x00")) == {
        "event": "media",
        "streamSid": STREAM_SID,
        "media": {"payload": "/38A"},
    }


def test_mark_has_exactly_the_fields_that_twilio_accepts() -> None:
    assert json.loads(StreamWriter(STREAM_SID).mark('1.1.0/3 "é"')) == {
        "event": "mark",
        "streamSid": STREAM_SID,
        "mark": {"name": '1.1.0/3 "é"'},
    }


def test_clear_has_exactly_the_fields_that_twilio_accepts() -> None:
    plain = json.loads(StreamWriter(STREAM_SID).clear())
    assert plain == {"event": "clear", "streamSid": STREAM_SID}


def test_a_frame_of_silence_is_written_as_the_golden_base64() -> None:
    text = StreamWriter(STREAM_SID).media(b"\xff" * 160)
    assert json.loads(text)["media"]["payload"] == "/" * 213 + "w=="


def test_no_audio_is_no_message() -> None:
    with pytest.raises(LocalProtocolError, match="at least one byte"):
        StreamWriter(STREAM_SID).media(b"")


def test_a_mark_needs_a_name() -> None:
    with pytest.raises(LocalProtocolError, match="name"):
        StreamWriter(STREAM_SID).mark("")


@pytest.mark.parametrize("sid", ["", 'MZ"', "MZ 1", "M\n"])
def test_a_sid_that_would_break_the_message_is_refused(sid: str) -> None:
    with pytest.raises(LocalProtocolError, match="sid"):
        StreamWriter(sid)


@examples()
@given(st.binary(min_size=1, max_size=2000))
def test_what_is_written_carries_the_audio(ulaw: bytes) -> None:
    plain = json.loads(StreamWriter(STREAM_SID).media(ulaw))
    assert base64.b64decode(plain["media"]["payload"], validate=True) == ulaw
