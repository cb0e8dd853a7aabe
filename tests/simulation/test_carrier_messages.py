"""Messages of both sides, strictly."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.carrier_messages import (
    MessageWriter,
    ServerClear,
    ServerMark,
    ServerMedia,
    Violation,
    encode_frames,
    read_server_message,
)

SID = "MZ" + "0" * 31 + "1"


def test_numbering_of_a_stream() -> None:
    """start is 1, all after it count on, chunks count alone, timestamps do not start at 0."""
    writer = MessageWriter("AC1", "CA1", SID, 102)
    sent = [
        json.loads(text)
        for text in (
            writer.start({"tok": "x"}),
            writer.media("AAAA", 0),
            writer.mark("m"),
            writer.media("BBBB", 20),
            writer.dtmf("5"),
            writer.stop(),
        )
    ]
    assert [each["sequenceNumber"] for each in sent] == list("123456")
    assert sent[1] == {
        "event": "media",
        "sequenceNumber": "2",
        "media": {"track": "inbound", "chunk": "1", "timestamp": "102", "payload": "AAAA"},
        "streamSid": SID,
    }
    assert sent[3]["media"]["chunk"] == "2"
    assert sent[3]["media"]["timestamp"] == "122"


def test_the_start_message_is_the_documented_one() -> None:
    start = json.loads(MessageWriter("AC1", "CA1", SID, 102).start({"tok": "x"}))
    assert start == {
        "event": "start",
        "sequenceNumber": "1",
        "start": {
            "accountSid": "AC1",
            "streamSid": SID,
            "callSid": "CA1",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"tok": "x"},
        },
        "streamSid": SID,
    }


def test_dtmf_and_stop_are_the_documented_ones() -> None:
    writer = MessageWriter("AC1", "CA1", SID, 102)
    assert json.loads(writer.dtmf("#"))["dtmf"] == {"track": "inbound_track", "digit": "#"}
    assert json.loads(writer.stop())["stop"] == {"accountSid": "AC1", "callSid": "CA1"}


def test_silence_in_base64() -> None:
    assert encode_frames(b"\xff" * 320) == ("/" * 213 + "w==",) * 2


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"event": "media", "media": {"payload": "//8="}}, ServerMedia(b"\xff\xff")),
        ({"event": "mark", "mark": {"name": "a/1"}}, ServerMark("a/1")),
        ({"event": "clear"}, ServerClear()),
    ],
)
def test_what_a_server_may_send(message: dict[str, Any], expected: object) -> None:
    assert read_server_message(json.dumps({**message, "streamSid": SID}), SID) == expected


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ({"event": "media", "media": {"payload": "//8=", "track": "outbound"}}, "extra track"),
        ({"event": "media", "media": {}}, "missing payload"),
        ({"event": "media", "payload": "//8="}, "missing media; extra payload"),
        ({"event": "media", "media": {"payload": "not base64"}}, "base64"),
        ({"event": "media", "media": {"payload": ""}}, "payload"),
        ({"event": "media", "media": {"payload": "UklGRgAA"}}, "file header"),
        ({"event": "media", "media": []}, "not an object"),
        ({"event": "mark", "mark": {"name": 7}}, "mark.name"),
        ({"event": "mark", "mark": {"name": "a", "at": 1}}, "extra at"),
        ({"event": "clear", "now": True}, "extra now"),
        ({"event": "stop"}, "event"),
        ({"event": ["media"]}, "event"),
        ({"event": "clear", "streamSid": "MZ" + "9" * 32}, "streamSid"),
    ],
)
def test_what_is_31951(message: dict[str, Any], named: str) -> None:
    found = read_server_message(json.dumps({"streamSid": SID, **message}), SID)
    assert isinstance(found, Violation)
    assert found.code == 31951
    assert named in found.detail


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '"media"', "[" * 100_000])
def test_what_is_not_even_an_object(text: str) -> None:
    assert isinstance(read_server_message(text, SID), Violation)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@settings(max_examples=50)
@given(
    st.one_of(
        st.text(max_size=100),
        json_values.map(json.dumps),
        st.fixed_dictionaries(
            {"event": st.sampled_from(["media", "mark", "clear"]), "streamSid": st.just(SID)},
            optional={"media": json_values, "mark": json_values},
        ).map(json.dumps),
    )
)
def test_nothing_a_server_sends_raises(text: str) -> None:
    read_server_message(text, SID)
