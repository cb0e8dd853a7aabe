"""Laws that every table keeps, and what holds for any text in any language."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.lexicon import (
    Cue,
    LexicalCue,
    digits_in,
    end_cue,
    has_stop_word,
    is_backchannel,
    is_filler,
    is_polite_tail,
    is_yes_or_no,
    languages,
    units,
    what_was_asked,
)
from voice.lexicon.registry import lexicon_for
from voice.lexicon.table import Table
from voice.lexicon.tables import TABLES
from voice.lexicon.tables.neutral import NEUTRAL
from voice.lexicon.tokens import fold, tokens_of

HOLDING = [
    "conjunctions",
    "prepositions",
    "articles",
    "determiners",
    "subjects",
    "verbs",
    "adverbs",
    "holds",
]
PHRASES = tuple(
    field.name
    for field in fields(Table)
    if field.type == "str" and field.name not in {"tags", "number_run"}
)
DEEP = {"en", "de", "es", "it", "fr", "pt", "zh", "yue", "ja", "ko"}
each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.tags.split()[0])


def words(table: Table, *names: str) -> list[str]:
    return [word for name in names for word in getattr(table, name).split()]


def test_fifty_languages_and_more() -> None:
    known = languages()
    assert len(known) >= 50
    assert {tag for tag, depth in known.items() if depth == "deep"} == DEEP


def test_every_tag_has_one_table() -> None:
    tags = [tag for table in TABLES for tag in table.tags.split()]
    assert len(tags) == len(set(tags))
    assert [lexicon_for(tag).language for tag in tags] == [
        table.tags.split()[0] for table in TABLES for _ in table.tags.split()
    ]


@each_table
def test_words_are_spelled_as_they_are_looked_up(table: Table) -> None:
    for word in words(table, *PHRASES):
        text = word.partition("=")[0].replace("_", " ")
        assert unicodedata.is_normalized("NFC", text), word
        assert text == text.lower(), word
        assert fold(text) == fold(fold(text)), word
        assert tokens_of(text), word


@each_table
def test_no_end_holds_and_does_not(table: Table) -> None:
    holding = set(words(table, *HOLDING))
    complete, done = set(words(table, "complete")), set(words(table, "done", "particles"))
    assert not holding & complete
    assert not holding & done
    assert not complete & done


@each_table
def test_nobody_says_yes_and_no_with_one_word(table: Table) -> None:
    assert not set(table.yes.split()) & set(table.no.split())
    assert table.yes
    assert table.no
    assert table.backchannels
    assert table.stops
    assert table.polite


@each_table
def test_a_listener_does_not_stop_the_agent(table: Table) -> None:
    tag = table.tags.split()[0]
    for word in words(table, "backchannels"):
        assert not has_stop_word(word.replace("_", " "), tag), word


@each_table
def test_what_was_written_down_is_found(table: Table) -> None:
    tag = table.tags.split()[0]
    checks: list[tuple[str, Callable[[str, str], bool]]] = [
        ("yes", is_yes_or_no),
        ("no", is_yes_or_no),
        ("backchannels", is_backchannel),
        ("stops", has_stop_word),
        ("fillers", is_filler),
        ("polite", is_polite_tail),
    ]
    for name, check in checks:
        for word in words(table, name):
            assert check(word.replace("_", " "), tag), word


@each_table
def test_digits_are_ten(table: Table) -> None:
    values = {int(pair.rpartition("=")[2].rstrip("?")) for pair in table.numbers.split()}
    assert not values or set(range(1, 10)) <= values


@each_table
def test_conjunctions_hold_after_another_word(table: Table) -> None:
    """Unless a longer end says otherwise, which a stranger before them does not make."""
    tag = table.tags.split()[0]
    is_unspaced = lexicon_for(tag).is_unspaced
    for word in words(table, "conjunctions"):
        joined = "" if is_unspaced and not word.isascii() else " "
        text = "pizza" + joined + word.replace("_", " ")
        assert end_cue(text, tag).cue is Cue.HOLD, text


TAGS = st.one_of(
    st.text(max_size=12),
    st.sampled_from([tag for table in TABLES for tag in table.tags.split()] + ["zh-HK", ""]),
)
SNIPPETS = st.sampled_from(
    [
        word
        for table in (*TABLES, NEUTRAL)
        for name in PHRASES
        for word in getattr(table, name).split()
    ]
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(st.one_of(SNIPPETS, st.text(max_size=4)), max_size=8).map(
        lambda parts: " ".join(parts).replace("_", " ")
    ),
)


@settings(max_examples=400, deadline=None)
@given(TEXTS, TAGS)
def test_any_text_in_any_language_has_an_answer(text: str, tag: str) -> None:
    assert isinstance(end_cue(text, tag), LexicalCue)
    assert digits_in(text, tag) >= 0
    assert units(text) >= 0
    asked = what_was_asked(text, tag)
    assert asked.count is None or (asked.kind == "digits" and asked.count > 0)
    for check in (is_yes_or_no, is_backchannel, has_stop_word, is_filler, is_polite_tail):
        assert check(text, tag) in (True, False)


@settings(max_examples=200, deadline=None)
@given(TEXTS, TAGS)
def test_case_and_composition_do_not_matter(text: str, tag: str) -> None:
    apart = unicodedata.normalize("NFD", text)
    if len(apart) < 70 and unicodedata.normalize("NFC", apart) == text:
        assert end_cue(apart, tag) == end_cue(text, tag)
    if text.isascii():
        assert end_cue(text.upper(), tag) == end_cue(text, tag)
        assert digits_in(text.upper(), tag) == digits_in(text, tag)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(TABLES), st.data())
def test_two_backchannels_are_one(table: Table, data: st.DataObject) -> None:
    tag, known = table.tags.split()[0], words(table, "backchannels")
    one, other = data.draw(st.sampled_from(known)), data.draw(st.sampled_from(known))
    assert is_backchannel(f"{one}, {other}.".replace("_", " "), tag)


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.sampled_from(TABLES))
def test_nothing_is_gained_by_repeating_oneself(text: str, table: Table) -> None:
    tag = table.tags.split()[0]
    if is_filler(text, tag):
        assert is_filler(f"{text} {text}", tag)
    if has_stop_word(text, tag):
        assert has_stop_word(f"{text} {text}", tag)
