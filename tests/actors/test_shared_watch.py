"""Shared actors that hang are started anew, and nobody else is."""

from __future__ import annotations

import asyncio

from actors.shared_watch import ASK_EVERY_S, GRACE_S, MISSES, Answer, SharedWatch
from tests.support.virtual_time import run


class World:
    """Actors and how they answer."""

    def __init__(self, **answers: Answer) -> None:
        self.answers: dict[str, Answer] = dict(answers)
        self.watch = SharedWatch(tuple(answers), self.ask, self.restart)

    async def ask(self, name: str) -> Answer:
        return self.answers[name]

    async def restart(self, name: str) -> None:
        self.answers[name] = "absent"  # until Ray has started it

    async def looks(self, times: int) -> list[str]:
        for _ in range(times):
            await self.watch.look()
        return self.watch.restarted


def test_one_that_never_answers_is_started_anew_once() -> None:
    world = World(directory="there", metrics="silent")

    async def story() -> None:
        assert await world.looks(MISSES - 1) == []
        assert await world.looks(1) == ["metrics"]
        world.answers["metrics"] = "silent"  # it takes a while to start
        assert await world.looks(2 * MISSES) == ["metrics"]

    run(story())
    assert GRACE_S > MISSES * ASK_EVERY_S


def test_one_slow_answer_is_forgiven_and_who_is_absent_is_not_missed() -> None:
    world = World(directory="there", metrics="silent", cache="absent")

    async def story() -> None:
        await world.looks(MISSES - 1)
        world.answers["metrics"] = "there"
        await world.looks(1)
        world.answers["metrics"] = "silent"
        assert await world.looks(MISSES - 1) == []

    run(story())


def test_when_nobody_answers_nobody_is_ended() -> None:
    world = World(directory="silent", metrics="silent", cache="absent")

    async def story() -> None:
        assert await world.looks(10) == []
        world.answers["directory"] = "there"
        assert await world.looks(MISSES) == ["metrics"]

    run(story())


def test_a_question_that_fails_is_not_the_last_one() -> None:
    """Ray raises what it likes, and nobody would watch the watch."""
    asked: list[str] = []

    async def ask(name: str) -> Answer:
        asked.append(name)
        if len(asked) == 1:
            raise RuntimeError("of another version of Ray")
        return "silent" if name == "metrics" else "there"

    async def restart(_name: str) -> None:
        """It is not there again before long."""

    async def story() -> None:
        watch = SharedWatch(("directory", "metrics"), ask, restart)
        work = asyncio.create_task(watch.run())
        await asyncio.sleep((MISSES + 2) * ASK_EVERY_S)
        assert watch.restarted == ["metrics"]
        work.cancel()

    run(story())
