"""A chat completion is read the same however its bytes are cut, and nothing crashes it."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogue.ports import ReplyDelta, ReplyDone, ThinkEvent
from providers.chat_stream import ChatStream
from providers.errors import (
    ProviderBusy,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    ProviderRejected,
    ProviderUnavailable,
)
from providers.http_status import Blame

BLAME = Blame("openai", "KEY", "MODEL", "URL")


def data(chunk: Any) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def delta(reason: str | None = None, **fields: Any) -> bytes:
    return data({"choices": [{"index": 0, "delta": fields, "finish_reason": reason}]})


USAGE = data({"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 3}})
DONE = b"data: [DONE]\n\n"
REPLY = delta(role="assistant", content="") + delta(content="Hel") + delta(content="lo 你好")
WHOLE = REPLY + delta("stop") + USAGE + DONE


def read(*pieces: bytes) -> tuple[list[ThinkEvent], ChatStream]:
    stream = ChatStream(BLAME)
    events = [event for piece in pieces for event in stream.feed(piece)]
    return events + stream.end(), stream


EXPECTED = [ReplyDelta("Hel"), ReplyDelta("lo 你好"), ReplyDone("stop", 12, 3)]


def test_a_whole_reply() -> None:
    assert read(WHOLE)[0] == EXPECTED


@given(st.lists(st.integers(0, len(WHOLE)), max_size=12))
@settings(max_examples=50)
def test_cuts_do_not_matter(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(WHOLE)]
    assert read(*(WHOLE[a:b] for a, b in itertools.pairwise(edges)))[0] == EXPECTED


@pytest.mark.parametrize(
    "noise",
    [
        b": OPENROUTER PROCESSING\n\n",
        b"event: message\nid: 1\nretry: 10\n",
        data({"choices": [], "prompt_filter_results": []}),
        data({"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "call_1"}]}}]}),
        data({"choices": [{"delta": {"reasoning": "hm", "content": None}}]}),
        data({"choices": [{"delta": None}]}),
        data({"choices": [None]}),
        data({"usage": None, "choices": None}),
        b"data:\n\n",
        b"\r\n",
    ],
)
def test_what_is_no_text_is_skipped(noise: bytes) -> None:
    assert read(noise + REPLY + noise + delta("stop") + noise + USAGE + DONE)[0] == EXPECTED


def test_carriage_returns_are_line_ends_too() -> None:
    assert read(WHOLE.replace(b"\n", b"\r\n"))[0] == EXPECTED


def test_a_tool_call_ends_without_text() -> None:
    call: dict[str, Any] = {
        "tool_calls": [{"index": 0, "function": {"name": "look", "arguments": "{}"}}]
    }
    assert read(delta(**call) + delta("tool_calls") + DONE)[0] == [ReplyDone("tool_calls")]


@pytest.mark.parametrize("tail", [b"", USAGE])
def test_an_end_of_the_body_after_the_reason_is_an_end(tail: bytes) -> None:
    events, stream = read(REPLY + delta("length") + tail)
    assert isinstance(events[-1], ReplyDone)
    assert events[-1].reason == "length"
    assert stream.failure is None


def test_an_end_of_the_body_before_the_reason_is_a_failure() -> None:
    events, stream = read(REPLY)
    assert events == EXPECTED[:2]
    assert isinstance(stream.failure, ProviderUnavailable)


def test_nothing_is_read_after_the_end() -> None:
    assert read(WHOLE + REPLY)[0] == EXPECTED


@pytest.mark.parametrize(
    ("error", "kind", "setting"),
    [
        ({"code": "rate_limit_exceeded"}, ProviderBusy, ""),
        ({"code": "insufficient_quota"}, ProviderRefused, "KEY"),
        ({"code": "model_not_found"}, ProviderRejected, "MODEL"),
        ({"code": 429}, ProviderBusy, ""),
        ({"code": 502, "message": "what the caller said"}, ProviderUnavailable, ""),
        ({"code": None, "type": "server_error"}, ProviderUnavailable, ""),
        ({"type": "overloaded"}, ProviderBusy, ""),
        ("prose about the caller", ProviderUnavailable, ""),
        (["odd"], ProviderUnavailable, ""),
    ],
)
def test_an_error_in_the_stream_is_typed(
    error: object, kind: type[ProviderError], setting: str
) -> None:
    _, stream = read(REPLY + data({"error": error}))
    assert type(stream.failure) is kind
    assert stream.failure.setting == setting
    assert "caller" not in str(stream.failure)


def test_text_before_an_error_in_the_same_bytes_is_not_lost() -> None:
    stream = ChatStream(BLAME)
    assert stream.feed(REPLY + data({"error": {"code": 500}})) == EXPECTED[:2]
    assert stream.failure is not None


@pytest.mark.parametrize(
    "body", [b"<html>busy</html>\n", b"data: {oops\n\n", b"data: 7\n\n", b'{"id": 1}', b"x" * 2**21]
)
def test_what_is_no_event_stream_is_a_protocol_error(body: bytes) -> None:
    _, stream = read(body)
    assert isinstance(stream.failure, ProviderProtocolError)
    assert stream.failure.setting == "URL"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "delta", "content", "usage", "error", "code", "finish_reason"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(st.binary(max_size=40) | json_values.map(data), max_size=6))
@settings(max_examples=50)
def test_no_bytes_crash_it(pieces: list[bytes]) -> None:
    events, stream = read(*pieces)
    assert stream.done or stream.failure is not None
    assert all(isinstance(event, ReplyDelta | ReplyDone) for event in events)
