"""Where a call's mind lives, and how the call moves when that dies; on virtual time."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from actors import late_answers, mind_client, mind_pool
from actors.errors import MindRefusedError, NoSlotError
from actors.mind_client import MindClient, TurnQuestion
from actors.mind_driver import MindConfig
from actors.mind_home import Memory
from actors.wire import OpenCall, SettleTurns, TurnEntry, TurnItem
from tests.support import virtual_time
from tests.support.fake_thinker import HANG, FakeThinker
from tests.support.local_mind_pool import LocalMindPool
from tests.support.scripted_call import AGENT
from tests.support.uncollected import no_collector

ENTRY = TurnEntry(0, "greeting", agent_text="Hello!", heard_text="Hello!")
QUESTION = TurnQuestion(1, 1, "caller", "what now", False)


class Stage:
    """A call at ``ann``, with others to go to."""

    def __init__(
        self, script: Any = (0.1, "Go on."), names: tuple[str, ...] = ("ann", "bob", "cleo")
    ) -> None:
        self.thinkers: dict[str, FakeThinker] = {}
        self.memory, self.recalled = Memory(), 0  # of the record

        def thinkers(name: str) -> dict[str, FakeThinker]:
            steps = script[name] if isinstance(script, dict) else script
            self.thinkers[name] = FakeThinker(steps)
            return {"fake": self.thinkers[name]}

        self.pool = LocalMindPool({"a1": AGENT}, thinkers, names, MindConfig(calls_per_actor=2))
        self.mind = self.client()

    def client(self, call_id: str = "call-1", **fields: Any) -> MindClient:
        call = OpenCall(
            "t1", "a1", "v1", call_id, "CA1", **{"epoch": (0, 10), "token_id": call_id, **fields}
        )
        return MindClient(
            self.pool,
            "ann",
            call,
            actor_timeout_s=1.0,
            wall_clock_us=lambda: int(asyncio.get_running_loop().time() * 1e6),
            recall=self.recall,
        )

    async def recall(self) -> Memory:
        self.recalled += 1
        return self.memory

    async def answer(self, question: TurnQuestion = QUESTION) -> list[TurnItem]:
        return [item async for item in self.mind.take_turn(question)]


def play(scene: Callable[[Stage], Awaitable[None]], **options: Any) -> None:
    async def whole() -> None:
        before = asyncio.all_tasks()
        stage = Stage(**options)
        await scene(stage)
        await stage.pool.aclose()
        await asyncio.sleep(1.1)  # an actor that hangs is told goodbye for no longer
        assert not {task for task in asyncio.all_tasks() - before if not task.done()}

    virtual_time.run(whole())


def said(items: list[TurnItem]) -> list[str]:
    return [item.text or item.type for item in items]


WHOLE = ["accepted", "Go on.", "finished"]


def test_a_turn_is_answered_where_the_call_lives() -> None:
    async def scene(stage: Stage) -> None:
        opened = await stage.mind.open()
        assert opened.greeting == "Hello!"
        assert said(await stage.answer()) == WHOLE
        assert stage.pool.homes["bob"].messages == []

    play(scene)


def test_settled_turns_ride_on_the_next_turn_and_are_not_sent_twice() -> None:
    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        stage.mind.settle(ENTRY)
        await stage.answer()
        await stage.mind.flush()
        home = stage.pool.homes["ann"]
        assert home.count("settle") == 0
        assert [entry.turn_id for _, entry in home.recorder.settled] == [0]

    play(scene)


def test_a_sign_of_life_is_sent_even_with_nothing_to_tell() -> None:
    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        await stage.mind.flush()
        await stage.mind.flush(even_if_empty=True)
        assert stage.pool.homes["ann"].count("settle") == 1

    play(scene)


@pytest.mark.parametrize("fault", ["kill", "hang"])
def test_an_actor_lost_before_the_first_word_is_asked_again_elsewhere(fault: str) -> None:
    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        stage.mind.settle(ENTRY)
        getattr(stage.pool, fault)("ann")
        began = asyncio.get_running_loop().time()
        assert said(await stage.answer()) == WHOLE
        assert asyncio.get_running_loop().time() - began < 1.5
        assert stage.mind.actor != "ann"
        assert stage.pool.reported_lost == ["ann"]
        log = stage.pool.homes[stage.mind.actor].driver
        state = await log.call_state("call-1")
        assert [entry["turn_id"] for entry in state["turn_log"]] == [0]

    play(scene)


def test_two_answers_are_never_spliced() -> None:
    """The new actor would say something else: what was handed out stands, and no more comes."""

    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        items = []
        async for item in stage.mind.take_turn(QUESTION):
            items.append(item)
            if item.type == "segment":
                stage.pool.kill("ann")
        assert said(items) == ["accepted", "First of all.", "failed"]
        assert items[-1].message == "the CallActor was lost in the middle of the reply"
        assert stage.mind.actor != "ann"
        again = await stage.answer(TurnQuestion(2, 2, "caller", "and now", False))
        assert said(again) == ["accepted", "Something else.", "finished"]

    script = {
        "ann": ["First of all. And", HANG],
        "bob": ["Something else."],
        "cleo": ["Something else."],
    }
    play(scene, script=script)


def test_an_actor_that_forgot_the_call_is_given_it_no_more() -> None:
    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        stage.pool.kill("ann")
        stage.pool.start("ann")
        stage.mind.settle(ENTRY)
        assert said(await stage.answer()) == WHOLE
        assert stage.mind.actor != "ann"

    play(scene)


def test_without_any_actor_the_turn_fails_in_bounded_time() -> None:
    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        stage.pool.kill("ann")
        began = asyncio.get_running_loop().time()
        with pytest.raises(NoSlotError):
            await stage.answer()
        waited_s = asyncio.get_running_loop().time() - began
        assert waited_s <= mind_pool.REPLACE_WITHIN_S + 0.2

    play(scene, names=("ann",))


def test_a_token_is_used_once() -> None:
    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        with pytest.raises(MindRefusedError, match="token_used"):
            await stage.client().open()
        assert said(await stage.answer()) == WHOLE

    play(scene)


def test_an_older_epoch_is_refused_and_a_newer_one_takes_the_call_over() -> None:
    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        stage.mind.settle(ENTRY)
        newer = stage.client(epoch=(1, 20), token_id="second", turn_log=stage.mind.turn_log)
        opened = await newer.open()
        assert [entry.turn_id for entry in opened.turn_log] == [0]
        with pytest.raises(MindRefusedError, match="stale_epoch"):
            await stage.answer()
        with pytest.raises(MindRefusedError, match="stale_epoch"):
            await stage.client(epoch=(0, 5), token_id="third").open()

    play(scene)


@pytest.mark.parametrize("is_home_dead", [False, True])
def test_whoever_is_told_that_somebody_newer_has_the_call_says_so(is_home_dead: bool) -> None:
    async def scene(stage: Stage) -> None:
        told: list[str] = []
        await stage.mind.open()
        stage.mind.on_disowned = lambda: told.append("older")
        home = stage.mind.actor
        newer = stage.client(epoch=(1, 20), token_id="second")
        newer.on_disowned = lambda: told.append("newer")
        await newer.open()
        if is_home_dead:
            stage.pool.kill(home)
            await newer.flush(even_if_empty=True)
        await newer.flush(even_if_empty=True)
        assert told == []
        await stage.mind.flush(even_if_empty=True)
        assert told == ["older"]

    play(scene, names=("ann", "bob"))


def test_a_message_that_our_own_move_has_overtaken_says_nothing_of_others() -> None:
    async def scene(stage: Stage) -> None:
        told: list[str] = []
        await stage.mind.open()
        stage.mind.on_disowned = lambda: told.append("disowned")
        home = stage.pool.homes["ann"]
        home.slow_s = 0.3
        flushing = asyncio.ensure_future(stage.mind.flush(even_if_empty=True))
        await asyncio.sleep(0.1)
        home.slow_s = 0.0
        newest = replace(stage.mind.call, epoch=(0, 11), token_id="")
        await stage.pool.open_call("ann", newest)
        stage.mind._home.call = newest  # a move of our own that came back to the same actor
        await flushing
        assert told == []

    play(scene)


def test_the_goodbye_of_an_older_stream_does_not_end_the_call() -> None:
    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        newer = stage.client(epoch=(1, 20), token_id="second")
        await newer.open()
        await stage.mind.close(planned=True, reason="caller_hung_up")
        stage.mind = newer
        assert said(await stage.answer()) == WHOLE

    play(scene)


@pytest.mark.parametrize("fault", ["kill", "hang"])
def test_the_end_of_a_call_is_recorded_even_when_its_actor_is_gone(fault: str) -> None:
    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        stage.mind.settle(ENTRY)
        getattr(stage.pool, fault)("ann")
        await stage.mind.close(planned=True, reason="agent_hung_up")
        recorder = stage.pool.homes[stage.mind.actor].recorder
        assert recorder.closed == [("call-1", True, "agent_hung_up")]
        assert [entry.turn_id for _, entry in recorder.settled] == [0]

    play(scene)


def test_a_call_that_ends_while_it_moves_leaves_no_seat_taken() -> None:
    """The move and the end race: the actor that took the call last has to hear of its end."""

    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        stage.mind.settle(ENTRY)
        stage.pool.kill("ann")
        for name in ("bob", "cleo"):
            stage.pool.homes[name].slow_s = 0.3
        flushing = asyncio.ensure_future(stage.mind.flush())
        await asyncio.sleep(0.1)
        await stage.mind.close(planned=True, reason="caller_hung_up")
        await flushing
        homes = [stage.pool.homes[name] for name in ("bob", "cleo")]
        assert [home.driver.status()["active_calls"] for home in homes] == [0, 0]
        assert [home.recorder.closed for home in homes if home.recorder.closed] == [
            [("call-1", True, "caller_hung_up")]
        ]

    play(scene)


def test_with_nobody_left_the_end_is_given_up_in_bounded_time() -> None:
    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        stage.pool.kill("ann")
        began = asyncio.get_running_loop().time()
        await stage.mind.close(planned=True, reason="caller_hung_up")
        waited_s = asyncio.get_running_loop().time() - began
        assert waited_s <= mind_client.CLOSE_WITHIN_S

    play(scene, names=("ann",))


def test_a_reply_that_is_left_early_is_abandoned_at_the_actor() -> None:
    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        items = stage.mind.take_turn(QUESTION)
        assert (await anext(items)).type == "accepted"
        await items.aclose()
        home = stage.pool.homes["ann"]
        assert home.count("abandon") == 1
        await asyncio.sleep(0.1)
        assert stage.thinkers["ann"].open_replies == 0

    play(scene, script=["One. Two.", HANG])


def test_turns_the_actor_was_told_by_nobody_else_are_told_to_the_next() -> None:
    """The whole log goes with the call, not only what was unsettled."""

    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        for turn_id in range(4):
            stage.mind.settle(TurnEntry(turn_id, "caller", caller_text=f"words {turn_id}"))
            await stage.mind.flush()
        stage.pool.kill("ann")
        await stage.answer(TurnQuestion(4, 1, "caller", "more", False))
        home = stage.pool.homes[stage.mind.actor]
        request = stage.thinkers[home.name].requests[-1]
        asked = "\n".join(message.text for message in request.messages if message.role == "user")
        assert asked.split("\n") == ["words 0", "words 1", "words 2", "words 3", "more"]
        unknown = SettleTurns("t1", "call-1", (0, 10), ())
        assert (await stage.pool.settle(home.name, unknown)).refusal == "stale_epoch"

    play(scene)


def test_an_actor_that_answers_others_is_late_and_not_lost() -> None:
    """With many calls it is behind with all of them: moving them would make it worse elsewhere."""

    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        stage.pool.busy.add("ann")
        stage.pool.homes["ann"].slow_s = 1.8
        stage.mind.settle(ENTRY)
        await stage.mind.flush()
        assert said(await stage.answer()) == WHOLE
        await stage.mind.close(planned=True, reason="caller_hung_up")
        assert (stage.mind.actor, stage.pool.reported_lost) == ("ann", [])
        assert stage.pool.homes["ann"].recorder.closed == [("call-1", True, "caller_hung_up")]

    play(scene)


def test_whoever_answers_others_and_never_this_call_is_lost_in_bounded_time() -> None:
    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        stage.pool.busy.add("ann")
        stage.pool.hang("ann")
        began = asyncio.get_running_loop().time()
        assert said(await stage.answer()) == WHOLE
        assert asyncio.get_running_loop().time() - began == pytest.approx(
            late_answers.MOST_LATE * 1.0, abs=0.5
        )
        assert stage.mind.actor != "ann"

    play(scene)


def test_a_mind_is_freed_without_the_collector() -> None:
    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        await stage.answer()
        stage.mind.settle(ENTRY)
        await stage.mind.flush()
        await stage.mind.close(planned=True, reason="caller_hung_up")
        held = weakref.ref(stage.mind)
        del stage.mind
        await asyncio.sleep(0.1)
        assert held() is None

    with no_collector():
        play(scene)
