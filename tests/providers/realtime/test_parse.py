"""What the service says on a Realtime socket, and what it may never make us raise."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
    ProviderUnavailable,
)
from providers.realtime.events import (
    AudioArrived,
    AudioCommitted,
    AudioEnded,
    CallWanted,
    Remark,
    RequestRefused,
    ResponseBegan,
    ResponseEnded,
    SessionCreated,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    TextArrived,
    WordsArrived,
    WordsKnown,
)
from providers.realtime.parse import parse
from providers.realtime.refusals import error_of_close, error_of_handshake

SECRET = "what the caller said"
PART = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
CALL = {"type": "function_call", "call_id": "c", "name": "transfer", "arguments": '{"a": 1}'}
SAID = {key: value for key, value in CALL.items() if key != "type"}
USAGE = {
    "total_tokens": 253,
    "input_tokens": 132,
    "output_tokens": 121,
    "input_token_details": {
        "text_tokens": 119,
        "audio_tokens": 13,
        "cached_tokens": 64,
        "cached_tokens_details": {"text_tokens": 60, "audio_tokens": 4},
    },
    "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
}


def event(kind: str, **fields: object) -> str:
    return json.dumps({"type": kind, "event_id": "event_1", **fields})


def done(**fields: object) -> str:
    response = {"id": "r", "status": "completed", "output": [], "usage": USAGE, **fields}
    return event("response.done", response=response)


TRANSCRIPTION = "conversation.item.input_audio_transcription"
KNOWN: list[tuple[str, object]] = [
    (
        event("session.created", session={"id": "s", "expires_at": 1_760_000_000}),
        SessionCreated(1.76e9),
    ),
    (event("session.created", session={"expires_at": 0}), SessionCreated(None)),
    (event("session.updated", session={}), SessionUpdated()),
    (
        event("input_audio_buffer.speech_started", item_id="i", audio_start_ms=1_012),
        SpeechStarted("i", 1_012),
    ),
    (
        event("input_audio_buffer.speech_stopped", item_id="i", audio_end_ms=2_080),
        SpeechStopped("i", 2_080),
    ),
    (
        event("input_audio_buffer.committed", item_id="i", previous_item_id=None),
        AudioCommitted("i"),
    ),
    (event(f"{TRANSCRIPTION}.delta", item_id="i", delta="Hel"), WordsArrived("i", "Hel")),
    (
        event(
            f"{TRANSCRIPTION}.completed",
            item_id="i",
            transcript=" Hello. \n",
            usage={"type": "duration", "seconds": 2},
        ),
        WordsKnown("i", "Hello.", {"transcribed_s": 2.0}),
    ),
    (event(f"{TRANSCRIPTION}.failed", item_id="i", error={"message": SECRET}), WordsKnown("i", "")),
    (
        event("response.created", response={"id": "r", "metadata": {"turn": "3.1"}}),
        ResponseBegan("r", "3.1"),
    ),
    (event("response.created", response={"id": "r", "metadata": None}), ResponseBegan("r", "")),
    (
        event("response.output_audio.delta", **PART, delta=base64.b64encode(b"\xff\x00").decode()),
        AudioArrived("r", "i", 0, b"\xff\x00"),
    ),
    (event("response.output_audio.done", **PART), AudioEnded("r", "i", 0)),
    (
        event("response.output_audio_transcript.delta", **PART, delta="Hi"),
        TextArrived("r", "i", 0, "Hi"),
    ),
    (
        event("response.output_audio_transcript.done", **PART, transcript="Hi there."),
        TextArrived("r", "i", 0, "Hi there.", is_all=True),
    ),
    (
        event("response.function_call_arguments.done", **PART, **SAID),
        CallWanted("r", "c", "transfer", '{"a": 1}'),
    ),
    (
        event("response.function_call_arguments.done", **PART, call_id="c", arguments="{}"),
        Remark("response.function_call_arguments.done"),
    ),
    (
        event("response.output_item.done", response_id="r", item=CALL),
        CallWanted("r", "c", "transfer", '{"a": 1}'),
    ),
    (
        event("response.output_item.done", response_id="r", item=CALL | {"status": "incomplete"}),
        Remark("response.output_item.done"),
    ),
    (
        event("response.output_item.done", response_id="r", item={"type": "message"}),
        Remark("response.output_item.done"),
    ),
    (event("response.something_new", x=1), Remark("response.something_new")),
    (event("rate_limits.updated", rate_limits=[]), Remark("rate_limits.updated")),
    ("{}", Remark("")),
]


@pytest.mark.parametrize(("raw", "expected"), KNOWN)
def test_each_event_as_the_documentation_shows_it(raw: str, expected: object) -> None:
    assert parse(raw) == expected


def test_a_response_that_is_done_tells_its_tools_and_its_price() -> None:
    ended = parse(done(output=[CALL, {"type": "message"}], metadata={"turn": "2.1"}))
    assert ended == ResponseEnded(
        "r",
        "2.1",
        "completed",
        usage={
            "realtime_text_in": 59.0,
            "realtime_audio_in": 9.0,
            "realtime_text_cached": 60.0,
            "realtime_audio_cached": 4.0,
            "realtime_text_out": 30.0,
            "realtime_audio_out": 91.0,
        },
        calls=(CallWanted("r", "c", "transfer", '{"a": 1}'),),
    )


def test_why_a_response_was_not_completed() -> None:
    cut = parse(done(status="cancelled", status_details={"reason": "turn_detected"}, usage=None))
    assert cut == ResponseEnded("r", "", "cancelled", "turn_detected")
    error = {"type": "server_error", "code": None, "message": SECRET}
    failed = parse(done(status="failed", status_details={"error": error}))
    assert isinstance(failed, ResponseEnded)
    assert isinstance(failed.error, ProviderUnavailable)
    assert SECRET not in str(failed.error)
    assert isinstance(parse(done(status="failed")), ResponseEnded)


def report(code: str | None, kind: str = "invalid_request_error", **fields: object) -> str:
    error = {"type": kind, "code": code, "message": SECRET, "param": None, "event_id": "e1"}
    return event("error", error=error | fields)


@pytest.mark.parametrize(
    ("code", "param", "kind", "setting"),
    [
        ("response_cancel_not_active", None, ProviderRejected, ""),
        ("invalid_value", "session.audio.output.voice", ProviderRejected, "realtime.voice"),
        (
            "invalid_value",
            "session.audio.input.turn_detection.threshold",
            ProviderRejected,
            "realtime.turns",
        ),
        (
            "invalid_value",
            "session.audio.input.transcription.model",
            ProviderRejected,
            "OPENAI_REALTIME_TRANSCRIPTION_MODEL",
        ),
        ("rate_limit_exceeded", None, ProviderBusy, ""),
    ],
)
def test_what_is_refused_is_no_end(
    code: str, param: str | None, kind: type[ProviderError], setting: str
) -> None:
    refused = parse(report(code, param=param))
    assert isinstance(refused, RequestRefused)
    assert (refused.code, refused.event_id) == (code, "e1")
    assert type(refused.error) is kind
    assert refused.error.setting == setting
    assert SECRET not in str(refused.error)


@pytest.mark.parametrize(
    ("code", "kind", "is_retryable"),
    [
        ("session_expired", ProviderUnavailable, True),
        ("model_not_found", ProviderRejected, False),
        ("invalid_api_key", ProviderRefused, False),
        ("insufficient_quota", ProviderRefused, False),
    ],
)
def test_what_ends_the_session(code: str, kind: type[ProviderError], is_retryable: bool) -> None:
    with pytest.raises(ProviderError) as caught:
        parse(report(code))
    assert type(caught.value) is kind
    assert caught.value.retryable is is_retryable
    assert bool(caught.value.setting) is not is_retryable


BROKEN = [
    "",
    "\x00 garbage {",
    b"\xff\xfe\x00",
    "[1, 2]",
    "[" * 100_000,
    event("session.created"),
    event("response.created", response={"id": 7}),
    event("response.created"),
    event("response.output_audio.delta", **PART, delta="not base64!"),
    event("response.output_audio.delta", **PART, delta=None),
    event("response.output_audio.delta", **PART | {"content_index": -1}, delta=""),
    event("response.output_audio.delta", item_id="i", delta=""),
    event("input_audio_buffer.speech_started", item_id="i", audio_start_ms="0"),
    event("input_audio_buffer.speech_started", item_id="i", audio_start_ms=True),
    event("input_audio_buffer.committed"),
    event(f"{TRANSCRIPTION}.completed", item_id="i", transcript=None),
    event("response.output_item.done", response_id="r", item=CALL | {"name": ""}),
    done(status="odd"),
    event("error"),
]


@pytest.mark.parametrize("raw", BROKEN)
def test_what_does_not_follow_the_protocol_is_said_so(raw: str | bytes) -> None:
    with pytest.raises(ProviderProtocolError) as caught:
        parse(raw)
    assert caught.value.retryable


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*PART, *CALL, *USAGE, "id", "status", "usage"]), inner)
    ),
    max_leaves=12,
)
EXAMPLES: list[dict[str, Any]] = [json.loads(raw) for raw, _ in KNOWN] + [json.loads(done())]


@given(
    st.text()
    | st.binary()
    | JSON.map(json.dumps)
    | st.builds(
        lambda whole, odd: json.dumps(whole | odd),
        st.sampled_from(EXAMPLES),
        st.dictionaries(
            st.sampled_from(sorted({key for one in EXAMPLES for key in one if key != "type"})), JSON
        ),
    )
)
def test_nothing_else_is_ever_raised_and_what_was_used_can_be_added_up(raw: str | bytes) -> None:
    try:
        told = parse(raw)
    except ProviderError:
        return
    if isinstance(told, ResponseEnded | WordsKnown):
        assert all(math.isfinite(amount) and amount > 0 for amount in told.usage.values())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, ProviderRefused),
        (404, ProviderRejected),
        (429, ProviderBusy),
        (500, ProviderUnavailable),
    ],
)
def test_a_refused_handshake_names_the_setting(status: int, kind: type[ProviderError]) -> None:
    body = json.dumps({"error": {"code": "some_code", "message": SECRET}}).encode()
    error = error_of_handshake(status, {"x-request-id": "req-1"}, body)
    assert type(error) is kind
    assert "some_code" in str(error)
    assert "req-1" in str(error)
    assert SECRET not in str(error)
    assert ("OPENAI" in error.setting) is not error.retryable


def test_a_close_is_typed() -> None:
    hour = error_of_close(1001, "Your session hit the maximum duration of 60 minutes.")
    assert isinstance(hour, ProviderUnavailable)
    assert isinstance(
        error_of_close(4000, "invalid_request_error.model_not_found"), ProviderRejected
    )
    assert isinstance(
        error_of_close(3000, "invalid_request_error.invalid_api_key"), ProviderRefused
    )
    assert isinstance(error_of_close(1013, ""), ProviderBusy)
    assert isinstance(error_of_close(None, ""), ProviderUnavailable)
    assert SECRET not in str(error_of_close(1011, SECRET))


@given(st.integers(100, 599), st.binary(max_size=60) | JSON.map(lambda j: json.dumps(j).encode()))
def test_any_refusal_becomes_a_typed_error(status: int, body: bytes) -> None:
    assert isinstance(error_of_handshake(status, {}, body), ProviderError)
