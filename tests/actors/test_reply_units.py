"""What the replies of a turn have used, and which of it was in vain."""

from __future__ import annotations

import pytest

from actors.reply_units import ReplyUnits, tokens_of, units_in_vain, units_of_turn
from actors.wire import TurnItem
from voice.events import TurnSettled
from voice.waste import TurnSpend

TOLD = {"prompt_tokens": 100.0, "cached_tokens": 60.0, "completion_tokens": 9.0}


def thought(*items: TurnItem, said: str = "") -> ReplyUnits:
    reply = ReplyUnits()
    for item in (TurnItem("accepted", 1, 1), *items):
        reply.hear(item)
    if said:
        reply.speak(said)
    return reply


def finished(text: str = "Twelve chars", said: str = "") -> ReplyUnits:
    return thought(
        TurnItem("segment", 1, 1, text=text), TurnItem("finished", 1, 1, usage=TOLD), said=said
    )


def ended_early(text: str = "Twelve chars", said: str = "") -> ReplyUnits:
    return thought(TurnItem("segment", 1, 1, text=text), said=said)


def settled(guess: int, spend: TurnSpend) -> TurnSettled:
    return TurnSettled(1, guess, "caller", "q", "a", "a", "heard", "silence", spend=spend)


def test_a_guess_that_was_right_cost_nothing_in_vain() -> None:
    units = units_of_turn({(1, 1): finished(said="Hello")}, settled(1, TurnSpend(1, 1)))
    assert units == {**TOLD, "spoken_chars": 5, "speculative_calls": 1}


def test_a_guess_that_was_wrong_is_billed_and_told_apart() -> None:
    replies = {(1, 1): finished(said="Hello"), (1, 2): finished(said="Bye")}
    units = units_of_turn(replies, settled(2, TurnSpend(2, 1, 1, 1)))
    assert units["prompt_tokens"] == 200
    assert units["spoken_chars"] == 8
    assert {unit: n for unit, n in units.items() if "wasted" in unit} == {
        "wasted_calls": 1,
        "wasted_prompt_tokens": 100,
        "wasted_cached_tokens": 60,
        "wasted_completion_tokens": 9,
        "wasted_spoken_chars": 5,
    }
    assert tokens_of(units) == (218, 109)


def test_tokens_that_nobody_told_are_those_of_the_same_prompt() -> None:
    replies = {(1, 1): ended_early(), (1, 2): finished()}
    units = units_of_turn(replies, settled(2, TurnSpend(2, 2, 1, 1)))
    assert units["wasted_prompt_tokens"] == 100
    assert units["wasted_completion_tokens"] == 3, "a token is about four letters"
    assert units["prompt_tokens"] == 200


def test_without_any_prompt_told_only_what_was_written_is_known() -> None:
    replies = {(1, 1): ended_early("我想訂檯"), (1, 2): ended_early()}
    units = units_of_turn(replies, settled(2, TurnSpend(2, 2, 1, 1)))
    assert "prompt_tokens" not in units
    assert (units["completion_tokens"], units["wasted_completion_tokens"]) == (7, 4)


@pytest.mark.parametrize(
    "unthought",
    [ReplyUnits(), thought(TurnItem("failed", 1, 1, refusal="provider"))],
    ids=["the mind has not begun", "it failed by itself"],
)
def test_nothing_is_made_up_for(unthought: ReplyUnits) -> None:
    replies = {(1, 1): unthought, (1, 2): finished()}
    units = units_of_turn(replies, settled(2, TurnSpend(2, 1, 1, 1)))
    assert units["prompt_tokens"] == 100
    assert "wasted_prompt_tokens" not in units


def test_an_apology_is_said_for_the_one_that_failed() -> None:
    apology = ReplyUnits()
    apology.speak("Pardon?")
    replies = {(1, 1): finished(), (1, 2): finished(said="Half"), (1, 3): apology}
    units = units_of_turn(replies, settled(3, TurnSpend(2, 1, 1, 1)))
    assert units["wasted_prompt_tokens"] == 100
    assert "wasted_spoken_chars" not in units
    assert units["spoken_chars"] == 11


def test_a_turn_that_was_taken_back_for_good_was_all_in_vain() -> None:
    units = units_of_turn({(1, 1): finished()}, settled(1, TurnSpend(1, 1, 0, 1)))
    assert units["wasted_prompt_tokens"] == units["prompt_tokens"] == 100


def test_an_answer_of_the_cache_asks_no_model_and_wastes_none() -> None:
    told = {"outcome": "hit", "entry_id": 7}
    cached = [
        thought(TurnItem("segment", 1, 1, text="At nine.", cache=told), TurnItem("finished", 1, 1))
        for _ in range(2)
    ]
    for reply in cached:
        reply.is_guess = True
    replies = {(1, 1): cached[0], (1, 2): finished(said="Hello"), (1, 3): cached[1]}
    replies[1, 2].is_guess = True
    units = units_of_turn(replies, settled(3, TurnSpend(3, 3, 2, 2)))
    assert {unit: n for unit, n in units.items() if "calls" in unit} == {
        "speculative_calls": 1,
        "wasted_calls": 1,
    }
    assert units["wasted_prompt_tokens"] == 100
    assert "wasted_calls" not in units_in_vain([cached[0]])


def test_what_no_turn_was_settled_for_is_not_lost() -> None:
    greeting = ReplyUnits()
    greeting.speak("Hello!")
    units = units_in_vain([greeting, finished(said="Hi"), ended_early()])
    assert units["prompt_tokens"] == units["wasted_prompt_tokens"] == 200
    assert units["wasted_calls"] == 2
    assert units["spoken_chars"] == 2
    assert units_in_vain([]) == {}
