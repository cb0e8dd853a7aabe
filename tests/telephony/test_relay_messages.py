"""Every message of a ConversationRelay session is read, and nothing that is none breaks it."""

from __future__ import annotations

import contextlib
import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.errors import (
    BinaryFrame,
    InvalidField,
    MalformedMessage,
    MessageTooLarge,
    MissingField,
    NotJson,
    OutOfPlace,
    StartOverdue,
    TooManyBadMessages,
    TooManyMessages,
)
from telephony.relay_messages import (
    CarrierComplaint,
    Information,
    Interrupt,
    KeyPressed,
    Prompt,
    RelayMessage,
    Setup,
    UnknownMessage,
    parse_relay,
)
from telephony.relay_stream import MAX_BAD_IN_A_ROW, RelayStream
from telephony.stream_events import ProtocolWarning

SETUP: dict[str, Any] = {
    "type": "setup",
    "sessionId": "VX00000000000000000000000000000001",
    "accountSid": "AC00000000000000000000000000000001",
    "parentCallSid": "",
    "callSid": "CA00000000000000000000000000000001",
    "from": "+14155550100",
    "to": "+14155550199",
    "forwardedFrom": None,
    "callType": "PSTN",
    "callerName": "",
    "direction": "inbound",
    "callStatus": "RINGING",
    "customParameters": {"token": "secret"},
}


def read(**fields: Any) -> RelayMessage:
    return parse_relay(json.dumps(fields))


def test_a_setup_says_whose_call_it_is_and_shows_no_secret() -> None:
    setup = parse_relay(json.dumps(SETUP))
    assert isinstance(setup, Setup)
    assert (setup.session_id, setup.call_sid) == (SETUP["sessionId"], SETUP["callSid"])
    assert (setup.from_number, setup.to_number) == ("+14155550100", "+14155550199")
    assert (setup.call_type, setup.direction, setup.call_status) == ("PSTN", "inbound", "RINGING")
    assert setup.custom_parameters == {"token": "secret"}
    assert "secret" not in repr(setup)
    assert "+1415" not in repr(setup)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"type": "prompt", "voicePrompt": "I need", "lang": "en-US", "last": False},
            Prompt("I need", "en-US", is_last=False),
        ),
        ({"type": "prompt", "voicePrompt": "I need", "last": True}, Prompt("I need")),
        ({"type": "prompt", "voicePrompt": ""}, Prompt("")),
        (
            {"type": "interrupt", "utteranceUntilInterrupt": "Your", "durationUntilInterruptMs": 9},
            Interrupt("Your", 9),
        ),
        (
            {"type": "interrupt", "utteranceUntilInterrupt": "", "durationUntilInterruptMs": "460"},
            Interrupt("", 460),
        ),
        ({"type": "interrupt"}, Interrupt("", None)),
        ({"type": "dtmf", "digit": "#"}, KeyPressed("#")),
        ({"type": "error", "description": "No."}, CarrierComplaint("No.")),
        (
            {"type": "info", "name": "agentSpeaking", "value": "on", "ts": 5},
            Information("agentSpeaking", "on"),
        ),
        (
            {"type": "info", "name": "roundTripDelayMs", "value": 148},
            Information("roundTripDelayMs", "148"),
        ),
        ({"type": "info", "name": "configUpdated"}, Information("configUpdated", "")),
        ({"type": "connected", "version": 3}, UnknownMessage("connected")),
        ({"type": "x" * 900}, UnknownMessage("x" * 64)),
    ],
)
def test_every_message_is_read(fields: dict[str, Any], expected: RelayMessage) -> None:
    assert parse_relay(json.dumps(fields)) == expected
    assert parse_relay(json.dumps({**fields, "later": [1, {"a": None}]})) == expected


@pytest.mark.parametrize(
    ("message", "fault", "field"),
    [
        ("", NotJson, ""),
        ('{"type":"prompt","voicePrompt":"I ne', NotJson, ""),
        ("[1]", NotJson, ""),
        ("[" * 5_000, NotJson, ""),
        (b'{"type":"dtmf"}', BinaryFrame, ""),
        ('{"type":"' + "x" * 70_000 + '"}', MessageTooLarge, ""),
        ("{}", MissingField, "type"),
        ('{"type":3}', InvalidField, "type"),
        ('{"type":"prompt"}', MissingField, "voicePrompt"),
        ('{"type":"prompt","voicePrompt":null}', InvalidField, "voicePrompt"),
        ('{"type":"prompt","voicePrompt":"\\ud800"}', InvalidField, "voicePrompt"),
        ('{"type":"prompt","voicePrompt":"a","last":"yes"}', InvalidField, "last"),
        ('{"type":"dtmf","digit":"12"}', InvalidField, "digit"),
        ('{"type":"info"}', MissingField, "name"),
        ('{"type":"info","name":"a","value":{}}', InvalidField, "value"),
        (
            '{"type":"interrupt","durationUntilInterruptMs":-1}',
            InvalidField,
            "durationUntilInterruptMs",
        ),
        (
            '{"type":"interrupt","durationUntilInterruptMs":true}',
            InvalidField,
            "durationUntilInterruptMs",
        ),
        (
            '{"type":"interrupt","durationUntilInterruptMs":NaN}',
            InvalidField,
            "durationUntilInterruptMs",
        ),
        ('{"type":"setup","sessionId":"VX1"}', MissingField, "callSid"),
        ('{"type":"setup","sessionId":"V X","callSid":"CA1"}', InvalidField, "sessionId"),
        (
            '{"type":"setup","sessionId":"VX1","callSid":"CA1","customParameters":{"a":1}}',
            InvalidField,
            "customParameters",
        ),
    ],
)
def test_what_is_wrong_is_named(
    message: str | bytes, fault: type[MalformedMessage], field: str
) -> None:
    with pytest.raises(fault) as caught:
        parse_relay(message)
    assert getattr(caught.value, "field", "") == field


def test_an_error_of_the_carrier_is_told_without_what_it_quotes() -> None:
    complaint = parse_relay(
        '{"type":"error","description":"Invalid message received: {\\"token\\":\\"I am Ann\\"}"}'
    )
    assert isinstance(complaint, CarrierComplaint)
    assert complaint.kind == "Invalid message received"
    assert "Ann" not in repr(complaint)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
KINDS = st.sampled_from(["setup", "prompt", "interrupt", "dtmf", "info", "error", "other", ""])
NAMES = st.sampled_from(
    ["type", "voicePrompt", "last", "lang", "digit", "name", "value", "description", "sessionId",
     "callSid", "customParameters", "utteranceUntilInterrupt", "durationUntilInterruptMs"]
)  # fmt: skip


@given(st.text() | st.binary())
def test_no_text_breaks_the_parser(message: str | bytes) -> None:
    with contextlib.suppress(MalformedMessage):
        parse_relay(message)


@given(KINDS, st.dictionaries(NAMES, JSON))
def test_no_object_breaks_the_parser(kind: str, fields: dict[str, Any]) -> None:
    with contextlib.suppress(MalformedMessage):
        repr(parse_relay(json.dumps({**fields, "type": kind}))).encode("utf-8")


@given(st.text(), st.sampled_from(["en-US", "zh-HK", ""]), st.booleans())
def test_words_come_back_as_they_were_sent(text: str, language: str, is_last: bool) -> None:
    message = {"type": "prompt", "voicePrompt": text, "lang": language, "last": is_last}
    try:
        assert parse_relay(json.dumps(message)) == Prompt(text, language, is_last)
    except InvalidField:
        assert any(0xD800 <= ord(char) < 0xE000 for char in text)


# --- the socket -----------------------------------------------------------------------------------

PROMPT = '{"type":"prompt","voicePrompt":"Hello","last":true}'


def test_nothing_counts_before_setup() -> None:
    stream = RelayStream(now=0.0)
    early = stream.receive(PROMPT, now=1.0)
    assert isinstance(early, ProtocolWarning)
    assert isinstance(early.error, OutOfPlace)
    assert isinstance(stream.receive(json.dumps(SETUP), now=4.9), Setup)
    assert stream.session_id == SETUP["sessionId"]
    assert stream.receive(PROMPT, now=60.0) == Prompt("Hello")


def test_a_setup_that_does_not_come_ends_the_socket() -> None:
    with pytest.raises(StartOverdue):
        RelayStream(now=0.0).receive(PROMPT, now=5.1)


def test_a_socket_that_is_known_needs_no_setup_and_takes_one_all_the_same() -> None:
    stream = RelayStream(now=0.0, call_sid=SETUP["callSid"])
    assert stream.receive(PROMPT, now=9.0) == Prompt("Hello")
    assert isinstance(stream.receive(json.dumps(SETUP), now=9.0), Setup)
    other = stream.receive(json.dumps({**SETUP, "callSid": "CA2"}), now=9.0)
    assert isinstance(other, ProtocolWarning)
    assert stream.setup is not None
    assert stream.setup.call_sid == SETUP["callSid"]


def test_unknown_types_are_counted_and_harmless() -> None:
    stream = RelayStream(now=0.0, call_sid="CA1")
    for _ in range(200):
        stream.receive('{"type":"later"}', now=1.0)
    assert stream.unknown == 200
    assert stream.receive(PROMPT, now=1.0) == Prompt("Hello")


def test_a_long_run_of_rubbish_ends_the_socket_and_a_good_message_begins_anew(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stream = RelayStream(now=0.0, call_sid="CA1")
    with caplog.at_level(logging.DEBUG):
        for _ in range(MAX_BAD_IN_A_ROW - 1):
            assert isinstance(stream.receive("{", now=1.0), ProtocolWarning)
        stream.receive(PROMPT, now=1.0)
        for _ in range(MAX_BAD_IN_A_ROW - 1):
            stream.receive("{", now=1.0)
        with pytest.raises(TooManyBadMessages):
            stream.receive("{", now=1.0)
        with pytest.raises(TooManyBadMessages):
            stream.receive(PROMPT, now=1.0)
    assert stream.bad == 2 * MAX_BAD_IN_A_ROW - 1


def received(stream: RelayStream, message: str) -> int:
    """How many of these are taken at once."""
    for count in range(5_000):
        try:
            stream.receive(message, now=0.0)
        except TooManyMessages:
            return count
    raise AssertionError("there is no end to what it takes")


@pytest.mark.parametrize(
    ("message", "most"),
    [
        (PROMPT, 625),
        ('{"type":"dtmf","digit":"#"}', 625),
        ('{"type":"interrupt"}', 625),
        ('{"type":"prompt","voicePrompt":"He","last":false}', 2_500),
        ('{"type":"later"}', 2_500),
        (json.dumps({"type": "prompt", "voicePrompt": "a" * 60_000, "last": False}), 40),
    ],
)
def test_a_flood_ends_the_socket(message: str, most: int) -> None:
    stream = RelayStream(now=0.0, call_sid="CA1")
    assert 0.9 * most < received(stream, message) < 1.05 * most
    with pytest.raises(TooManyMessages):
        stream.receive(message, now=0.0)


def test_what_was_kept_for_a_socket_and_a_long_busy_call_are_no_flood() -> None:
    stream = RelayStream(now=0.0, call_sid="CA1")
    for _ in range(500):
        stream.receive(PROMPT, now=0.0)
    for step in range(4_000):  # 40 a second
        assert stream.receive(PROMPT, now=step / 40) == Prompt("Hello")
