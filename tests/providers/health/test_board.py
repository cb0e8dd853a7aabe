"""The board: late, doubled and reordered news end in the same board."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.health.board import Board, Entry, board_of
from providers.health.errors import HealthDataInvalid
from tests.providers.health.clockwork import OTHER, UNIT

stamps = st.tuples(st.integers(1, 3), st.integers(0, 5))
entries = st.builds(
    Entry,
    stamps,
    st.sampled_from(["closed", "suspect", "open", "half_open"]),
    st.sampled_from(["", "run"]),
    st.integers(0, 3),
)


@st.composite
def boards(draw: st.DrawFn) -> Board:
    found = draw(st.dictionaries(st.sampled_from("abc"), entries, max_size=3))
    newest = max((entry.stamp for entry in found.values()), default=(0, 0))
    return Board(max(newest, draw(stamps)), found)


@given(boards(), boards(), boards())
def test_merging_does_not_depend_on_the_order(one: Board, two: Board, three: Board) -> None:
    assert one.merged(two) == two.merged(one)
    assert one.merged(two).merged(three) == one.merged(two.merged(three))
    assert one.merged(one) == one


@given(boards(), boards())
def test_a_delta_is_enough(old: Board, change: Board) -> None:
    new = old.merged(change)
    assert old.merged(new.since((0, 0))) == new
    assert new.since(new.stamp).entries == {}


@given(boards(), boards())
def test_what_is_left_by_news_was_usable_before(old: Board, news: Board) -> None:
    left = set(news.left_since(old))
    bad = {key for key, entry in news.entries.items() if entry.state in ("open", "half_open")}
    known_bad = {key for key, entry in old.entries.items() if entry.state in ("open", "half_open")}
    assert left == bad - known_bad


@given(boards())
def test_a_board_survives_json(board: Board) -> None:
    assert board_of(json.loads(json.dumps(board.to_plain()))) == board


def test_a_board_of_twenty_units_is_small() -> None:
    entry = Entry((1_763_000_000_000_000, 99), "open", "run", 3, 1.7e9, 0.0, 0.2, 0.3, 0.4)
    units = {f"{UNIT}{number}": entry for number in range(20)}
    assert len(json.dumps(Board(entry.stamp, units).to_plain())) < 4_000


def test_fields_of_a_later_version_are_ignored() -> None:
    plain = Board((1, 2), {OTHER: Entry((1, 2), "open", "run")}).to_plain()
    plain["units"][OTHER].append("more")
    assert board_of({**plain, "v": 2, "more": 1}).entries[OTHER].state == "open"


@pytest.mark.parametrize(
    "plain",
    [
        None,
        {},
        {"units": []},
        {"term": 1, "version": 1, "units": {"u": []}},
        {"term": 1, "version": 1, "units": {"u": [1, 1, "ajar", "", 0]}},
        {"term": 1, "version": 1, "units": {"u": [2, 1, "open", "", 0]}},
        {"term": "x", "version": 1, "units": {}},
        {"term": 1, "version": 1, "units": {"u": [1, 1, "open", "", 0, 10**400]}},
        {"term": 1, "version": 1, "units": {"u": [1, 1, "open", "", 0, float("nan")]}},
    ],
)
def test_what_is_no_board(plain: object) -> None:
    with pytest.raises(HealthDataInvalid):
        board_of(plain)
