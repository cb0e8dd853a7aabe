"""Any cut of the bytes gives the same events, and no bytes are too odd."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.sse import EventStream

BOUND = 64


def read(*pieces: bytes, bound: int = BOUND) -> tuple[list[bytes], EventStream]:
    """What whole events hold, and what is handed out at the end of the body."""
    stream = EventStream(bound)
    events = [event for piece in pieces for event in stream.feed(piece)]
    return events + stream.end(), stream


def cut(body: bytes, at: list[int]) -> list[bytes]:
    edges = [0, *sorted(at), len(body)]
    return [body[a:b] for a, b in itertools.pairwise(edges)]


@pytest.mark.parametrize(
    ("body", "events"),
    [
        (b"data: one\n\ndata: two\n\n", [b"one", b"two"]),
        (b"data: one\r\n\r\ndata: two\r\n\r\n", [b"one", b"two"]),
        (b"data: one\r\rdata: two\r\r", [b"one", b"two"]),
        (b"\xef\xbb\xbfdata: one\n\n", [b"one"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b"data:tight\n\ndata:  wide \n\n", [b"tight", b" wide "]),
        (b": still here\n\n:\n\ndata: one\n\n", [b"one"]),
        (b"event: message\nid: 7\nretry: 10\ndata: one\n\n", [b"one"]),
        (b"data:\n\ndata: \n\ndata\n\n", []),
        (b"data\ndata: one\n\n", [b"\none"]),
        (b"data: one\n\n\n\n\ndata: two\n\n", [b"one", b"two"]),
        (b"data: line\x0bends\x0cand \xc2\x85 separators\xe2\x80\xa8are data\n\n", None),
        (b"", []),
    ],
)
def test_what_is_an_event(body: bytes, events: list[bytes] | None) -> None:
    found, stream = read(body, bound=1_000)
    assert found == ([body[6:-2]] if events is None else events)
    assert not stream.foreign
    assert not stream.overlong


def test_an_event_is_handed_out_with_its_blank_line() -> None:
    stream = EventStream()
    assert stream.feed(b"data: one\n") == []
    assert stream.feed(b"\n") == [b"one"]


def test_a_carriage_return_ends_a_line_without_a_look_at_what_follows() -> None:
    stream = EventStream()
    assert stream.feed(b"data: one\r\n\r") == [b"one"]
    assert stream.feed(b"\ndata: two\r") == []
    assert stream.feed(b"") == []
    assert stream.feed(b"\n\r\n") == [b"two"]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r", b"\r\n"])
def test_an_event_without_its_end_is_handed_out_at_the_end(end: bytes) -> None:
    stream = EventStream()
    assert stream.feed(b"data: one\n\ndata: tw" + end) == [b"one"]
    assert stream.end() == [b"tw"]
    assert stream.end() == []


@pytest.mark.parametrize("body", [b"<p>hi</p>", b'{"id": 1}\n', b"data : x\n\n"])
def test_lines_of_something_else_are_remembered(body: bytes) -> None:
    events, stream = read(body)
    assert (events, stream.foreign) == ([], True)


@pytest.mark.parametrize(
    "body",
    [
        b"data: " + b"x" * 2 * BOUND,
        b"data: " + b"x" * 2 * BOUND + b"\n\n",
        b"x" * 2 * BOUND,
        b"data: xx\n" * BOUND,
    ],
)
@pytest.mark.parametrize("step", [1, 7, 1_000])
def test_what_has_no_end_is_bounded(body: bytes, step: int) -> None:
    whole = b"data: one\n\n" + body + b"\n\ndata: two\n\n"
    events, stream = read(*(whole[n : n + step] for n in range(0, len(whole), step)))
    assert events == [b"one"]
    assert stream.overlong


def test_the_bound_is_not_passed_by_the_longest_event() -> None:
    body = b"data:" + b"x" * (BOUND - 5) + b"\n\n"
    assert read(body)[0] == read(*cut(body, list(range(len(body)))))[0] == [b"x" * (BOUND - 5)]


bodies = st.lists(
    st.sampled_from(
        [
            b"data",
            b":",
            b" ",
            b"\n",
            b"\r",
            b"\r\n",
            b"\n\n",
            b"x",
            b"event",
            b"\xef\xbb\xbf",
            b"data: ",
        ]
    ),
    max_size=40,
).map(b"".join)


@given(bodies | st.binary(max_size=80), st.lists(st.integers(0, 200), max_size=12))
@settings(max_examples=100)
def test_cuts_do_not_matter(body: bytes, at: list[int]) -> None:
    whole, one = read(body, bound=10_000)
    pieces, other = read(*cut(body, at), bound=10_000)
    assert pieces == whole
    assert (other.foreign, other.overlong) == (one.foreign, one.overlong)


@given(
    st.lists(st.binary(min_size=1, max_size=20).filter(lambda d: not {10, 13} & set(d)), max_size=9)
)
@settings(max_examples=50)
def test_what_is_written_is_read(data: list[bytes]) -> None:
    body = b"".join(b"data: " + event + b"\n\n" for event in data)
    assert read(body)[0] == data
