"""What words alone tell of two answers to one question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.same_answer import Sameness, compare

SAME, DIFFERENT, UNCLEAR = Sameness.SAME, Sameness.DIFFERENT, Sameness.UNCLEAR


@pytest.mark.parametrize(
    ("one", "other", "language", "wanted"),
    [
        ("We close at nine.", "We close at 9!", "en-US", SAME),
        ("We close at 9:00.", "We close at nine.", "en-US", SAME),
        ("We close at nine.", "We close at ten.", "en-US", DIFFERENT),
        ("It costs 5 dollars.", "That will be 15 dollars.", "en-US", DIFFERENT),
        ("We open on Monday.", "We open on Tuesday.", "en-US", DIFFERENT),
        ("Yes, behind the house.", "No, there is none.", "en-US", DIFFERENT),
        ("Unfortunately there is none.", "Yes, there is one.", "en-US", DIFFERENT),
        ("We deliver to Leeds.", "We do not deliver to Leeds.", "en-US", DIFFERENT),
        ("We open at nine.", "We close at nine.", "en-US", DIFFERENT),
        ("Ja, hinter dem Haus.", "Nein, leider nicht.", "de-DE", DIFFERENT),
        ("Wir öffnen um 9 Uhr.", "Wir öffnen um 10 Uhr.", "de-DE", DIFFERENT),
        ("早上9點開門。", "早上10點開門。", "zh-HK", DIFFERENT),
        # One says more than the other: no contradiction, a judge has to read it.
        ("We close at nine.", "We close at nine, on Sundays at six.", "en-US", UNCLEAR),
        ("We have parking.", "We have parking, at no fee.", "en-US", UNCLEAR),
        ("Behind the house.", "You can park in the yard.", "en-US", UNCLEAR),
        ("Yes.", "Certainly, behind the house.", "en-US", UNCLEAR),
        ("", "We close at nine.", "en-US", UNCLEAR),
        ("🙂", "We close at nine.", "en-US", UNCLEAR),
    ],
)
def test_only_what_cannot_both_be_right_is_different(
    one: str, other: str, language: str, wanted: Sameness
) -> None:
    assert compare(one, other, language) is wanted
    assert compare(other, one, language) is wanted


@given(st.text(max_size=80), st.text(max_size=80), st.sampled_from(["en", "de-DE", "zh-HK", "xx"]))
def test_never_raises_and_does_not_mind_the_order(one: str, other: str, language: str) -> None:
    assert compare(one, other, language) is compare(other, one, language)
    assert compare(one, one, language) is SAME
