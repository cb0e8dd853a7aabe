from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.failover.replay_ring import OVERLAP_S, RING_S, ReplayRing

FRAME = 160
HZ = 8_000


def ring_of(*stretches: tuple[bool, float]) -> ReplayRing:
    """A caller who speaks (True) or not, for so many seconds each; audio is the frame's number."""
    ring = ReplayRing()
    number = 0
    for is_speech, seconds in stretches:
        for _ in range(round(seconds / 0.02)):
            ring.write(bytes([number % 256]) * FRAME)
            ring.score(is_speech=is_speech)
            number += 1
    return ring


def start_s(ring: ReplayRing) -> tuple[float, bool]:
    start, is_quiet = ring.replay_from()
    return start / HZ, is_quiet


def test_nothing_known_yet_is_begun_a_little_before_the_first_word() -> None:
    assert start_s(ring_of((False, 3.0), (True, 1.0))) == (2.9, True)
    assert start_s(ring_of((True, 1.0))) == (0.0, True)


def test_a_pause_after_the_final_is_where_it_begins() -> None:
    ring = ring_of((True, 1.0), (False, 0.6), (True, 1.0))
    ring.commit(round(1.0 * HZ))
    assert start_s(ring) == (1.5, True)


def test_silence_until_now_leaves_nothing_but_a_lead_in() -> None:
    ring = ring_of((True, 1.0), (False, 3.0))
    ring.commit(round(0.95 * HZ))
    assert start_s(ring) == (pytest.approx(3.9), True)


def test_a_final_that_ends_early_does_not_bring_its_last_syllable_again() -> None:
    ring = ring_of((True, 1.1), (False, 0.4), (True, 1.0))
    ring.commit(round(1.0 * HZ))
    assert start_s(ring) == (1.4, True)


def test_a_word_that_begins_soon_after_the_final_is_not_skipped() -> None:
    """A short word between two pauses: the first pause counts."""
    ring = ring_of((True, 1.0), (False, 0.1), (True, 0.2), (False, 0.2), (True, 1.0))
    ring.commit(round(1.0 * HZ))
    start, is_quiet = start_s(ring)
    assert 1.0 <= start <= 1.1
    assert is_quiet


def test_a_caller_who_spoke_on_is_sent_a_little_twice() -> None:
    ring = ring_of((True, 4.0))
    ring.commit(round(2.0 * HZ))
    start, is_quiet = ring.replay_from()
    assert (start / HZ, is_quiet) == (2.0 - OVERLAP_S, False)


def test_a_pause_before_the_end_of_the_final_brings_words_twice_and_says_so() -> None:
    ring = ring_of((True, 1.7), (False, 0.1), (True, 2.0))
    ring.commit(round(2.0 * HZ))
    start, is_quiet = ring.replay_from()
    assert 1.7 <= start / HZ <= 1.8
    assert not is_quiet


def test_the_ring_holds_the_last_seconds_and_says_what_it_lost() -> None:
    ring = ring_of((True, 20.0))
    ring.commit(round(1.0 * HZ))
    start, _ = ring.replay_from()
    held = ring.samples - start
    assert RING_S * HZ <= held <= (RING_S + 1.1) * HZ
    assert len(ring.read(start)) == held
    assert ring.lost_samples == start - HZ
    assert ring.read(start)[-1] == 999 % 256


@given(
    st.lists(
        st.tuples(st.sampled_from([1, 160, 161, 3_999, 4_000, 9_000, 70_000]), st.integers(0, 255)),
        min_size=1,
        max_size=60,
    ),
    st.integers(-10, 300_000),
)
def test_what_is_read_is_what_was_written(pieces: list[tuple[int, int]], start: int) -> None:
    ring, whole = ReplayRing(), b""
    for length, value in pieces:
        ulaw = bytes([value]) * (length - 1) + b"\x00"
        ring.write(ulaw)
        whole += ulaw
    held = ring.read(0)
    assert min(RING_S * HZ, len(whole)) <= len(held) <= (RING_S + 1) * HZ
    assert whole.endswith(held)
    oldest = len(whole) - len(held)
    assert ring.read(start) == whole[max(start, oldest) :]


def test_it_takes_little_more_memory_than_it_holds() -> None:
    """And nothing of a call that is over: such a call may lie about for a while."""
    tracemalloc.start()
    try:
        ring = ring_of((True, 20.0))
        took = tracemalloc.get_traced_memory()[0]
        ring.release()
        left = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert took < 70_000
    assert left < 2_000


def test_what_was_released_is_not_read_again() -> None:
    ring = ring_of((True, 2.0))
    ring.release()
    assert ring.read(0) == b""
    ring.write(b"\x07" * FRAME)
    assert ring.samples == 2 * HZ + FRAME
    assert ring.read(0) == b"\x07" * FRAME


def test_committing_goes_neither_back_nor_ahead_of_the_caller() -> None:
    ring = ring_of((True, 2.0))
    ring.commit(HZ)
    ring.commit(HZ // 2)
    assert ring.committed == HZ
    ring.commit(100 * HZ)
    assert ring.committed == 2 * HZ


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from([0.04, 0.1, 0.5, 3.0, 9.0])), min_size=1),
    st.floats(0, 40),
    st.integers(0, 5),
)
def test_no_speech_after_the_commit_point_is_left_out(
    stretches: list[tuple[bool, float]], commit_s: float, unscored: int
) -> None:
    ring = ring_of(*stretches)
    ring.write(b"\x00" * (unscored * FRAME))
    ring.commit(round(commit_s * HZ))
    start, is_quiet = ring.replay_from()
    oldest = ring.samples - len(ring.read(0))
    assert oldest <= start <= ring.samples
    speech: list[bool] = [s for s, seconds in stretches for _ in range(round(seconds / 0.02))]
    # The last syllable of a final may lie a little behind its end: that much may be left out.
    known = ring.committed + round(0.18 * HZ)
    skipped = range(max(known, oldest) // FRAME + 1, start // FRAME)
    assert not any(speech[at] for at in skipped if at < len(speech))
    if not is_quiet:
        assert start <= max(ring.committed, oldest)


def test_speech_after_a_moment_is_counted_in_frames() -> None:
    ring = ReplayRing()
    assert ring.speech_s(0) == 0.0
    for is_speech in (True, False, True, True, False):
        ring.write(b"\x00" * FRAME)
        ring.score(is_speech=is_speech)
    assert ring.speech_s(0) == pytest.approx(0.06)
    assert ring.speech_s(FRAME) == pytest.approx(0.04)
    assert ring.speech_s(3 * FRAME) == pytest.approx(0.02)
    assert ring.speech_s(3 * FRAME - 10) == pytest.approx(0.02), "whole frames"
    assert ring.speech_s(99 * FRAME) == 0.0


def test_what_nobody_will_read_takes_no_memory() -> None:
    ring = ring_of((True, 2.0), (False, 6.0))
    ring.commit(2 * HZ)
    ring.forget(2 * HZ)
    held = len(ring.read(0))
    assert 6.4 * HZ <= held < 7.0 * HZ
    ring.forget(8 * HZ)
    assert len(ring.read(0)) == held, "a new stream may be sent what follows the last final"


def test_nothing_is_forgotten_before_anything_is_known() -> None:
    ring = ring_of((True, 2.0))
    ring.forget(2 * HZ)
    assert len(ring.read(0)) == 2 * HZ


_STEPS = st.one_of(
    st.tuples(st.sampled_from(["speech", "quiet"]), st.sampled_from([0.04, 0.1, 0.5, 3.0, 9.0])),
    st.tuples(st.sampled_from(["commit", "forget"]), st.floats(0, 9)),
)


@given(st.lists(_STEPS, max_size=30))
def test_a_new_stream_begins_where_it_would_if_nothing_was_forgotten(
    steps: list[tuple[str, float]],
) -> None:
    """``commit`` and ``forget`` are about a moment so many seconds ago."""
    ring, whole = ReplayRing(), ReplayRing()
    forgotten = 0
    for what, seconds in steps:
        ago = max(ring.samples - round(seconds * HZ), 0)
        if what == "commit":
            ring.commit(ago)
            whole.commit(ago)
        elif what == "forget":
            ring.forget(ago)
            forgotten = max(forgotten, ago)
        else:
            for number in range(round(seconds / 0.02)):
                for each in (ring, whole):
                    each.write(bytes([number % 251]) * FRAME)
                    each.score(is_speech=what == "speech")
        start, _ = ring.replay_from()
        assert ring.replay_from() == whole.replay_from()
        assert ring.lost_samples == whole.lost_samples
        assert ring.read(start) == whole.read(start)
        assert ring.read(forgotten) == whole.read(forgotten)


@pytest.mark.parametrize("pause_s", [0.0, 0.06, 0.1, 0.3])
@pytest.mark.parametrize("commit_s", [1.5, 1.7, 1.8, 1.9, 2.0])
@pytest.mark.parametrize("pause_at_s", [1.3, 1.5, 1.6, 1.7, 1.9])
def test_what_lies_before_the_commit_point_is_kept_as_far_as_it_may_come_again(
    pause_at_s: float, commit_s: float, pause_s: float
) -> None:
    stretches = ((True, pause_at_s), (False, pause_s), (True, 3.0))
    ring, whole = ring_of(*stretches), ring_of(*stretches)
    ring.commit(round(commit_s * HZ))
    whole.commit(round(commit_s * HZ))
    ring.forget(ring.samples)
    assert ring.replay_from() == whole.replay_from()
