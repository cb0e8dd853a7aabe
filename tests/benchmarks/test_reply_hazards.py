"""Made-up replies: the oracle knows what must stay whole, and the cutter keeps it so."""

from __future__ import annotations

import pytest

from benchmarks.cutter_made import measure
from benchmarks.reply_hazards import MadeReply, made_replies
from benchmarks.reply_manners import MANNERS


def by_kind(language: str, kind: str) -> MadeReply:
    return next(each for each in made_replies(language, 8) if each.kind == kind)


def test_the_same_seed_makes_the_same_replies() -> None:
    assert made_replies("de-DE", 20, seed=4) == made_replies("de-DE", 20, seed=4)
    assert made_replies("de-DE", 20, seed=4) != made_replies("de-DE", 20, seed=5)


@pytest.mark.parametrize("language", MANNERS)
def test_what_is_set_in_stands_in_the_reply(language: str) -> None:
    made = made_replies(language, 16)
    assert {each.kind for each in made} == {each.kind for each in made[:8]}
    assert all(each.what in each.reply.text for each in made)


@pytest.mark.parametrize("kind", ["number", "money", "time", "date", "phone", "place", "name"])
def test_a_split_inside_is_bad_and_one_behind_is_not(kind: str) -> None:
    each = by_kind("en-US", kind)
    head, what, tail = each.reply.text.partition(each.what)
    assert each.reply.bad_cuts([head + what, tail]) == []
    middle = len(what) // 2
    assert each.reply.bad_cuts([head + what[:middle], what[middle:] + tail]) != []


def test_a_split_inside_any_word_is_bad() -> None:
    text = made_replies("en-US", 1)[0].reply
    assert text.bad_cuts([text.text[:1], text.text[1:]]) != []


@pytest.mark.parametrize("language", MANNERS)
def test_the_cutter_splits_none_of_them(language: str) -> None:
    found = measure(language, made_replies(language, 48))
    assert found.examples == ()
    assert found.cuts > 0
