"""Tools as the half with the socket knows them: granted once, and into the right turn."""

from __future__ import annotations

from typing import Any

from actors.use_log import UseLog
from actors.wire import TurnEntry, TurnItem
from dialogue.tool_journal import UNKNOWN

USE = {"id": "a", "name": "book", "arguments": "{}"}
DONE = {**USE, "result": '{"status": "done"}'}
FACT = {"name": "remember", "fact": "name", "value": "Ann", "result": "{}", "arguments": "{}"}


def tool(use: dict[str, Any], turn_id: int = 1, guess: int = 1, kind: str = "tool") -> TurnItem:
    return TurnItem(kind, turn_id, guess, tools=(use,))


def entry(turn_id: int = 1, guess: int = 1) -> TurnEntry:
    return TurnEntry(turn_id, "caller", "q", "a", "a", guess=guess)


def test_a_guess_is_granted_when_it_is_taken() -> None:
    log = UseLog()
    log.hear(tool({**USE, "wait_s": 5}))
    assert log.grant() == ()
    log.taken(1, 1)
    assert log.grant() == ("a",)
    assert log.grant() == ()
    assert log.open_uses == ({**USE, "turn": 1},)


def test_a_guess_that_was_dropped_or_taken_back_is_not() -> None:
    log = UseLog()
    log.taken(1, 1)
    log.taken_back(1, 1)
    log.hear(tool(USE))
    assert log.grant() == ()
    log.taken(1, 1)
    log.dropped(1, 1)
    assert log.grant() == ()
    assert log.open_uses == ()
    assert log.settled(entry()) == entry()


def test_what_was_granted_goes_into_its_turn_whichever_guess_was_spoken() -> None:
    log = UseLog()
    log.taken(1, 1)
    log.hear(tool(USE))
    log.grant()
    log.dropped(1, 1)
    assert log.settled(entry(guess=2)).tools == ({**USE, "result": UNKNOWN},)
    assert log.open_uses == ()


def test_a_result_replaces_the_use() -> None:
    log = UseLog()
    log.taken(1, 1)
    log.hear(tool(USE))
    log.grant()
    log.hear(tool(DONE))
    assert log.settled(entry()).tools == (DONE,)


def test_a_late_result_goes_into_the_next_turn_once() -> None:
    log = UseLog()
    log.taken(1, 1)
    log.hear(tool(USE))
    log.grant()
    log.settled(entry())
    log.hear(tool(DONE))
    log.hear(tool(DONE))
    assert log.settled(entry(2)).tools == ({**DONE, "of_turn": 1},)
    assert log.settled(entry(3)).tools == ()


def test_facts_go_in_with_the_guess_that_was_spoken() -> None:
    log = UseLog()
    log.hear(tool(FACT, guess=1, kind="finished"))
    log.hear(tool(FACT, guess=2, kind="finished"))
    assert log.settled(entry(guess=2)).tools == (FACT,)
    assert log.settled(entry(2)).tools == ()


def test_a_caller_who_cuts_the_reply_does_not_undo_what_it_noted() -> None:
    log = UseLog()
    log.hear(tool(FACT, kind="segment"))
    log.taken(1, 1)
    log.hear(tool(FACT, kind="finished"))
    log.dropped(1, 1)
    assert log.settled(entry()).tools == (FACT,)


def test_a_guess_that_was_not_spoken_leaves_no_fact_behind() -> None:
    log = UseLog()
    log.hear(tool(FACT, kind="segment"))
    log.taken(1, 1)
    log.taken_back(1, 1)
    log.dropped(1, 1)
    assert log.settled(entry()).tools == ()


def test_a_repeated_use_is_granted_again() -> None:
    """Another CallActor may run an idempotent tool once more, under the same id."""
    log = UseLog()
    log.taken(1, 1)
    log.hear(tool(USE))
    log.grant()
    log.hear(tool(USE))
    assert log.grant() == ("a",)


def test_uses_of_a_lost_stream_go_into_the_turn_that_follows() -> None:
    log = UseLog()
    log.learn([{**DONE, "turn": 1}, {"id": 5}, {**USE, "id": "b"}])
    assert log.settled(entry()).tools == (DONE,)
