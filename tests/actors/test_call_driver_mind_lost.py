"""A call whose CallActor dies or hangs in any phase goes on; on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from actors.wire import TurnEntry
from tests.support.fake_thinker import HANG, FakeThinker, Step
from tests.support.scripted_call import Stage, play

LONG = "There is a lot to say about that. " + "It goes on and on and on. " * 10


def by_actor(scripts: dict[str, list[Step]]) -> Callable[[], Stage]:
    """A stage whose actors think differently, so that one can hear who answered."""
    return lambda: Stage(lambda name: {"fake": FakeThinker(scripts[name])})


@pytest.mark.parametrize("fault", ["kill", "hang"])
def test_mind_lost_while_listening(fault: str) -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        getattr(stage.pool, fault)("ann")
        await phone.say("are you there")
        await phone.until(lambda: len(phone.log) == 2)
        assert phone.heard == "Hello!I am here."
        home = stage.pool.homes[phone.mind.actor]
        assert [entry.turn_id for _, entry in home.recorder.settled][:1] == [0]

    scripts: dict[str, list[Step]] = {"ann": ["Nobody says this."]}
    scripts |= {"bob": ["I am here."], "cleo": ["I am here."]}
    play(scene, by_actor(scripts))


@pytest.mark.parametrize("fault", ["kill", "hang"])
def test_mind_lost_while_thinking(fault: str) -> None:
    """A dead one is asked again at once; a hung one after its turn has failed politely."""

    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("are you there")
        await asyncio.sleep(0.6)
        getattr(stage.pool, fault)("ann")
        if fault == "hang":
            await phone.until_heard("Pardon?", 20)
            await phone.until(lambda: len(phone.log) == 2)
            await phone.say("are you there")
        await phone.until_heard("I am here.")
        await phone.until(lambda: phone.log[-1][2:] == ("I am here.", "heard"))
        assert phone.heard.count("I am here.") == 1

    scripts: dict[str, list[Step]] = {"ann": [HANG]}
    scripts |= {"bob": ["I am here."], "cleo": ["I am here."]}
    play(scene, by_actor(scripts))


def test_mind_lost_while_speaking() -> None:
    """What was planned is said to its end, once; the next words find the call on its new actor."""

    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("tell me")
        await phone.until_heard("First")
        stage.pool.kill("ann")
        await phone.until(lambda: len(phone.log) == 2)
        assert phone.heard == "Hello!First of all."
        assert phone.log[1] == (1, "caller", "First of all.", "failed")
        assert phone.mind.actor != "ann"
        await phone.say("and then")
        await phone.until(lambda: len(phone.log) == 3)
        assert phone.heard == "Hello!First of all.I am here."
        home = stage.pool.homes[phone.mind.actor]
        assert [entry.turn_id for _, entry in home.recorder.settled][:2] == [0, 1]

    scripts: dict[str, list[Step]] = {"ann": ["First of all. And", HANG]}
    scripts |= {"bob": ["I am here."], "cleo": ["I am here."]}
    play(scene, by_actor(scripts))


def test_a_held_guess_of_a_dead_mind_is_asked_again_whole() -> None:
    """Half an answer that nobody heard yet is thrown away, not said."""

    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.talk(0.6)
        phone.ear.hear("tell me", final=False)
        phone.ear.hear("tell me")
        await phone.until(lambda: "First of all." in stage.speaker.asked, 1.0)
        stage.pool.kill("ann")
        await phone.until(lambda: len(phone.log) == 2)
        assert phone.heard == "Hello!I am here."

    scripts: dict[str, list[Step]] = {"ann": ["First of all. And", HANG]}
    scripts |= {"bob": ["I am here."], "cleo": ["I am here."]}
    play(scene, by_actor(scripts))


def test_every_mind_lost_the_call_apologises_and_ends_in_trouble() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        for name in stage.pool.homes:
            stage.pool.kill(name)
        for _ in range(3):
            if phone.task.done():
                break
            await phone.say("are you there")
            turns = len(phone.log)
            await phone.until(lambda turns=turns: len(phone.log) > turns or phone.task.done(), 40)
        end = await phone.ended(60)
        assert (end.planned, end.reason) == (True, "provider_trouble")
        assert phone.heard == "Hello!Pardon?Pardon?Trouble."

    play(scene)


def test_no_mind_at_the_start_closes_for_another_try() -> None:
    async def scene(stage: Stage) -> None:
        for name in stage.pool.homes:
            stage.pool.kill(name)
        end = await stage.phone().ended()
        assert (end.planned, end.close_code) == (False, 1011)
        assert end.reason.startswith("no_mind")

    play(scene)


def test_a_token_used_twice_and_an_older_epoch_are_refused_without_harm() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        twice = stage.phone(token_id=f"token-1-{(0, 10)}", epoch=(0, 10))
        older = stage.phone(epoch=(0, 5))
        assert (await twice.ended()).reason == "refused: token_used"
        assert (await older.ended()).reason == "refused: stale_epoch"
        await phone.say("still with me")
        await phone.until(lambda: len(phone.log) == 2)

    play(scene)


def test_a_newer_stream_goes_on_where_the_older_one_was() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        await phone.say("tell me")
        await phone.until_heard("It goes on")
        older_ear = phone.ear
        newer = stage.phone(epoch=(1, 20))
        await newer.until_heard("There is a lot")  # what was asked of the older one
        assert newer.log[0] == (0, "greeting", "Hello!", "heard")
        await phone.talk(0.6)
        older_ear.hear("wait a moment")
        end = await phone.ended()
        assert (end.planned, end.reason) == (False, "owned_elsewhere")
        await newer.say("go on")
        await newer.until_heard("There is a lot")
        numbers = [turn_id for turn_id, _, _, _ in newer.log]
        assert numbers == sorted(set(numbers))

    play(scene, lambda: Stage({"fake": FakeThinker([LONG])}))


def test_an_older_stream_is_closed_when_its_sign_of_life_is_refused() -> None:
    async def scene(stage: Stage) -> None:
        phone = await stage.phone().greeted()
        newer = stage.phone(epoch=(1, 20))
        await newer.until_heard("Back.")
        await phone.driver.mind.flush(even_if_empty=True)
        end = await phone.ended()
        assert (end.planned, end.reason) == (False, "owned_elsewhere")
        await newer.say("go on")
        await newer.until_heard("One moment.")

    play(scene)


def test_a_log_brought_along_means_no_second_greeting() -> None:
    async def scene(stage: Stage) -> None:
        entry = TurnEntry(4, "caller", "words", "answer", "answer")
        phone = stage.phone(turn_log=(entry,))
        await phone.until(lambda: len(phone.log) == 2)
        assert phone.heard == "Back."
        assert [turn_id for turn_id, _, _, _ in phone.log] == [4, 5]

    play(scene)


@pytest.mark.parametrize("moment", ["thinking", "speaking"])
def test_what_was_asked_before_the_ingress_died_is_answered_after_it(moment: str) -> None:
    async def scene(stage: Stage) -> None:
        await stage.speech.prepare(stage.agent)
        phone = await stage.phone().greeted()
        await phone.say("tell me")
        if moment == "speaking":
            await phone.until_heard("There is")
        else:
            await phone.until(lambda: stage.counters["turns_committed"])
            await asyncio.sleep(0.1)  # the actor is told of it, and nobody waits for that
        older_ear = phone.driver._ear
        phone.pause()
        phone.task.cancel()  # its process is gone: nothing is settled, nobody is told
        newer = stage.phone(epoch=(1, 20))
        await newer.until_heard("Back.There is a lot")
        await newer.until(lambda: len(newer.log) == 2)
        entry = newer.driver.turn_log[-1]
        assert (entry.turn_id, entry.kind, entry.caller_text) == (1, "caller", "tell me")
        assert entry.heard_text.startswith("There is a lot")
        await asyncio.sleep(0.1)
        again = stage.phone(epoch=(2, 30))
        await again.until_heard("Back.")
        await again.until(lambda: again.log[-1][1] == "resume")  # and nothing is answered twice
        await asyncio.gather(phone.driver._outbox.close(), older_ear.close())  # died with it

    play(scene, lambda: Stage({"fake": FakeThinker([0.3, "There is a lot to say."])}))


def test_what_was_asked_before_the_socket_was_lost_is_answered_after_it() -> None:
    async def scene(stage: Stage) -> None:
        await stage.speech.prepare(stage.agent)
        phone = await stage.phone().greeted()
        await phone.say("tell me")
        await phone.until(lambda: stage.counters["turns_committed"])
        await asyncio.sleep(0.1)
        phone.lose_socket()
        await phone.ended()
        newer = stage.phone(epoch=(1, 20))
        await newer.until_heard("Back.There is a lot")
        await newer.until(lambda: newer.log[-1][3] == "heard")
        assert [(kind, outcome) for _, kind, _, outcome in newer.log] == [
            ("greeting", "heard"),
            ("caller", "interrupted"),
            ("caller", "heard"),
        ]

    play(scene, lambda: Stage({"fake": FakeThinker([0.5, "There is a lot to say."])}))
