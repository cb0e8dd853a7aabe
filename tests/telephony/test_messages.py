from __future__ import annotations

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.errors import (
    BinaryFrame,
    InvalidField,
    InvalidPayload,
    MalformedMessage,
    MessageTooLarge,
    MissingField,
    NotJson,
)
from telephony.messages import (
    Connected,
    Dtmf,
    Mark,
    Media,
    MediaFormat,
    Start,
    Stop,
    UnknownEvent,
    parse,
    read_media,
)
from tests.telephony.properties import examples
from tests.telephony.streams import (
    ACCOUNT_SID,
    CALL_SID,
    CONNECTED,
    FIXTURES,
    STREAM_SID,
    dtmf,
    dumps,
    mark,
    media,
    start,
    stop,
)


def _without(text: str, path: str) -> str:
    plain = json.loads(text)
    *outer, last = path.split(".")
    inner = plain
    for key in outer:
        inner = inner[key]
    del inner[last]
    return dumps(plain)


def _with(text: str, path: str, value: object) -> str:
    plain = json.loads(text)
    *outer, last = path.split(".")
    inner = plain
    for key in outer:
        inner = inner[key]
    inner[last] = value
    return dumps(plain)


def _spaced(text: str) -> str:
    """The same message in another layout, so that the fast road does not take it."""
    return json.dumps(json.loads(text), indent=1)


# --- what Twilio sends ----------------------------------------------------------------------------


def test_reads_connected() -> None:
    assert parse(CONNECTED) == Connected("Call", "1.0.0")


def test_reads_start() -> None:
    assert parse(start()) == Start(
        sequence=1,
        stream_sid=STREAM_SID,
        account_sid=ACCOUNT_SID,
        call_sid=CALL_SID,
        tracks=("inbound",),
        media_format=MediaFormat("audio/x-mulaw", 8000, 1),
        custom_parameters={"tok": "single-use-token"},
    )


@pytest.mark.parametrize("parameters", [None, {}])
def test_start_without_parameters_has_none(parameters: object) -> None:
    message = parse(start(customParameters=parameters))
    assert isinstance(message, Start)
    assert message.custom_parameters == {}


def test_start_may_leave_parameters_out() -> None:
    message = parse(_without(start(), "start.customParameters"))
    assert isinstance(message, Start)
    assert message.custom_parameters == {}


@pytest.mark.parametrize("layout", [str, _spaced])
def test_reads_media_in_any_layout(layout: Any) -> None:
    text = layout(media(4, 122, bytes(range(160))))
    assert parse(text) == Media(4, STREAM_SID, "inbound", 4, 122, bytes(range(160)))


def test_reads_dtmf() -> None:
    assert parse(dtmf(5, "#")) == Dtmf(5, STREAM_SID, "#")


def test_reads_a_mark() -> None:
    assert parse(mark(6, "utt-7/seg-3")) == Mark(6, STREAM_SID, "utt-7/seg-3")


def test_reads_stop() -> None:
    assert parse(stop(900)) == Stop(900, STREAM_SID, ACCOUNT_SID, CALL_SID)


def test_an_event_of_the_future_is_no_fault() -> None:
    assert parse('{"event":"weather","sequenceNumber":"7"}') == UnknownEvent("weather")


def test_a_field_of_the_future_is_ignored() -> None:
    assert parse(_with(dtmf(5, "1"), "duration", "80")) == Dtmf(5, STREAM_SID, "1")


def test_secrets_and_digits_are_not_printed() -> None:
    assert "single-use-token" not in repr(parse(start()))
    assert "7" not in repr(parse(dtmf(5, "7"))).replace(STREAM_SID, "")


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.jsonl")), ids=lambda path: path.stem)
def test_reads_every_recorded_message(path: Any) -> None:
    events = [type(parse(line)).__name__ for line in path.read_text().splitlines()]
    assert events[:2] == ["Connected", "Start"]
    assert events[-1] == "Stop"
    assert "UnknownEvent" not in events


# --- faults ---------------------------------------------------------------------------------------

REQUIRED = [
    (CONNECTED, "event"),
    (start(), "start"),
    (start(), "streamSid"),
    (start(), "sequenceNumber"),
    (start(), "start.streamSid"),
    (start(), "start.callSid"),
    (start(), "start.accountSid"),
    (start(), "start.mediaFormat"),
    (start(), "start.mediaFormat.encoding"),
    (start(), "start.mediaFormat.sampleRate"),
    (start(), "start.mediaFormat.channels"),
    (media(2, 102), "media"),
    (media(2, 102), "streamSid"),
    (media(2, 102), "sequenceNumber"),
    (media(2, 102), "media.track"),
    (media(2, 102), "media.chunk"),
    (media(2, 102), "media.timestamp"),
    (media(2, 102), "media.payload"),
    (dtmf(2, "1"), "dtmf"),
    (dtmf(2, "1"), "dtmf.digit"),
    (dtmf(2, "1"), "streamSid"),
    (mark(2, "m"), "mark"),
    (mark(2, "m"), "mark.name"),
    (mark(2, "m"), "sequenceNumber"),
    (stop(2), "stop"),
    (stop(2), "stop.callSid"),
    (stop(2), "stop.accountSid"),
]


@pytest.mark.parametrize(("text", "path"), REQUIRED)
def test_a_missing_field_is_named(text: str, path: str) -> None:
    with pytest.raises(MissingField) as caught:
        parse(_without(text, path))
    assert type(caught.value) is MissingField
    assert caught.value.field == path


INVALID = [
    (CONNECTED, "event", 7),
    (CONNECTED, "version", 1),
    (start(), "start", []),
    (start(), "sequenceNumber", 1),
    (start(), "sequenceNumber", "one"),
    (start(), "streamSid", "MZ\nforged log line"),
    (start(), "start.callSid", ""),
    (start(), "start.streamSid", "MZ2"),
    (start(), "start.tracks", "inbound"),
    (start(), "start.tracks", [1]),
    (start(), "start.mediaFormat", "mulaw"),
    (start(), "start.mediaFormat.sampleRate", "8000"),
    (start(), "start.mediaFormat.channels", True),
    (start(), "start.customParameters", ["tok"]),
    (start(), "start.customParameters", {"tok": 1}),
    (start(), "start.customParameters", {"tok": "\ud800"}),
    (media(2, 102), "media", "audio"),
    (media(2, 102), "sequenceNumber", "-2"),
    (media(2, 102), "media.chunk", 2),
    (media(2, 102), "media.timestamp", "soon"),
    (media(2, 102), "media.timestamp", 102),
    (media(2, 102), "media.payload", None),
    (dtmf(2, "1"), "dtmf.digit", ""),
    (dtmf(2, "1"), "dtmf.digit", "12"),
    (dtmf(2, "1"), "dtmf.digit", "w"),
    (mark(2, "m"), "mark.name", 3),
    (mark(2, "m"), "mark", None),
]


@pytest.mark.parametrize(("text", "path", "value"), INVALID)
def test_an_invalid_field_is_named_and_not_quoted(text: str, path: str, value: object) -> None:
    with pytest.raises(InvalidField) as caught:
        parse(_with(text, path, value))
    assert caught.value.field == path
    assert "forged" not in str(caught.value)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ("", "empty"),
        ("====", "base64"),
        ("abc", "base64"),
        ("ab=c", "base64"),
        ("a b=", "base64"),
        ("_-==", "base64"),
        ("日本語", "base64"),
        (base64.b64encode(bytes(8_001)).decode(), "8001 bytes"),
    ],
)
@pytest.mark.parametrize("layout", [str, _spaced])
def test_a_bad_payload_is_refused_on_both_roads(payload: str, why: str, layout: Any) -> None:
    text = layout(_with(media(2, 102), "media.payload", payload))
    assert read_media(text) is None
    with pytest.raises(InvalidPayload, match=why):
        parse(text)


@pytest.mark.parametrize("size_bytes", [1, 159, 160, 161, 8_000])
def test_a_payload_may_have_any_length_up_to_a_second(size_bytes: int) -> None:
    message = parse(media(2, 102, bytes(size_bytes)))
    assert isinstance(message, Media)
    assert message.ulaw == bytes(size_bytes)


def test_a_huge_media_message_is_refused_by_its_size() -> None:
    with pytest.raises(MessageTooLarge):
        parse(media(2, 102, bytes(60_000)))


@pytest.mark.parametrize("text", ["", "{", "hello", "[]", "null"])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(NotJson):
        parse(text)


def test_a_binary_frame_is_refused() -> None:
    with pytest.raises(BinaryFrame):
        parse(media(2, 102).encode())


# --- any input ------------------------------------------------------------------------------------

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
_good = st.sampled_from([CONNECTED, start(), media(2, 102), dtmf(3, "1"), mark(4, "m"), stop(5)])


def _parses_or_refuses(message: str | bytes) -> None:
    with contextlib.suppress(MalformedMessage):
        parse(message)


@examples()
@given(st.text() | st.binary())
def test_any_text_is_read_or_refused(message: str | bytes) -> None:
    _parses_or_refuses(message)


@examples()
@given(_good, st.data())
def test_a_message_with_anything_in_a_field_is_read_or_refused(text: str, data: Any) -> None:
    plain = json.loads(text)
    inner = data.draw(st.sampled_from([plain, *(v for v in plain.values() if isinstance(v, dict))]))
    inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(_json)
    _parses_or_refuses(dumps(plain))


@examples()
@given(_good, st.data())
def test_a_damaged_message_is_read_or_refused(text: str, data: Any) -> None:
    at = data.draw(st.integers(0, len(text) - 1))
    _parses_or_refuses(text[:at] + data.draw(st.text(max_size=3)) + text[at + 1 :])


@examples()
@given(st.data())
def test_the_fast_road_reads_only_what_the_other_reads_the_same(data: Any) -> None:
    """Whatever is done to a media message, both roads agree, or the fast one leaves it alone."""
    text = media(2, 102, data.draw(st.binary(min_size=1, max_size=12)))
    at = data.draw(st.integers(0, len(text) - 1))
    text = text[:at] + data.draw(st.text('"\\{}:,=+/aZ09 ', max_size=3)) + text[at + 1 :]
    fast = read_media(text)
    if fast is not None:
        slow = parse(_spaced(text))
        assert isinstance(slow, Media)
        assert fast == (slow.sequence, slow.stream_sid, slow.timestamp_ms, slow.ulaw)
