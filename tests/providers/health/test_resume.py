"""Where another voice goes on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.health.resume import MOST_REPEATED, unheard_text
from voice.words import normalise

TEXT = "On Sundays we close at five, and on Mondays we open at nine in the morning."


@pytest.mark.parametrize(
    ("heard", "known", "rest"),
    [
        (0, True, TEXT),
        (0, False, TEXT),
        (TEXT.index("close"), True, TEXT[TEXT.index("close") :]),
        (TEXT.index("close") + 3, True, TEXT[TEXT.index("close") :]),  # a word cut in the middle
        (TEXT.index("Mondays"), False, TEXT[TEXT.index("and") :]),  # back to the clause
        (TEXT.index("nine"), False, TEXT[TEXT.index("we open") :]),  # as far as is allowed
        (len(TEXT), True, ""),
        (TEXT.index("morning"), True, TEXT[TEXT.index("morning") :]),
    ],
)
def test_where_it_goes_on(heard: int, known: bool, rest: str) -> None:
    assert unheard_text(TEXT, heard, known=known) == rest


@given(st.text(max_size=60), st.integers(-2, 70), st.booleans())
def test_no_word_is_missing_and_at_most_three_are_repeated(
    text: str, heard: int, known: bool
) -> None:
    rest = unheard_text(text, heard, known=known)
    assert text.endswith(rest)
    words, left = normalise(text), normalise(rest)
    whole = len(normalise(text[: max(0, heard)]))
    if not known and heard < len(text):
        assert len(words) - len(left) >= whole - MOST_REPEATED - 1
    if rest and known:
        assert len(left) >= len(words) - whole
