"""Words lost and words that came again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.chaos.words import compared, per_text, words_of

texts = st.lists(st.sampled_from("abcdefgh"), max_size=12)


def test_words_have_no_case_and_no_punctuation() -> None:
    assert words_of("Go forward, TEN meters! It's 5.") == [
        "go",
        "forward",
        "ten",
        "meters",
        "it's",
        "5",
    ]


@pytest.mark.parametrize(
    ("wanted", "came", "lost", "extra"),
    [
        ("a b c", "a b c", (), ()),
        ("a b c", "a c", (1,), ()),
        ("a b c", "a b b c", (), (2,)),
        ("a b c", "a x c", (1,), (1,)),
        ("a b c", "", (0, 1, 2), ()),
        ("", "a", (), (0,)),
    ],
)
def test_what_became_of_the_words(
    wanted: str, came: str, lost: tuple[int, ...], extra: tuple[int, ...]
) -> None:
    found = compared(wanted.split(), came.split())
    assert (found.lost, found.extra) == (lost, extra)


@given(texts, texts)
def test_nothing_is_overlooked(wanted: list[str], came: list[str]) -> None:
    found = compared(wanted, came)
    assert len(wanted) - len(found.lost) == len(came) - len(found.extra)
    assert (found.lost, found.extra) == ((), ()) or wanted != came


def test_losses_belong_to_the_utterance_in_which_they_happened() -> None:
    said = [["ten", "of", "clubs"], ["go", "forward"]]
    words = [word for text in said for word in text]
    assert per_text(said, compared(words, ["ten", "clubs", "go", "forward", "forward"])) == [
        (1, 0),
        (0, 1),
    ]
    assert per_text(said, compared(words, ["ten", "of", "clubs", "clubs", "go"])) == [
        (0, 1),
        (1, 0),
    ]
