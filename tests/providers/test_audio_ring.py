from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.audio_ring import AudioRing


@given(st.integers(1, 50), st.lists(st.binary(max_size=70), max_size=12))
def test_it_holds_the_last_bytes_whatever_the_pieces(capacity: int, pieces: list[bytes]) -> None:
    ring = AudioRing(capacity)
    for piece in pieces:
        ring.append(piece)
    everything = b"".join(pieces)
    assert ring.end == len(everything)
    assert ring.start == max(0, len(everything) - capacity)
    for at in range(ring.start, ring.end):
        assert ring.read(at, 7) == everything[at : at + 7]
    assert ring.read(ring.end, 7) == b""


@given(
    st.integers(5_000, 30_000),
    st.lists(st.tuples(st.integers(0, 9_000), st.integers(0, 60_000)), max_size=12),
)
def test_what_nobody_will_ask_for_takes_no_memory(
    capacity: int, steps: list[tuple[int, int]]
) -> None:
    ring, everything, oldest = AudioRing(capacity), b"", 0
    for size, before in steps:
        piece = bytes(number % 251 for number in range(len(everything), len(everything) + size))
        everything += piece
        ring.append(piece)
        ring.forget(before)
        oldest = max(oldest, len(everything) - capacity, min(before, len(everything)))
        assert (ring.start, ring.end) == (oldest, len(everything))
        assert ring.read(oldest, size) == everything[oldest : oldest + size]
        assert len(ring._bytes) < ring.end - ring.start + 4_000


def test_what_is_forgotten_cannot_be_read() -> None:
    ring = AudioRing(4)
    ring.append(b"abcdef")
    with pytest.raises(IndexError, match="the oldest is 2"):
        ring.read(1, 1)


def test_what_was_released_takes_no_memory() -> None:
    ring = AudioRing(30_000)
    ring.append(b"a" * 20_000)
    ring.release()
    assert (ring.start, ring.end, len(ring._bytes)) == (20_000, 20_000, 0)
    ring.append(b"bc")
    assert ring.read(20_000, 7) == b"bc"
