"""Which words speak for which answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.answer_words import AnswerWords

KNOWN = [
    ("why was my top up declined", "declined"),
    ("my top up was not accepted", "declined"),
    ("how do i top up my card", "how"),
    ("can i top up with cash", "how"),
]


def words() -> AnswerWords:
    made = AnswerWords()
    for question, answer in KNOWN:
        made.add(question, answer)
    return made


@pytest.mark.parametrize(
    ("asked", "answer"),
    [("my top up was declined", "declined"), ("how can i top up my account", "how")],
)
def test_words_speak_for_the_answer_that_had_them(asked: str, answer: str) -> None:
    support = words().support(asked, ["how", "declined"])
    assert max(support, key=lambda one: support[one]) == answer


def test_the_order_of_words_counts() -> None:
    made = AnswerWords()
    made.add("from rome to berlin", "north")
    made.add("from berlin to rome", "south")
    support = made.support("from rome to berlin by train", ["north", "south"])
    assert support["north"] > support["south"]


def test_an_answer_that_nobody_asked_for_has_no_words() -> None:
    support = words().support("how do i top up", ["how", "unknown"])
    assert support["unknown"] == 0.0
    assert words().questions("unknown") == 0


def test_words_of_nobody_speak_against_an_answer_of_many_words() -> None:
    assert words().support("is it raining", ["how"])["how"] < 0.0


QUESTIONS = st.lists(st.sampled_from("abc"), max_size=4).map(" ".join)


@given(st.lists(st.tuples(QUESTIONS, st.sampled_from("xyz")), max_size=12), QUESTIONS)
def test_what_is_removed_leaves_no_trace(pairs: list[tuple[str, str]], asked: str) -> None:
    made, fresh = AnswerWords(), AnswerWords()
    for question, answer in pairs:
        made.add(question, answer)
    for question, answer in pairs[::2]:
        made.remove(question, answer)
    for question, answer in pairs[1::2]:
        fresh.add(question, answer)
    assert made.support(asked, "xyz") == fresh.support(asked, "xyz")
    assert [made.questions(one) for one in "xyz"] == [fresh.questions(one) for one in "xyz"]
