"""Whole frames that keep the time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.g711 import SILENCE_FRAME
from telephony.media_time import MAX_FILL_FRAMES, MediaTime
from telephony.stream_events import AudioReceived, StreamStats
from tests.telephony.properties import examples

FRAME = b"\x12" * 160


def test_the_first_timestamp_is_the_origin() -> None:
    time = MediaTime(StreamStats())
    assert time.take(171, FRAME) == AudioReceived(FRAME, 0.0)
    assert time.take(191, FRAME) == AudioReceived(FRAME, 0.02)


def test_a_part_of_a_frame_waits_for_the_rest() -> None:
    time = MediaTime(StreamStats())
    assert time.take(100, b"\x01" * 100) is None
    assert time.waiting == b"\x01" * 100
    assert time.take(112, b"\x02" * 100) == AudioReceived(b"\x01" * 100 + b"\x02" * 60, 0.0)
    assert time.waiting == b"\x02" * 40


def test_what_waits_at_the_end_is_padded_once() -> None:
    time = MediaTime(StreamStats())
    assert time.flush() is None
    time.take(100, b"\x01" * 100)
    assert time.flush() == AudioReceived(b"\x01" * 100 + b"\xff" * 60, 0.0)
    assert time.flush() is None


def test_made_up_silence_moves_the_time_and_takes_along_what_waited() -> None:
    stats = StreamStats()
    time = MediaTime(stats)
    assert time.fill(0) is None
    assert time.fill(2) == AudioReceived(SILENCE_FRAME * 2, 0.0, 2)
    time.take(100, b"\x01" * 100)
    filled = time.fill(1)
    assert filled is not None
    assert filled.ulaw == b"\x01" * 100 + b"\xff" * 60
    assert filled.media_time_s == 0.04
    assert stats.filled_frames == 3


@pytest.mark.parametrize(
    ("gap_ms", "filled", "unfilled", "jumps"),
    [
        (14, 0, 0, 0),
        (15, 1, 0, 0),
        (2_000, MAX_FILL_FRAMES, 0, 0),
        (2_015, MAX_FILL_FRAMES, 1, 0),
        (-2_000, 0, 0, 0),
        (-2_001, 0, 0, 1),
    ],
)
def test_gaps_are_filled_up_to_a_limit(gap_ms: int, filled: int, unfilled: int, jumps: int) -> None:
    stats = StreamStats()
    time = MediaTime(stats)
    time.take(10_000, FRAME)
    time.take(10_020 + gap_ms, FRAME)
    assert (stats.filled_frames, stats.unfilled_frames, stats.clock_jumps) == (
        filled,
        unfilled,
        jumps,
    )


@examples()
@given(
    st.lists(
        st.tuples(st.integers(1, 60), st.sampled_from([0, 0, 0, 20, 100, 1000])),
        min_size=1,
        max_size=30,
    )
)
def test_samples_keep_the_time_whatever_the_lengths_and_gaps(
    pieces: list[tuple[int, int]],
) -> None:
    """Payloads of whole milliseconds, with gaps: what comes out is as long as what was played."""
    time = MediaTime(StreamStats())
    played = b""
    first_ms = clock_ms = 102
    heard: list[AudioReceived] = []
    for n, (length_ms, gap_ms) in enumerate(pieces):
        clock_ms += gap_ms if n else 0
        ulaw = bytes([n + 1]) * (8 * length_ms)
        played += ulaw
        heard += [audio for audio in [time.take(clock_ms, ulaw)] if audio is not None]
        clock_ms += length_ms
    out = b"".join(audio.ulaw for audio in heard)
    assert (out + time.waiting).replace(b"\xff", b"") == played
    assert all(len(audio.ulaw) % 160 == 0 and audio.ulaw for audio in heard)
    assert abs(len(out + time.waiting) // 8 - (clock_ms - first_ms)) < 20
    samples = 0
    for audio in heard:
        assert audio.media_time_s == samples / 8000
        samples += len(audio.ulaw)
