"""Frames of the link between an ingress replica and a CallActor."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.link_frames import FrameReader, LinkFrameError, encode

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def raw(value: Any) -> bytes:
    body = json.dumps(value).encode()
    return struct.pack("!I", len(body)) + body


@given(st.lists(st.tuples(st.integers(0, 2**40), JSON), max_size=5), st.data())
def test_frames_come_out_as_they_went_in_however_they_are_cut(
    answers: list[tuple[int, Any]], data: st.DataObject
) -> None:
    wire = b"".join(encode("is", number, answer) for number, answer in answers)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=4)))
    reader = FrameReader()
    came: list[list[Any]] = []
    for begin, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        came += reader.feed(wire[begin:end])
    assert came == [["is", number, answer] for number, answer in answers]


def test_half_a_character_does_not_stay_in_the_way() -> None:
    frame = encode("is", 1, {"text": "so \ud83d far"})
    assert FrameReader().feed(frame) == [["is", 1, {"text": "so ? far"}]]


@given(st.binary(max_size=60))
def test_garbage_is_refused_or_waited_for_and_nothing_else(garbage: bytes) -> None:
    try:
        frames = FrameReader().feed(garbage)
    except LinkFrameError:
        return
    assert all(isinstance(frame[0], str) for frame in frames)


@pytest.mark.parametrize(
    "frame",
    [
        {},
        [],
        [1],
        ["ask"],
        ["ask", 1, "settle"],
        ["ask", "1", "settle", {}],
        ["ask", True, "settle", {}],
        ["ask", 1, 2, {}],
        ["stop"],
        ["stop", None],
        ["is", 1],
        ["end", 1, 2],
        ["error", "1", "why"],
        ["hello", "token"],
        ["hello", 5, 1],
        ["welcome"],
        ["good day", 1],
    ],
)
def test_a_frame_of_another_shape_is_refused(frame: Any) -> None:
    with pytest.raises(LinkFrameError):
        FrameReader().feed(raw(frame))


def test_a_long_frame_is_refused_before_it_is_read() -> None:
    with pytest.raises(LinkFrameError, match="over 100"):
        FrameReader(most_bytes=100).feed(struct.pack("!I", 101))


def test_a_nest_too_deep_for_the_parser_is_no_frame() -> None:
    body = b"[" * 100_000
    with pytest.raises(LinkFrameError, match="not JSON"):
        FrameReader().feed(struct.pack("!I", len(body)) + body)
