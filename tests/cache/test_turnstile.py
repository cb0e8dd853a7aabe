from __future__ import annotations

import asyncio

import pytest

from cache.turnstile import Turnstile
from tests.support.virtual_time import run


def test_who_comes_alone_passes_at_once() -> None:
    async def story() -> None:
        turnstile = Turnstile(1)
        for _ in range(3):
            passing = turnstile.passed()
            with pytest.raises(StopIteration):
                passing.send(None)  # it never gave up the loop
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    run(story())


@pytest.mark.parametrize(("each_step", "steps"), [(1, 10), (3, 4), (10, 1), (11, 1)])
def test_a_crowd_passes_in_several_steps_and_in_order(each_step: int, steps: int) -> None:
    async def story() -> None:
        turnstile = Turnstile(each_step)
        passed: list[tuple[int, int]] = []
        step = 0

        def count() -> None:
            nonlocal step
            step += 1
            if len(passed) < 10:
                asyncio.get_running_loop().call_soon(count)

        async def one(number: int) -> None:
            await turnstile.passed()
            passed.append((number, step))

        crowd = [asyncio.create_task(one(number)) for number in range(10)]
        asyncio.get_running_loop().call_soon(count)
        await asyncio.gather(*crowd)
        assert [number for number, _ in passed] == list(range(10))
        in_each = [
            [at for _, at in passed].count(one) for one in dict.fromkeys(s for _, s in passed)
        ]
        assert max(in_each) <= each_step
        assert len(in_each) == steps

    run(story())


def test_who_is_cancelled_holds_up_nobody() -> None:
    async def story() -> None:
        turnstile = Turnstile(1)
        crowd = [asyncio.create_task(turnstile.passed()) for _ in range(5)]
        await asyncio.sleep(0)
        for task in crowd[1:4]:
            task.cancel()
        await crowd[4]
        assert [task.cancelled() for task in crowd] == [False, True, True, True, False]
        await turnstile.passed()

    run(story())
