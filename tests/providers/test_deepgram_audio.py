from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.deepgram_audio import AudioRing


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


def test_what_is_forgotten_cannot_be_read() -> None:
    ring = AudioRing(4)
    ring.append(b"abcdef")
    with pytest.raises(IndexError, match="the oldest is 2"):
        ring.read(1, 1)
