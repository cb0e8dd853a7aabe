"""The playout model: what is heard when, and when marks come back."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.playout_clock import CAP_BYTES, PlayoutClock


def ms(count: int) -> bytes:
    return bytes(count * 8)


def heard(clock: PlayoutClock) -> list[tuple[float, int]]:
    return [(piece.start_s, len(piece.audio)) for piece in clock.take_heard()]


def test_a_mark_on_an_empty_queue_comes_back_at_once() -> None:
    assert PlayoutClock().mark("a", now=5.0) == ["a"]


def test_the_published_sequence() -> None:
    """200 ms, mark a, 200 ms, mark b: nothing at 199 ms, a at 200, clear at 300 gives b."""
    clock = PlayoutClock()
    clock.media(ms(200), now=100.0)
    assert clock.mark("a", now=100.0) == []
    clock.media(ms(200), now=100.0)
    assert clock.mark("b", now=100.0) == []
    assert clock.advance(now=100.199) == []
    assert clock.advance(now=100.2) == ["a"]
    assert clock.clear(now=100.3) == ["b"]
    assert clock.heard_s == pytest.approx(0.3)
    assert clock.cleared_bytes == 800
    assert clock.queued_s == 0


def test_audio_sent_faster_than_real_time_is_played_in_real_time() -> None:
    clock = PlayoutClock()
    clock.media(ms(1_000), now=0.0)
    clock.advance(now=0.25)
    assert clock.heard_s == 0.25
    assert clock.queued_s == 0.75


def test_heard_audio_carries_the_time_of_its_first_sample() -> None:
    clock = PlayoutClock()
    clock.media(ms(20), now=1.0)
    clock.media(ms(20), now=1.01)
    clock.advance(now=1.03)
    clock.advance(now=2.0)
    starts = [1.0, 1.01, 1.02, 1.03]
    assert heard(clock) == [(pytest.approx(start_s), 80) for start_s in starts]


def test_audio_after_a_clear_plays_as_usual() -> None:
    clock = PlayoutClock()
    clock.media(ms(100), now=0.0)
    clock.clear(now=0.05)
    clock.media(ms(20), now=0.06)
    assert clock.mark("later", now=0.06) == []
    assert clock.advance(now=0.08) == ["later"]
    assert heard(clock)[-1] == (0.06, 160)
    assert clock.underruns == []


def test_several_marks_at_one_place_come_back_in_order() -> None:
    clock = PlayoutClock()
    clock.media(ms(20), now=0.0)
    for name in "abc":
        clock.mark(name, now=0.0)
    assert clock.advance(now=0.02) == ["a", "b", "c"]


def test_more_than_ten_minutes_are_dropped() -> None:
    clock = PlayoutClock()
    assert clock.media(bytes(CAP_BYTES - 80), now=0.0)
    assert not clock.media(ms(20), now=0.0)
    assert clock.overflowed
    assert clock.dropped_bytes == 80
    assert clock.queued_s == 600.0


def test_a_queue_that_runs_dry_inside_a_reply_is_an_underrun() -> None:
    clock = PlayoutClock()
    clock.media(ms(100), now=0.0)
    clock.media(ms(100), now=0.15)
    clock.advance(now=1.0)
    (hole,) = clock.underruns
    assert hole.at_s == pytest.approx(0.1)
    assert hole.length_s == pytest.approx(0.05)


@pytest.mark.parametrize("second_s", [0.1, 0.1005, 1.2])
def test_neither_punctual_audio_nor_the_next_reply_is_an_underrun(second_s: float) -> None:
    clock = PlayoutClock()
    clock.media(ms(100), now=0.0)
    clock.media(ms(100), now=second_s)
    assert clock.underruns == []


def test_a_reply_after_the_caller_spoke_is_no_underrun() -> None:
    clock = PlayoutClock()
    clock.media(ms(100), now=0.0)
    clock.caller_spoke()
    clock.media(ms(100), now=0.5)
    assert clock.underruns == []


def test_twenty_thousand_chunks_add_no_rounding() -> None:
    clock = PlayoutClock()
    for index in range(20_000):
        clock.media(ms(20), now=7.0 + index * 0.01)
    assert clock.mark("end", now=207.0) == []
    assert clock.advance(now=406.999) == []
    assert clock.advance(now=407.0) == ["end"]


commands = st.lists(
    st.tuples(
        st.sampled_from(["media", "mark", "clear", "advance"]),
        st.integers(1, 4_000),
        st.floats(0, 0.5),
    ),
    max_size=40,
)


@settings(max_examples=50)
@given(commands)
def test_every_mark_comes_back_once_in_order_and_every_byte_is_accounted_for(
    script: list[tuple[str, int, float]],
) -> None:
    clock, now, sent, marks, echoed = PlayoutClock(), 0.0, 0, 0, []
    for command, size, wait_s in script:
        now += wait_s
        if command == "media":
            sent += size
            clock.media(bytes(size), now=now)
        elif command == "mark":
            echoed += clock.mark(str(marks), now=now)
            marks += 1
        elif command == "clear":
            echoed += clock.clear(now=now)
        else:
            echoed += clock.advance(now=now)
    echoed += clock.advance(now=now + 1_000)
    pieces = clock.take_heard()
    assert echoed == [str(n) for n in range(marks)]
    assert sum(len(piece.audio) for piece in pieces) + clock.cleared_bytes == sent
    assert all(a.end_s <= b.start_s + 1e-6 for a, b in pairwise(pieces))
