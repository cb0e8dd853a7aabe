"""Where another voice goes on, and which words of a second recogniser are new."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.health.replay import HeardWord, ReplayLedger, new_words
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


def word(form: str, start_s: float | None = None, end_s: float | None = None) -> HeardWord:
    times = [None if at is None else int(at * 8_000) for at in (start_s, end_s)]
    return HeardWord(form, *times)


def test_the_replay_begins_a_little_before_the_last_final() -> None:
    ledger = ReplayLedger()
    ledger.final_came(40_000)
    ledger.final_came(30_000)
    replay = ledger.replay(56_000)
    assert (replay.start_samples, replay.end_samples, replay.lost_samples) == (37_600, 56_000, 0)
    assert replay.caught_up_after_s(3.0) == pytest.approx(1.15)


def test_what_the_ring_no_longer_holds_is_said() -> None:
    ledger = ReplayLedger(ring_samples=8_000)
    replay = ledger.replay(20_000)
    assert (replay.start_samples, replay.lost_samples) == (12_000, 12_000)


def test_words_before_the_commit_point_are_not_new() -> None:
    replayed = [word("close", 0.6, 0.9), word("on", 0.95, 1.2), word("sunday", 1.2, 1.6)]
    found = new_words([word("close")], replayed, committed_samples=8_000)
    assert [item.form for item in found] == ["on", "sunday"]


@pytest.mark.parametrize(
    ("old", "again", "new"),
    [
        ("when do you close", "you close on sunday", "on sunday"),
        ("when do you close", "ose on sunday", "ose on sunday"),
        ("when do you close", "u close on sunday", "on sunday"),
        ("yes", "no", "no"),
        ("", "hello there", "hello there"),
        ("no no", "no no no", "no"),
    ],
)
def test_without_times_the_overlap_is_dropped(old: str, again: str, new: str) -> None:
    found = new_words(
        [word(form) for form in old.split()],
        [word(form) for form in again.split()],
        committed_samples=0,
    )
    assert [item.form for item in found] == new.split()
