"""Tool calls are whole again, however a server cuts and numbers them."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogue.ports import ToolCallRequested
from providers.chat_tool_calls import MOST_ARGUMENTS_CHARS, MOST_CALLS, ToolCallFragments


def fragment(arguments: Any = "", *, name: str | None = None, **fields: Any) -> dict[str, Any]:
    function: dict[str, Any] = {"arguments": arguments}
    if name is not None:
        function["name"] = name
    return {"function": function, **fields}


def complete(*fragments: object) -> list[ToolCallRequested]:
    calls = ToolCallFragments()
    for one in fragments:
        calls.take(one)
    assert not calls.overlong
    return calls.complete("reply-1")


LOOK = ToolCallRequested("c1", "look", '{"q": "x"}')
GO = ToolCallRequested("c2", "go", "{}")


@pytest.mark.parametrize(
    "fragments",
    [
        # As OpenAI sends them.
        [
            fragment(index=0, id="c1", type="function", name="look"),
            fragment('{"q"', index=0),
            fragment(': "x"}', index=0),
            fragment(index=1, id="c2", type="function", name="go"),
            fragment("{}", index=1),
        ],
        # The pieces of two calls in turn.
        [
            fragment('{"q"', index=0, id="c1", name="look"),
            fragment("{", index=1, id="c2", name="go"),
            fragment(': "x"}', index=0),
            fragment("}", index=1),
        ],
        # Whole calls that all have index 0, or none.
        [
            fragment('{"q": "x"}', index=0, id="c1", name="look"),
            fragment("{}", index=0, id="c2", name="go"),
        ],
        [fragment('{"q": "x"}', id="c1", name="look"), fragment("", id="c2", name="go")],
        # Id and name again with every piece.
        [
            fragment('{"q": ', index=0, id="c1", name="look"),
            fragment('"x"}', index=0, id="c1", name="look"),
            fragment("", index=1, id="c2", name="go"),
            fragment(None, index=1, id="c2", name="go"),
        ],
        # Arguments as an object, and an id that comes late.
        [
            fragment({"q": "x"}, index=0, name="look"),
            fragment("", index=0, id="c1"),
            fragment("", index=1, id="c2", name="go"),
        ],
        # Nonsense in between.
        [
            None,
            7,
            {},
            {"index": 5},
            fragment('{"q": "x"}', index=0, id="c1", name="look"),
            {"index": 0, "function": None},
            {"index": "0", "id": "c1", "function": {"name": 3, "arguments": 4}},
            fragment("", index=2, id="c2", name="go"),
        ],
    ],
)
def test_ways_to_say_the_same(fragments: list[object]) -> None:
    assert complete(*fragments) == [LOOK, GO]


def test_calls_without_ids_get_ids_of_their_own() -> None:
    calls = complete(fragment("{}", index=0, name="look"), fragment("{}", index=1, name="go"))
    assert [call.id for call in calls] == ["reply-1-0", "reply-1-1"]


def test_calls_are_handed_out_once() -> None:
    calls = ToolCallFragments()
    calls.take(fragment("{}", id="c2", name="go"))
    assert calls.complete("") == [GO]
    assert calls.complete("") == []


@pytest.mark.parametrize(
    "fragments",
    [
        [fragment("x" * (MOST_ARGUMENTS_CHARS + 1), name="go")],
        [fragment("", index=n, name="go") for n in range(MOST_CALLS + 1)],
    ],
)
def test_calls_without_end_are_bounded(fragments: list[dict[str, Any]]) -> None:
    calls = ToolCallFragments()
    for one in fragments:
        calls.take(one)
    assert calls.overlong


@given(st.text(min_size=1, max_size=30), st.lists(st.integers(0, 30), max_size=5))
@settings(max_examples=50)
def test_cuts_of_the_arguments_do_not_matter(text: str, at: list[int]) -> None:
    edges = [0, *sorted(at), len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(edges)]
    opening = fragment("", index=0, id="c1", name="look")
    calls = complete(opening, *(fragment(piece, index=0) for piece in pieces))
    assert calls == [ToolCallRequested("c1", "look", text.strip() or "{}")]
