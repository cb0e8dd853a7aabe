"""A chat completion is read the same however its bytes are cut, and nothing crashes it."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogue.ports import (
    ReplyDelta,
    ReplyDone,
    ThinkEvent,
    ToolCallBegan,
    ToolCallRequested,
)
from providers.chat_stream import MOST_TEXT_CHARS, ChatStream
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
        data({"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "call_1"}, None]}}]}),
        data({"choices": [{"delta": {"tool_calls": {"index": 0}}}]}),
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


def call(arguments: str, index: int = 0, **fields: Any) -> bytes:
    function = {"arguments": arguments, **fields.pop("function", {})}
    return delta(tool_calls=[{"index": index, "function": function, **fields}])


CALLS = (
    call("", id="c1", type="function", function={"name": "look"})
    + call('{"q": ')
    + call('"你好"}')
    + call("", 1, id="c2", type="function", function={"name": "go"})
)
BEGAN = ToolCallBegan()
REQUESTED = [ToolCallRequested("c1", "look", '{"q": "你好"}'), ToolCallRequested("c2", "go", "{}")]


def test_tool_calls_come_whole_after_the_text_and_before_the_end() -> None:
    whole = REPLY + CALLS + delta("tool_calls") + USAGE + DONE
    assert read(whole)[0] == [*EXPECTED[:2], BEGAN, *REQUESTED, ReplyDone("tool_calls", 12, 3)]


@given(st.lists(st.integers(0, len(CALLS)), max_size=12))
@settings(max_examples=50)
def test_cuts_do_not_matter_to_tool_calls(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(CALLS)]
    pieces = [CALLS[a:b] for a, b in itertools.pairwise(edges)]
    done = ReplyDone("tool_calls")
    assert read(*pieces, delta("tool_calls"), DONE)[0] == [BEGAN, *REQUESTED, done]


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (delta("stop") + DONE, "stop"),  # a tool that was forced
        (DONE, "stop"),
        (delta("function_call"), "function_call"),
    ],
)
def test_tool_calls_come_whatever_the_end_is_called(end: bytes, reason: str) -> None:
    assert read(CALLS + end)[0] == [BEGAN, *REQUESTED, ReplyDone(reason)]


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_a_call_that_was_cut_off_is_none(reason: str) -> None:
    assert read(CALLS + delta(reason) + DONE)[0] == [BEGAN, ReplyDone(reason)]


def test_a_stream_that_breaks_within_a_call_is_a_failure() -> None:
    events, stream = read(CALLS)
    assert events == [BEGAN]
    assert isinstance(stream.failure, ProviderUnavailable)


def test_tool_calls_without_an_end_are_a_protocol_error() -> None:
    _, stream = read(*[call("x" * 1_000)] * 300)
    assert isinstance(stream.failure, ProviderProtocolError)


def test_pieces_of_text_and_calls_are_progress_and_comments_are_not() -> None:
    stream = ChatStream(BLAME)
    stream.feed(delta(role="assistant", content="") + b": still here\n\n")
    assert stream.pieces == 0
    assert stream.feed(call("", id="c1", function={"name": "look"})) == [BEGAN]
    assert stream.pieces == 1
    stream.feed(delta(content="Hel"))
    assert stream.pieces == 2


def test_a_refusal_is_said() -> None:
    refusal = delta(refusal="I cannot") + delta(refusal=" do that.", content=None)
    assert read(refusal + delta("stop") + DONE)[0] == [
        ReplyDelta("I cannot"),
        ReplyDelta(" do that."),
        ReplyDone("stop"),
    ]


def test_cached_tokens_are_counted() -> None:
    details = {"cached_tokens": 1_024, "cache_write_tokens": 0}
    usage = {"prompt_tokens": 1_500, "completion_tokens": 3, "prompt_tokens_details": details}
    body = REPLY + delta("stop") + data({"choices": [], "usage": usage}) + DONE
    assert read(body)[0][-1] == ReplyDone("stop", 1_500, 3, 1_024)


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


@pytest.mark.parametrize("tail", [b"data: [DO", b'data: {"choices": [{"del', b"da"])
def test_an_event_that_the_body_breaks_off_in_says_nothing(tail: bytes) -> None:
    events, stream = read(REPLY + tail)
    assert events == EXPECTED[:2]
    assert isinstance(stream.failure, ProviderUnavailable)
    assert read(REPLY + delta("stop") + tail)[0] == [*EXPECTED[:2], ReplyDone("stop")]


@pytest.mark.parametrize("end", [b"data: [DONE]", b"data: [DONE]\n", b"data:[DONE]\r\n\r\n"])
def test_the_end_needs_no_blank_line(end: bytes) -> None:
    assert read(REPLY + delta("stop") + USAGE + end)[0] == EXPECTED


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


def test_an_error_without_an_envelope_is_typed() -> None:
    flat = {"object": "error", "message": "what the caller said", "type": "x", "code": 404}
    _, stream = read(REPLY + data(flat))
    assert type(stream.failure) is ProviderRejected


def test_a_finish_reason_of_error_is_a_failure() -> None:
    events, stream = read(REPLY + delta("error") + DONE)
    assert events == EXPECTED[:2]
    assert type(stream.failure) is ProviderUnavailable


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
                [
                    *("choices", "delta", "content", "usage", "error", "code", "finish_reason"),
                    *("tool_calls", "function", "name", "arguments", "index", "id", "refusal"),
                ]
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
    assert all(isinstance(event, ThinkEvent) for event in events)


def test_a_reply_without_an_end_is_a_failure_after_what_was_said() -> None:
    piece = delta(content="word " * 1_000)
    events, stream = read(*([piece] * 20))
    assert isinstance(stream.failure, ProviderProtocolError)
    said = sum(len(event.text) for event in events if isinstance(event, ReplyDelta))
    assert 0 < said <= MOST_TEXT_CHARS


@pytest.mark.parametrize("count", [-1, 10**30, True, "12", 1.5])
def test_a_count_that_cannot_be_is_none(count: object) -> None:
    usage = data({"choices": [], "usage": {"prompt_tokens": count, "completion_tokens": 3}})
    assert read(REPLY + delta("stop") + usage + DONE)[0][-1] == ReplyDone("stop", None, 3)


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        (("lift \ud860", "\udee2."), ["lift ", "\U000282e2."]),
        (("a\ud83d", "b"), ["a", "\ufffdb"]),
        (("a\ud83d",), ["a", "\ufffd"]),
        (("\ude42",), ["\ufffd"]),
    ],
)
def test_half_a_character_waits_for_its_other_half(
    pieces: tuple[str, ...], said: list[str]
) -> None:
    """As servers write it that cut text into UTF-16 units."""
    sent = [delta(content=piece) for piece in pieces]
    events, _ = read(*sent, delta("stop"), DONE)
    assert events == [*(ReplyDelta(text) for text in said), ReplyDone("stop")]


def test_a_tool_call_is_whole_text() -> None:
    function = {"name": "f\ud800", "arguments": '{"a": "\ud800"}'}
    call = {"index": 0, "id": "\ud800", "function": function}
    events, _ = read(delta("tool_calls", tool_calls=[call]), DONE)
    assert ToolCallRequested("\ufffd", "f\ufffd", '{"a": "\ufffd"}') in events


@pytest.mark.parametrize(
    "fragment", [None, {}, [], {"index": 0}, {"index": 0, "function": {"arguments": ""}}]
)
def test_fragments_of_calls_that_bring_nothing_are_no_progress(fragment: object) -> None:
    """Or a server that sends them for ever would hold the call for ever."""
    stream = ChatStream(BLAME)
    stream.feed(delta(tool_calls=[{"index": 0, "id": "t", "function": {"name": "f"}}]))
    before = stream.pieces
    assert stream.feed(delta(tool_calls=[fragment]) * 3) == []
    assert stream.pieces == before
