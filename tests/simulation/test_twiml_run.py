"""Reading TwiML as strictly as the carrier."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.carrier_errors import TwimlRejected
from simulation.twiml_run import Document, read_twiml
from simulation.twiml_verbs import (
    Connect,
    Hangup,
    Pause,
    Play,
    Redirect,
    Reject,
    Say,
    Stream,
)


def read(inner: str, *, allow_insecure: bool = False) -> Document:
    return read_twiml(f"<Response>{inner}</Response>".encode(), allow_insecure=allow_insecure)


def codes(document: Document) -> list[int]:
    return [warning.code for warning in document.warnings]


def test_a_stream_with_everything() -> None:
    document = read(
        '<Connect action="/after?n=1" method="GET"><Stream url="wss://a.example/m" name="main"'
        ' track="inbound_track" statusCallback="https://a.example/s" statusCallbackMethod="GET">'
        '<Parameter name="tok" value="x"/><Parameter name="n" value=""/></Stream></Connect>'
    )
    stream = Stream(
        "wss://a.example/m", "main", "https://a.example/s", "GET", {"tok": "x", "n": ""}
    )
    assert document == Document((Connect(stream, "/after?n=1", "GET"),), ())


@pytest.mark.parametrize(
    ("inner", "verb"),
    [
        ('<Say language="en-GB" voice="alice" loop="2"> Hi </Say>', Say("Hi", "en-GB", "alice", 2)),
        ('<Pause length="3"/>', Pause(3.0)),
        ("<Pause/>", Pause(1.0)),
        ("<Hangup/>", Hangup()),
        ("<Redirect>/next</Redirect>", Redirect("/next")),
        ('<Redirect method="GET">/next</Redirect>', Redirect("/next", "GET")),
        ('<Reject reason="busy"/>', Reject("busy")),
        ('<Play loop="0">https://a.example/x.wav</Play>', Play("https://a.example/x.wav", "", 0)),
    ],
)
def test_verbs(inner: str, verb: object) -> None:
    assert read(inner) == Document((verb,), ())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "inner",
    [
        "<Telepathy/>",
        '<Hangup soon="1"/>',
        '<Pause length="-1"/>',
        '<Pause length="1_0"/>',
        '<Redirect method="PUT">/x</Redirect>',
        '<Reject reason="tired"/>',
        "<Say></Say>",
        "<Play/>",
        "<Connect/>",
        "stray text",
        '<Connect><Stream url="wss://a/m"><Param name="a"/></Stream></Connect>',
        '<Connect><Stream url="wss://a/m"><Parameter value="a"/></Stream></Connect>',
        '<Connect><Stream url="wss://a/m" statusCallback="/relative"/></Connect>',
        '<Connect><Stream url="wss://a/m" audioFormat="pcm"/></Connect>',
    ],
)
def test_what_the_schema_does_not_know_is_12200(inner: str) -> None:
    assert codes(read(inner)) == [12200]


def test_verbs_after_an_unknown_one_still_run() -> None:
    assert read("<Telepathy/><Hangup/>").verbs == (Hangup(),)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ws://voice.example.com/m", 31922),
        ("https://voice.example.com/m", 31922),
        ("/relative", 31923),
        ("", 31923),
        ("wss://[broken/m", 31923),
        ("wss://a.example:99999/m", 31923),
        ("wss://a.example/m?node=1", 31920),
    ],
)
def test_stream_urls_that_cannot_be(url: str, code: int) -> None:
    document = read(f'<Connect><Stream url="{url}"/></Connect>')
    assert codes(document) == [code]
    assert document.verbs == ()


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:9"])
def test_plain_streams_to_this_machine_where_allowed(host: str) -> None:
    inner = f'<Connect><Stream url="ws://{host}/m"/></Connect>'
    assert codes(read(inner, allow_insecure=True)) == []
    assert codes(read(inner)) == [31922]


def test_plain_streams_to_other_machines_never() -> None:
    assert codes(
        read('<Connect><Stream url="ws://a.example/m"/></Connect>', allow_insecure=True)
    ) == [31922]


def test_only_the_inbound_track() -> None:
    inner = '<Connect><Stream url="wss://a/m" track="both_tracks"/></Connect>'
    assert codes(read(inner)) == [31941]


@pytest.mark.parametrize(("length", "kept"), [(496, True), (497, False)])
def test_a_parameter_is_shorter_than_500_characters(length: int, kept: bool) -> None:
    value = "v" * length
    parameter = f'<Parameter name="tok" value="{value}"/>'
    document = read(f'<Connect><Stream url="wss://a/m">{parameter}</Stream></Connect>')
    (connect,) = document.verbs
    assert isinstance(connect, Connect)
    assert bool(connect.stream.parameters) is kept
    assert codes(document) == ([] if kept else [12200])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 11770),
        (b"  \n", 11770),
        (b"<Response>", 12100),
        (b"hello", 12100),
        (b"<Answer/>", 12100),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><Response/>', 12100),
        (b'<?xml version="1.0" encoding="klingon"?><Response/>', 12100),
        (b"<Response>" + b" " * 65_536 + b"</Response>", 11750),
    ],
)
def test_documents_that_cannot_be_run(body: bytes, code: int) -> None:
    with pytest.raises(TwimlRejected) as caught:
        read_twiml(body)
    assert caught.value.code == code


def test_64_kb_exactly_is_read() -> None:
    frame = len(b"<Response></Response>")
    assert read_twiml(b"<Response>" + b" " * (65_536 - frame) + b"</Response>").verbs == ()


@settings(max_examples=50)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(lambda t: t.encode())))
def test_any_body_is_read_or_rejected(body: bytes) -> None:
    for document in (body, b"<Response>" + body + b"</Response>"):
        try:
            read_twiml(document)
        except TwimlRejected:
            continue
