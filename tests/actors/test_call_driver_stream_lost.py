"""What a caller was saying when his stream was lost is not lost with it; on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from actors.call_parts import TAKEN_UP_S
from actors.comeback import Comeback
from tests.support.fake_thinker import FakeThinker
from tests.support.scripted_call import Phone, Stage, play
from voice.speculation import SpeculationConfig

ANSWER = "There is a table."


def answering() -> Stage:
    return Stage({"fake": FakeThinker([0.2, ANSWER])})


async def die(phone: Phone) -> Callable[[], Awaitable[Any]]:
    """The process of the replica is gone: nothing is settled, nobody is told.

    Returns what is to be awaited at the end, for what only a test can leave open.
    """
    ear = phone.driver._ear
    phone.pause()
    phone.task.cancel()
    await asyncio.sleep(0.02)
    return lambda: asyncio.gather(phone.driver._outbox.close(), ear.close())


async def guessed(stage: Stage, phone: Phone, text: str, turn_id: int = 1) -> None:
    """The caller says this, and it ends with a reply being prepared, and the turn not taken."""
    home = stage.pool.homes["ann"]
    before = home.count("take_turn")
    await phone.talk(0.3)
    phone.ear.hear(text, final=False)
    await phone.talk(0.1)
    await phone.until(lambda: home.count("take_turn") > before)
    message = [plain for name, plain in home.messages if name == "take_turn"][-1]
    assert (message["speculative"], message["text"], message["turn_id"]) == (True, text, turn_id)


async def until_answered(phone: Phone) -> None:
    """The last thing of the call is an answer that was heard."""
    await phone.until(
        lambda: [turn[1:] for turn in phone.log][-1:] == [("caller", ANSWER, "heard")]
    )


def said(phone: Phone) -> list[str]:
    """The caller's side of the call, as it is recorded."""
    return [entry.caller_text for entry in phone.driver.turn_log if entry.caller_text]


@pytest.mark.parametrize("how", ["replica killed", "socket lost"])
def test_words_of_a_turn_that_was_not_taken_are_answered(how: str) -> None:
    async def scene(stage: Stage) -> None:
        await stage.speech.prepare(stage.agent)
        phone = await stage.phone().greeted()
        await guessed(stage, phone, "do you have a table")
        bury: Callable[[], Awaitable[Any]] = phone.ended
        if how == "replica killed":
            bury = await die(phone)
        else:
            phone.lose_socket()
        await asyncio.sleep(1.0)
        newer = stage.phone(epoch=(1, 20))
        await newer.until_heard("Back." + ANSWER)
        await until_answered(newer)
        assert said(newer) == ["do you have a table"]
        assert [kind for _, kind, _, _ in newer.log] == ["greeting", "resume", "caller"]
        await newer.mind.flush()
        recorded = [turn.caller_text for _, turn in stage.pool.homes["ann"].recorder.settled]
        assert recorded == ["", "", "do you have a table"]
        again = stage.phone(epoch=(2, 30))
        await again.until_heard("Back.")
        await asyncio.sleep(3.0)
        assert said(again) == ["do you have a table"], "it is answered once"
        await bury()

    play(scene, answering)


@pytest.mark.parametrize(
    ("then", "whole"),
    [
        ("for two people", "do you have a table for two people"),
        ("do you have a table for two", "do you have a table for two"),
        ("do you have a table", "do you have a table"),
    ],
)
def test_who_goes_on_or_says_it_again_is_answered_once(then: str, whole: str) -> None:
    async def scene(stage: Stage) -> None:
        await stage.speech.prepare(stage.agent)
        phone = await stage.phone().greeted()
        await guessed(stage, phone, "do you have a table")
        bury = await die(phone)
        newer = stage.phone(epoch=(1, 20))
        await newer.until_heard("Back.")
        await newer.say(then)
        await until_answered(newer)
        assert said(newer) == [whole]
        await bury()

    play(scene, answering)


def test_a_second_replica_that_dies_at_once_loses_nothing_either() -> None:
    async def scene(stage: Stage) -> None:
        await stage.speech.prepare(stage.agent)
        phone = await stage.phone().greeted()
        await guessed(stage, phone, "do you have a table")
        bury = await die(phone)
        newer = stage.phone(epoch=(1, 20))
        await newer.until_heard("Back.")
        await newer.until(lambda: newer.log[-1][1] == "resume")
        await newer.mind.flush()  # the actor knows that the first words are over
        bury_newer = await die(newer)
        newest = stage.phone(epoch=(2, 30))
        await until_answered(newest)
        assert said(newest) == ["do you have a table"]
        await bury()
        await bury_newer()

    play(scene, answering)


def test_words_that_a_call_goes_on_without_are_not_asked_again() -> None:
    """The carrier ends no stream of its own accord in the middle: who comes back has moved."""

    async def scene(stage: Stage) -> None:
        await stage.speech.prepare(stage.agent)
        phone = await stage.phone().greeted()
        await guessed(stage, phone, "do you have a table")
        bury = await die(phone)
        newer = stage.phone(epoch=(1, 20), comeback=Comeback("switch", status="failed"))
        await newer.until_heard("Back.")
        await asyncio.sleep(4.0)
        assert said(newer) == []
        await bury()

    play(scene, answering)


def test_a_turn_that_was_taken_back_keeps_what_was_said_after_it() -> None:
    async def scene(stage: Stage) -> None:
        await stage.speech.prepare(stage.agent)
        phone = await stage.phone().greeted()
        await phone.say("do you have a table")
        await phone.until(lambda: stage.counters["turns_committed"])
        await asyncio.sleep(0.05)
        await phone.talk(0.3)
        phone.ear.hear("for two people", final=False)
        home = stage.pool.homes["ann"]
        whole = "do you have a table for two people"
        await phone.until(lambda: any(plain.get("text") == whole for _, plain in home.messages))
        bury = await die(phone)
        newer = stage.phone(epoch=(1, 20))
        await until_answered(newer)
        assert said(newer) == [whole]
        await bury()

    play(scene, lambda: Stage({"fake": FakeThinker([3.0, ANSWER])}))


def test_keys_that_were_entered_are_answered() -> None:
    async def scene(stage: Stage) -> None:
        await stage.speech.prepare(stage.agent)
        phone = await stage.phone().greeted()
        await guessed(stage, phone, "my number is")
        for key in "42#":
            phone.press(key)
        await phone.until(lambda: stage.counters["turns_committed"])
        await asyncio.sleep(0.1)
        bury = await die(phone)
        newer = stage.phone(epoch=(1, 20))
        await until_answered(newer)
        assert said(newer) == ["my number is 42"]
        await bury()

    play(scene, lambda: Stage({"fake": FakeThinker([0.5, ANSWER])}))


@pytest.mark.parametrize("reply", ["prepared", "asked for"])
def test_a_turn_that_was_taken_a_moment_before_is_answered(reply: str) -> None:
    """Whether its reply had begun before, and however soon after it the replica dies."""

    async def scene(stage: Stage) -> None:
        await stage.speech.prepare(stage.agent)
        phone = await stage.phone().greeted()
        await phone.say("do you have a table")
        await phone.until(lambda: stage.counters["turns_committed"])
        await phone.until(lambda: stage.pool.homes["ann"].count("take_turn"))
        bury = await die(phone)
        newer = stage.phone(epoch=(1, 20))
        await until_answered(newer)
        assert said(newer) == ["do you have a table"]
        await bury()

    speculation = SpeculationConfig(max_guesses=0) if reply == "asked for" else None
    thinkers = {"fake": FakeThinker([1.0, ANSWER])}
    play(scene, lambda: Stage(thinkers, speculation=speculation))


@pytest.mark.parametrize(
    ("later_s", "ended"),
    [
        (0.1, (False, "stream_lost: stopped as it was taken up")),
        (TAKEN_UP_S + 1.0, (True, "caller_hung_up")),
    ],
)
def test_a_stream_that_is_stopped_just_as_it_took_the_call_up_is_not_hung_up(
    later_s: float, ended: tuple[bool, str]
) -> None:
    """The carrier may be told to ask for a call of which nobody has heard yet that it goes on."""

    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        phone.lose_socket()
        await phone.ended()
        newer = stage.phone(epoch=(1, 20))
        await newer.until(lambda: newer.mind.turn_log)
        await asyncio.sleep(later_s)
        newer.hang_up()
        end = await newer.ended()
        assert (end.planned, end.reason) == ended

    play(scene)
