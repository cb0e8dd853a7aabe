"""How a call moves to another CallActor, and what the one hears that it has left; virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from actors.errors import NoSlotError
from actors.mind_calls import MOVED_ON
from actors.mind_client import TurnQuestion
from actors.mind_home import Memory
from actors.wire import Acknowledged, CloseCall, Grants, TurnEntry
from tests.actors.test_mind_client import ENTRY, QUESTION, WHOLE, Stage, play, said


def test_the_only_actor_dies_and_its_successor_takes_the_call() -> None:
    """The directory needs a moment to start another one; the call waits for it."""

    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        stage.pool.kill("ann")
        asyncio.get_running_loop().call_later(2.0, stage.pool.start, "dora")
        assert said(await stage.answer()) == WHOLE
        assert stage.mind.actor == "dora"

    play(scene, names=("ann",))


def test_those_who_find_the_actor_lost_together_move_the_call_once() -> None:
    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        stage.mind.settle(ENTRY)
        stage.pool.kill("ann")
        others = [TurnQuestion(1, guess, "caller", "hm", True) for guess in (1, 2)]
        await asyncio.gather(stage.mind.flush(), *(stage.answer(each) for each in others))
        assert stage.mind.replacements == 1
        opened = [home.count("open_call") for home in stage.pool.homes.values()]
        assert sum(opened) == 2

    play(scene)


def test_a_full_actor_passes_the_call_on_and_three_full_ones_refuse_it() -> None:
    async def scene(stage: Stage) -> None:
        for number in range(2):
            await stage.client(f"other-{number}").open()
        await stage.mind.open()
        assert stage.mind.actor != "ann"
        for number in range(3):
            await stage.client(f"more-{number}").open()
        with pytest.raises(NoSlotError):
            await stage.client("one-too-many").open()

    play(scene)


@pytest.mark.parametrize("fault", ["kill", "hang"])
def test_a_call_whose_actor_is_lost_as_its_next_stream_opens_is_remembered(fault: str) -> None:
    """It was there when the carrier asked, so nobody has told another one of the call."""

    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        stage.mind.settle(ENTRY)
        await stage.mind.flush()
        getattr(stage.pool, fault)("ann")
        use = {"id": "u1", "name": "book", "arguments": "{}", "turn": 1}
        stage.memory = Memory((ENTRY,), (use,))
        newer = stage.client(epoch=(1, 20), token_id="next")
        opened = await newer.open()
        assert newer.actor != "ann"
        assert opened.turn_log == newer.turn_log == (ENTRY,)
        state = await stage.pool.homes[newer.actor].driver.call_state("call-1")
        assert [entry["turn_id"] for entry in state["turn_log"]] == [0]
        opens = [
            told for name, told in stage.pool.homes[newer.actor].messages if name == "open_call"
        ]
        assert opens[-1]["uses"] == [use]

    play(scene)


def test_the_record_is_not_asked_of_a_first_stream_or_of_what_is_known() -> None:
    async def scene(stage: Stage) -> None:
        stage.pool.kill("ann")
        await stage.mind.open()
        known = stage.client("other", epoch=(1, 20), turn_log=(ENTRY,))
        await known.open()
        assert known.actor != "ann"
        assert stage.recalled == 0

    play(scene)


def retire(stage: Stage, *names: str) -> None:
    """What a sync with the directory says after a deploy."""
    homes = tuple(name for name in stage.pool.homes if name not in names)
    stage.pool.stock.granted(Grants({}, homes, 0, 4, retired=names))


def test_a_call_leaves_a_retired_actor_between_two_turns_and_is_forgotten_there() -> None:
    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        stage.mind.settle(ENTRY)
        await stage.answer()
        stage.mind.settle(TurnEntry(1, "caller", caller_text="what now", heard_text="Go on."))
        retire(stage, "ann")
        await stage.mind.flush()
        assert stage.mind.actor != "ann"
        moved_to = stage.pool.homes[stage.mind.actor]
        assert len(moved_to.driver._calls.get("call-1").session.turn_log) == 2
        assert stage.pool.homes["ann"].driver._calls.get("call-1") is None
        assert not stage.pool.reported_lost
        assert said(await stage.answer(replace(QUESTION, turn_id=2))) == WHOLE
        assert moved_to.count("settle") == 0

    play(scene)


def test_nobody_moves_in_the_middle_of_a_reply() -> None:
    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        reply = stage.mind.take_turn(QUESTION)
        assert (await anext(reply)).type == "accepted"
        retire(stage, "ann")
        await stage.mind.flush(even_if_empty=True)
        assert stage.mind.actor == "ann"
        assert said([item async for item in reply]) == WHOLE[1:]
        await stage.mind.flush(even_if_empty=True)
        assert stage.mind.actor != "ann"

    play(scene)


def test_without_room_elsewhere_a_call_stays_with_a_retired_actor() -> None:
    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        stage.pool.stock.granted(Grants({}, (), 0, 4, retired=("ann",)))
        await stage.mind.flush(even_if_empty=True)
        assert stage.mind.actor == "ann"
        assert said(await stage.answer()) == WHOLE

    play(scene)


def test_the_end_of_a_call_that_has_moved_on_is_recorded_once() -> None:
    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        retire(stage, "ann")
        await stage.mind.flush(even_if_empty=True)
        await stage.mind.close(planned=True, reason="caller_hung_up")
        await asyncio.sleep(400.0)
        for home in stage.pool.homes.values():
            home.driver.sweep(asyncio.get_running_loop().time())
        closed = [name for name, home in stage.pool.homes.items() if home.recorder.closed]
        assert closed == [stage.mind.actor]
        moved = [name for name, home in stage.pool.homes.items() if home.recorder.moved]
        assert moved == ["ann"], "it has nothing to wait for"

    play(scene)


def test_an_actor_of_the_new_release_that_refuses_a_call_leaves_it_where_it_is() -> None:
    """A deploy that takes an agent away does not take its calls away with it."""

    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        stage.pool._agents = {}
        stage.pool.start("new")
        retire(stage, "ann", "bob", "cleo")
        for _ in range(2):
            await stage.mind.flush(even_if_empty=True)
        assert stage.mind.actor == "ann"
        assert not stage.pool.reported_lost
        assert said(await stage.answer()) == WHOLE

    play(scene)


def test_an_actor_that_takes_a_call_too_late_is_told_that_it_has_gone_elsewhere() -> None:
    """Or it would keep a seat for six minutes, and then record the loss of a call that goes on."""

    async def scene(stage: Stage) -> None:
        told: dict[str, tuple[int, int]] = {}
        close = stage.pool.close_call

        async def close_call(actor: str, message: CloseCall) -> Acknowledged:
            assert (message.planned, message.reason) == (False, MOVED_ON)
            told[actor] = message.epoch
            return await close(actor, message)

        stage.pool.close_call = close_call  # type: ignore[method-assign]
        stage.pool.hang("ann")
        stage.pool.hang("bob")
        await stage.mind.open()
        assert stage.mind.actor == "cleo"
        await asyncio.sleep(0.1)
        assert told["ann"] == (0, 10)
        assert (0, 10) < told["bob"] < stage.mind.epoch

    play(scene)


def test_an_actor_that_hung_and_goes_on_has_none_of_the_calls_that_left_it() -> None:
    async def scene(stage: Stage) -> None:
        await stage.mind.open()
        stage.pool.hang("ann")
        assert said(await stage.answer()) == WHOLE
        assert stage.mind.actor != "ann"
        stage.pool.homes["ann"].running.set()
        await asyncio.sleep(1.0)
        assert stage.pool.homes["ann"].driver._calls.get("call-1") is None

    play(scene)
