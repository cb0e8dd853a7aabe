"""Who is encoded with whom, and when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cache.encoder_queue import MOST_IN_A_RUN, EncoderQueue


def queue(*turns: str, later: tuple[str, ...] = ()) -> EncoderQueue:
    made = EncoderQueue()
    for text in later:
        made.add(text, is_turn=False)
    for text in turns:
        made.add(text, is_turn=True)
    return made


def test_an_empty_queue_has_no_run() -> None:
    assert EncoderQueue().take() == []


def test_who_came_first_goes_first() -> None:
    texts = [f"text {number}" for number in range(10)]
    assert queue(*texts).take() == texts[:MOST_IN_A_RUN]


def test_turns_come_first_and_a_text_that_a_turn_waits_for_becomes_one() -> None:
    waiting = queue("asked", later=("learned", "both"))
    waiting.add("both", is_turn=True)
    waiting.add("asked", is_turn=False)
    assert len(waiting) == 3
    assert waiting.take() == ["asked", "both"]
    assert waiting.take() == ["learned"]
    assert not len(waiting)


def test_what_nobody_waits_for_goes() -> None:
    waiting = queue("one", "two", later=("three",))
    waiting.discard("one")
    waiting.discard("three")
    waiting.discard("unknown")
    assert "one" not in waiting
    assert "two" in waiting
    assert waiting.take() == ["two"]


@given(st.lists(st.text(max_size=30), max_size=60, unique=True))
def test_all_come_once_and_nobody_is_passed_over(texts: list[str]) -> None:
    waiting, taken = queue(*texts), []
    while run := waiting.take():
        assert len(run) <= MOST_IN_A_RUN
        taken += run
    assert taken == texts
