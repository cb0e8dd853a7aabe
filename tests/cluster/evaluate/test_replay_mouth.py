from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.evaluate.replay_mouth import ReplayMouth, Speech, frame_of, read_frame, word_ends
from tests.cluster.evaluate.call_by_hand import quieter


@given(number=st.integers(1, 2**24 - 1), level=st.sampled_from([1.0, 0.5, 0.126, 0.06]))
def test_a_frame_says_which_one_it_is_however_quiet_it_was_made(number: int, level: float) -> None:
    found, heard_level = read_frame(quieter(frame_of(number), level))
    assert found == number
    assert heard_level == pytest.approx(level, abs=0.05)


def test_silence_is_no_frame() -> None:
    assert read_frame(b"\xff" * 160) == (0, 0.0)


def test_audio_is_heard_one_piece_behind_the_other() -> None:
    mouth = ReplayMouth()
    mouth.send(frame_of(1) + frame_of(2), now=5.0)
    mouth.send(frame_of(3), now=5.01)
    mouth.send(frame_of(4), now=6.0)
    assert [(frame.number, round(frame.start_s, 3)) for frame in mouth.frames] == [
        (1, 5.0),
        (2, 5.02),
        (3, 5.04),
        (4, 6.0),
    ]


def test_what_is_cleared_was_not_heard_and_its_marks_come_back() -> None:
    mouth = ReplayMouth()
    mouth.send(frame_of(1) + frame_of(2) + frame_of(3), now=5.0)
    mouth.mark("m", now=5.0)
    assert mouth.due_marks(now=5.05) == []
    assert mouth.clear(now=5.03) == ["m"]
    assert [frame.number for frame in mouth.frames] == [1, 2]
    assert mouth.is_silent(5.03)


def test_marks_come_when_what_was_before_them_was_heard() -> None:
    mouth = ReplayMouth()
    mouth.send(frame_of(1) + frame_of(2), now=5.0)
    mouth.mark("m", now=5.0)
    assert mouth.due_marks(now=5.05) == [(pytest.approx(5.04), "m")]


def test_words_end_where_they_end() -> None:
    assert word_ends("Hi you.") == ((2, pytest.approx(2 / 15)), (6, pytest.approx(6 / 15)))
    assert [chars for chars, _ in word_ends("好呀。")] == [1, 2]


def test_units_are_words_or_han_characters_heard_whole() -> None:
    speech = Speech()
    speech.say((1, 1), 0, "Hi you.")
    speech.say((1, 1), 1, "好呀。")
    assert speech.heard_units((1, 1), {0: 0.15}) == 1
    assert speech.heard_units((1, 1), {0: 0.5, 1: 0.25}) == 3


def test_a_frame_taken_back_in_the_middle_is_finished_before_the_next_ones() -> None:
    mouth = ReplayMouth()
    mouth.send(frame_of(1) + frame_of(2), now=5.0)
    mouth.clear(now=5.03)
    mouth.send(frame_of(2)[80:] + frame_of(3), now=6.0)
    assert [(frame.number, round(frame.start_s, 3)) for frame in mouth.frames] == [
        (1, 5.0),
        (2, 5.02),
        (2, 6.0),
        (3, 6.01),
    ]
    assert mouth.end_s == pytest.approx(6.03)
