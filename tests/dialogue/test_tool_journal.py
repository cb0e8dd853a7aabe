"""What a call had done by its tools: nothing twice, nothing forgotten."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dialogue.tool_journal import UNKNOWN, Answered, Begin, Join, ToolJournal
from dialogue.tools import RunTool, Tool

ONCE = Tool("http", "book", "Books.")
AGAIN = Tool("http", "look", "Looks.", is_idempotent=True)
RESULT = '{"status": "done", "answer": 7}'


def want(tool: Tool = ONCE, **arguments: Any) -> RunTool:
    return RunTool(tool, arguments)


def begun(journal: ToolJournal, run: RunTool, use_id: str = "a", turn_id: int = 1) -> None:
    assert isinstance(journal.ask(turn_id, run, use_id), Begin)
    journal.started(use_id)


def test_a_wish_is_one_use_until_its_turn_is_over() -> None:
    journal = ToolJournal()
    begun(journal, want(day=1, hour=2))
    same = journal.ask(1, want(hour=2, day=1), "b")
    assert isinstance(same, Join)
    assert same.use.id == "a"
    journal.ended("a", RESULT)
    assert journal.ask(1, want(day=1, hour=2), "b") == Answered(RESULT)
    journal.settled(1, [{"id": "a", "name": "book", "arguments": "{}", "result": RESULT}])
    assert isinstance(journal.ask(2, want(day=1, hour=2), "b"), Begin)


def test_two_guesses_wait_apart_and_the_second_gets_the_result_of_the_first() -> None:
    journal = ToolJournal()
    first, second = journal.ask(1, want(), "a"), journal.ask(1, want(), "b")
    assert isinstance(first, Begin)
    assert isinstance(second, Begin)
    assert journal.ask_again(first.use, want()) is None
    journal.started("a")
    assert isinstance(journal.ask_again(second.use, want()), Join)
    journal.ended("a", RESULT)
    assert journal.ask_again(second.use, want()) == Answered(RESULT)


def test_what_was_lost_is_unknown_and_not_begun_again() -> None:
    journal = ToolJournal()
    journal.learn([{"id": "a", "name": "book", "arguments": '{"day":1}', "turn": 1}])
    assert journal.ask(1, want(day=1), "b") == Answered(UNKNOWN)
    assert journal.ask(1, want(day=2), "c") == Answered(UNKNOWN)  # the model words it otherwise
    assert isinstance(journal.ask(2, want(day=1), "d"), Begin)  # the caller has said yes again


def test_an_idempotent_tool_is_repeated_under_the_same_id() -> None:
    journal = ToolJournal()
    journal.learn([{"id": "a", "name": "look", "arguments": '{"day":1}', "turn": 1}])
    meant = journal.ask(1, want(AGAIN, day=1), "b")
    assert isinstance(meant, Begin)
    assert meant.use.id == "a"
    journal.withdrawn("a")
    assert journal.unlogged()[0]["result"] == UNKNOWN  # it may have been done before
    assert isinstance(journal.ask(1, want(AGAIN, day=2), "c"), Begin)


def test_what_waited_for_its_grant_was_not_done() -> None:
    journal = ToolJournal()
    journal.ask(1, want(), "a")
    assert journal.unlogged() == ()
    assert journal.for_other_half() == ()
    journal.settled(1, [])
    assert journal.find("a") is None


def test_a_result_that_comes_after_its_turn_is_told_once() -> None:
    journal = ToolJournal()
    begun(journal, want())
    journal.settled(1, [{"id": "a", "name": "book", "arguments": "{}", "result": UNKNOWN}])
    assert journal.take_late() == ()
    journal.ended("a", RESULT)
    assert journal.results() == {"a": RESULT}
    (late,) = journal.take_late()
    assert (late["of_turn"], late["result"]) == (1, RESULT)
    assert journal.take_late() == ()
    journal.settled(2, [late])
    assert journal.results() == {}


def test_a_result_that_was_told_is_not_told_again() -> None:
    journal = ToolJournal()
    begun(journal, want())
    journal.ended("a", RESULT)
    journal.told("a")
    assert [use["result"] for use in journal.unlogged()] == [RESULT]
    journal.settled(1, [{"id": "a", "name": "book", "arguments": "{}", "result": RESULT}])
    assert journal.take_late() == ()
    assert journal.unlogged() == ()


def test_a_use_of_a_stream_that_was_lost_is_known_to_the_next_one() -> None:
    journal = ToolJournal()
    begun(journal, want(day=3))
    (running,) = journal.for_other_half()
    assert (running["turn"], "result" in running) == (1, False)
    other = ToolJournal()
    other.learn([running])
    assert other.ask(1, want(day=3), "b") == Answered(UNKNOWN)
    other.learn([{**running, "result": RESULT}])
    assert other.ask(1, want(day=3), "b") == Answered(RESULT)


PLAIN = st.dictionaries(
    st.sampled_from(["id", "name", "turn", "arguments", "result", "of_turn"]),
    st.one_of(st.none(), st.integers(), st.text(max_size=5), st.just("a"), st.just("{}")),
)


@given(st.lists(PLAIN, max_size=5))
def test_whatever_another_version_writes_is_read(uses: list[dict[str, Any]]) -> None:
    journal = ToolJournal()
    journal.learn(uses)
    journal.settled(1, uses)
    json.dumps([journal.unlogged(), journal.take_late(), journal.for_other_half()])
