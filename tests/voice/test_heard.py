"""From samples to words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.heard import SpokenSegment, heard_text, segment_heard_text, speaking_time_s
from voice.ports import TextMark
from voice.sounding import Sounding

LOUD, PAUSE = b"\x20", b"\xff"
WORDS = (TextMark(5, 0.4), TextMark(11, 0.9), TextMark(17, 1.5))


def segment(
    text: str,
    heard_s: float,
    *,
    marks: tuple[TextMark, ...] = (),
    total_s: float = 2.0,
    is_whole: bool = True,
) -> SpokenSegment:
    return SpokenSegment(text, marks, round(heard_s * 8000), round(total_s * 8000), is_whole)


@pytest.mark.parametrize(
    ("heard_s", "text"),
    [
        (0.0, ""),
        (0.3, ""),
        (0.4, "hello"),
        (0.8, "hello"),
        (0.9, "hello there"),
        (1.6, "hello there world"),
        (2.0, "hello there world"),
    ],
)
def test_marks_say_which_words_were_heard(heard_s: float, text: str) -> None:
    assert segment_heard_text(segment("hello there world", heard_s, marks=WORDS)) == text


@pytest.mark.parametrize(
    ("heard_s", "text"),
    [(0.4, ""), (1.0, "good"), (1.5, "good morning"), (1.98, "good morning all")],
)
def test_without_marks_time_is_shared_out_by_whole_words(heard_s: float, text: str) -> None:
    assert segment_heard_text(segment("good morning all", heard_s)) == text


@pytest.mark.parametrize(
    ("heard_s", "text"), [(0.2, ""), (0.5, "你"), (1.0, "你好"), (2.0, "你好世界")]
)
def test_han_characters_count_one_by_one(heard_s: float, text: str) -> None:
    assert segment_heard_text(segment("你好世界", heard_s)) == text


def test_a_contraction_is_one_word() -> None:
    assert segment_heard_text(segment("it's don't", 1.7)) == "it's"


def test_audio_that_is_still_coming_is_judged_by_an_ordinary_pace() -> None:
    half = segment("one two three four five", 0.5, total_s=0.5, is_whole=False)
    assert segment_heard_text(half) == "one two"


def test_marks_out_of_order_or_beyond_the_text_do_no_harm() -> None:
    marks = (TextMark(99, 1.0), TextMark(3, 0.5), TextMark(-4, 0.2))
    assert segment_heard_text(segment("abc def", 0.6, marks=marks)) == "abc"


def test_a_turn_is_the_segments_joined() -> None:
    parts = [segment("Hello.", 2.0), segment("How are you", 1.0), segment("never", 0.0)]
    assert heard_text(parts) == "Hello. How"


def test_an_ordinary_pace_knows_scripts() -> None:
    assert speaking_time_s("你好嗎") == pytest.approx(3 / 4.5)
    assert speaking_time_s("hello") == pytest.approx(5 / 15)


def listened(text: str, heard_s: float, *parts: tuple[bytes, float]) -> SpokenSegment:
    """A segment without marks, its audio made of sound and pauses."""
    ulaw = b"".join(code * round(seconds * 8000) for code, seconds in parts)
    sounding = Sounding()
    for at in range(0, len(ulaw), 700):
        sounding.receive(ulaw[at : at + 700])
    return SpokenSegment(text, (), round(heard_s * 8000), len(ulaw), True, sounding)


@pytest.mark.parametrize(
    ("heard_s", "text"),
    [(0.3, ""), (0.72, "one"), (1.2, "one two,"), (2.4, "one two,"), (2.84, "one two, ten")],
)
def test_pauses_say_no_words(heard_s: float, text: str) -> None:
    parts = ((PAUSE, 0.4), (LOUD, 0.7), (PAUSE, 1.4), (LOUD, 0.6), (PAUSE, 1.0))
    spoken = segment_heard_text(listened("one two, ten six", heard_s, *parts))
    assert spoken.rstrip(",") == text.rstrip(",")


@pytest.mark.parametrize(("heard_s", "text"), [(0.9, "It is"), (1.9, "It is 8400")])
def test_figures_take_longer_to_say_than_letters(heard_s: float, text: str) -> None:
    assert segment_heard_text(listened("It is 8400 a day", heard_s, (LOUD, 2.4))) == text


def test_marks_are_believed_before_sound() -> None:
    quiet = listened("hello there world", 0.95, (PAUSE, 1.0), (LOUD, 1.0))
    assert segment_heard_text(quiet) == ""
    marked = SpokenSegment(quiet.text, WORDS, quiet.heard_samples, 16_000, True, quiet.sounding)
    assert segment_heard_text(marked) == "hello there"


def test_sound_is_found_however_audio_is_cut_into_pieces() -> None:
    ulaw = PAUSE * 800 + LOUD * 1_600 + PAUSE * 400
    whole, pieces = Sounding(), Sounding()
    whole.receive(ulaw)
    for at in range(0, len(ulaw), 37):
        pieces.receive(ulaw[at : at + 37])
    assert whole.total_s == pieces.total_s == pytest.approx(0.2)
    assert [whole.until_s(at) for at in (0, 800, 880, 2_400, 9_999)] == pytest.approx(
        [0.0, 0.0, 0.01, 0.2, 0.2]
    )


@settings(max_examples=40, deadline=None)
@given(
    st.text(max_size=30),
    st.lists(st.tuples(st.sampled_from([LOUD, PAUSE]), st.floats(0.0, 1.0)), max_size=6),
    st.lists(st.floats(0.0, 6.0), min_size=2, max_size=6),
)
def test_more_sound_never_means_fewer_words(
    text: str, parts: list[tuple[bytes, float]], heard_s: list[float]
) -> None:
    heard = [segment_heard_text(listened(text, each, *parts)) for each in sorted(heard_s)]
    assert all(text.startswith(each) for each in heard)
    assert [len(each) for each in heard] == sorted(len(each) for each in heard)


@settings(max_examples=60, deadline=None)
@given(
    st.text(max_size=40),
    st.lists(st.builds(TextMark, st.integers(-5, 60), st.floats(-1, 5)), max_size=6),
    st.integers(0, 40_000),
    st.integers(0, 40_000),
    st.booleans(),
)
def test_what_was_heard_is_always_a_beginning_of_the_text(
    text: str, marks: list[TextMark], heard: int, total: int, is_whole: bool
) -> None:
    result = segment_heard_text(SpokenSegment(text, marks, heard, total, is_whole))
    assert text.startswith(result)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 16_000), min_size=2, max_size=6))
def test_hearing_more_never_means_fewer_words(samples: list[int]) -> None:
    heard = [
        segment_heard_text(SpokenSegment("one two 三四 five", WORDS, each, 16_000, True))
        for each in sorted(samples)
    ]
    assert [len(text) for text in heard] == sorted(len(text) for text in heard)
