"""What Deepgram says on a socket, at the handshake and when it closes."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.deepgram_errors import error_of_close, error_of_code, error_of_handshake
from providers.deepgram_messages import Connected, HeardWord, Remark, TurnInfo, parse
from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)

TURN: dict[str, Any] = {
    "type": "TurnInfo",
    "request_id": "ad12514a-0d38-4f7e-8fba-cce10d8f174c",
    "sequence_id": 11,
    "event": "EndOfTurn",
    "turn_index": 0,
    "audio_window_start": 0,
    "audio_window_end": 1.3,
    "transcript": "Hello, you?",
    "words": [
        {"word": "Hello,", "confidence": 0.96, "start": 0.2, "end": 0.5},
        {"word": "you?", "confidence": 0.92},
    ],
    "end_of_turn_confidence": 0.86,
    "trigger": "model",
}
SECRET = "what the caller said"


def turn(**fields: object) -> str:
    return json.dumps(TURN | fields)


def test_a_turn_as_the_documentation_shows_it() -> None:
    assert parse(turn()) == TurnInfo(
        request_id="ad12514a-0d38-4f7e-8fba-cce10d8f174c",
        index=0,
        window_start_s=0.0,
        window_end_s=1.3,
        transcript="Hello, you?",
        words=(HeardWord("Hello,", 0.2, 0.5), HeardWord("you?", None, None)),
        is_end=True,
        is_likely_end=True,
        end_ratio=0.86,
    )


@pytest.mark.parametrize("event", ["Update", "StartOfTurn", "EagerEndOfTurn", "TurnResumed", "New"])
def test_every_other_event_is_words_so_far(event: str) -> None:
    message = parse(turn(event=event))
    assert isinstance(message, TurnInfo)
    assert not message.is_end
    assert message.is_likely_end == (event == "EagerEndOfTurn")
    assert message.is_resumed == (event == "TurnResumed")


@pytest.mark.parametrize("trigger", ["manual", "timeout"])
def test_an_end_that_the_model_did_not_make_is_no_belief(trigger: str) -> None:
    message = parse(turn(trigger=trigger))
    assert isinstance(message, TurnInfo)
    assert message.is_end
    assert not message.is_likely_end


def test_the_confidence_is_not_above_one_and_may_be_missing() -> None:
    sure, silent = parse(turn(end_of_turn_confidence=7)), parse(turn(end_of_turn_confidence=None))
    assert isinstance(sure, TurnInfo)
    assert isinstance(silent, TurnInfo)
    assert (sure.end_ratio, silent.end_ratio) == (1.0, None)


def test_what_is_not_about_a_turn() -> None:
    assert parse('{"type": "Connected", "request_id": "r", "sequence_id": 0}') == Connected("r")
    assert parse('{"type": "ConfigureSuccess", "keyterms": []}') == Remark("ConfigureSuccess", "")
    warning = '{"type": "Warning", "code": "SLOW", "description": "prose"}'
    assert parse(warning) == Remark("Warning", "SLOW")
    assert parse('{"type": "SomethingNew", "x": 1}') == Remark("SomethingNew", "")
    assert parse("{}") == Remark("", "")


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "\x00 garbage {",
        b"\xff\xfe\x00",
        "[1, 2]",
        '"TurnInfo"',
        "[" * 100_000,
        '{"type": "Connected"}',
        turn(transcript=None),
        turn(transcript=["Hello"]),
        turn(words="Hello"),
        turn(words=["Hello"]),
        turn(words=[{"word": 1}]),
        turn(words=[{"word": "a", "start": "0.1"}]),
        turn(audio_window_end=None),
        turn(audio_window_end="1.3"),
        turn(audio_window_end=True),
        turn(audio_window_end=-1),
        turn(end_of_turn_confidence="high"),
        turn(end_of_turn_confidence=math.nan),
        turn(audio_window_end=math.nan),
        turn(audio_window_end=math.inf),
        turn(audio_window_end=10**400),
        turn(request_id=7),
        turn(event=None),
        turn(turn_index="0"),
        turn(turn_index=None),
    ],
)
def test_what_does_not_follow_the_protocol_is_said_so(raw: str | bytes) -> None:
    with pytest.raises(ProviderProtocolError) as caught:
        parse(raw)
    assert caught.value.retryable
    assert "Hello" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*TURN, "word", "start", "end", "code"]), inner)
    ),
    max_leaves=12,
)


@given(
    st.text()
    | st.binary()
    | JSON.map(json.dumps)
    | st.dictionaries(st.sampled_from(list(TURN)), JSON).map(lambda odd: json.dumps(TURN | odd))
)
def test_nothing_else_is_ever_raised_and_times_can_be_counted_with(raw: str | bytes) -> None:
    try:
        message = parse(raw)
    except ProviderError:
        return
    if isinstance(message, TurnInfo):
        times = [message.window_start_s, message.window_end_s]
        times += [at for word in message.words for at in (word.start_s, word.end_s) if at]
        assert all(math.isfinite(at) and at >= 0 for at in times)


@pytest.mark.parametrize(
    ("code", "kind", "setting"),
    [
        ("INTERNAL_SERVER_ERROR", ProviderUnavailable, ""),
        ("INACTIVE_CLIENT", ProviderTimeout, ""),
        ("CLIENT_MESSAGE_TIMEOUT", ProviderTimeout, ""),
        ("UNPARSABLE_CLIENT_MESSAGE", ProviderRejected, "DEEPGRAM_BASE_URL"),
        ("INVALID_AUTH", ProviderRefused, "DEEPGRAM_API_KEY"),
        ("TOO_MANY_REQUESTS", ProviderBusy, ""),
        ("INVALID_PARAMETER", ProviderRejected, "DEEPGRAM_MODEL"),
        ({"no": "code"}, ProviderUnavailable, ""),
        (None, ProviderUnavailable, ""),
    ],
)
def test_fatal_errors_are_typed(code: object, kind: type[ProviderError], setting: str) -> None:
    with pytest.raises(ProviderError) as caught:
        parse(json.dumps({"type": "Error", "code": code, "description": SECRET}))
    assert type(caught.value) is kind
    assert caught.value.setting == setting
    assert SECRET not in str(caught.value)
    assert type(error_of_code(code)) is kind


@pytest.mark.parametrize(
    ("code", "reason", "kind", "setting"),
    [
        (1011, "NET-0000: no Text frame in time", ProviderTimeout, ""),
        (1011, f"NET-0001 {SECRET}", ProviderTimeout, ""),
        (1008, "DATA-0000", ProviderRejected, "DEEPGRAM_BASE_URL"),
        (1011, SECRET, ProviderUnavailable, ""),
        (1013, "", ProviderBusy, ""),
        (1000, "", ProviderUnavailable, ""),
        (None, "", ProviderUnavailable, ""),
    ],
)
def test_close_codes_are_typed(
    code: int | None, reason: str, kind: type[ProviderError], setting: str
) -> None:
    error = error_of_close(code, reason)
    assert type(error) is kind
    assert error.setting == setting
    assert SECRET not in str(error)


def refusal(status: int, **fields: str) -> ProviderError:
    return error_of_handshake(status, {}, json.dumps(fields).encode())


@pytest.mark.parametrize(
    ("status", "fields", "kind", "setting"),
    [
        (401, {"err_code": "INVALID_AUTH"}, ProviderRefused, "DEEPGRAM_API_KEY"),
        (402, {"err_code": "ASR_PAYMENT_REQUIRED"}, ProviderRefused, "DEEPGRAM_API_KEY"),
        (403, {"err_code": "INSUFFICIENT_PERMISSIONS"}, ProviderRefused, "DEEPGRAM_API_KEY"),
        (404, {}, ProviderRejected, "DEEPGRAM_BASE_URL"),
        (429, {"err_code": "TOO_MANY_REQUESTS"}, ProviderBusy, ""),
        (500, {}, ProviderUnavailable, ""),
        (503, {}, ProviderUnavailable, ""),
        (504, {}, ProviderTimeout, ""),
        (400, {"err_msg": "No such model"}, ProviderRejected, "DEEPGRAM_MODEL"),
        (
            400,
            {"code": "INVALID_PARAMETER", "description": "unsupported language in language_hint"},
            ProviderRejected,
            "language",
        ),
        (400, {"details": "a keyterm is too long"}, ProviderRejected, "hints"),
        (
            400,
            {"description": "eager_eot_threshold must be less than or equal to eot_threshold"},
            ProviderRejected,
            "CALLCLUSTER_DEEPGRAM_EAGER_EOT_THRESHOLD",
        ),
        (400, {"description": "encoding"}, ProviderRejected, "DEEPGRAM_BASE_URL"),
    ],
)
def test_refused_handshakes_are_typed_and_name_the_setting(
    status: int, fields: dict[str, str], kind: type[ProviderError], setting: str
) -> None:
    error = refusal(status, **fields)
    assert type(error) is kind
    assert error.setting == setting


def test_a_refusal_tells_its_code_and_request_and_never_its_prose() -> None:
    error = refusal(401, err_code="INVALID_AUTH", err_msg=SECRET, request_id="7d0c-1")
    assert str(error) == (
        "deepgram: HTTP 401 INVALID_AUTH, request 7d0c-1 (look at DEEPGRAM_API_KEY)"
    )


def test_headers_help_where_the_body_does_not() -> None:
    headers = {"dg-request-id": "r-1", "dg-error": "bad eot_timeout_ms", "retry-after": "2"}
    error = error_of_handshake(400, headers, b"<html>")
    assert error.setting == "CALLCLUSTER_DEEPGRAM_EOT_TIMEOUT_MS"
    assert "r-1" in str(error)
    assert error_of_handshake(429, headers, b"").retry_after_s == 2.0


@given(st.integers(100, 599), st.binary(max_size=60) | JSON.map(lambda j: json.dumps(j).encode()))
def test_any_refusal_becomes_a_typed_error(status: int, body: bytes) -> None:
    assert isinstance(error_of_handshake(status, {}, body), ProviderError)
