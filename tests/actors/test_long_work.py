"""Long work leaves the loop alone, and the collector as it was."""

from __future__ import annotations

import asyncio
import gc

import pytest

from actors.long_work import gathered, uncollected, used_up
from tests.support.virtual_time import run


def test_the_loop_goes_on_between_two_slices() -> None:
    async def story() -> None:
        steps = 0

        async def tick() -> None:
            nonlocal steps
            while True:
                steps += 1
                await asyncio.sleep(0)

        ticking = asyncio.create_task(tick())
        assert await gathered([number] for number in range(50)) == list(range(50))
        assert steps >= 49
        ticking.cancel()

    run(story())


def test_the_collector_rests_meanwhile_and_not_longer() -> None:
    assert gc.isenabled()
    assert uncollected(gc.isenabled) is False
    with pytest.raises(ValueError, match="x"):
        uncollected(_raises)
    assert gc.isenabled()
    gc.disable()
    try:
        uncollected(list)
        assert not gc.isenabled(), "who had it off has it off"
    finally:
        gc.enable()


def test_what_was_used_up_is_gone_also_after_an_error() -> None:
    things = [1, 2]
    assert used_up(things, sum) == 3
    assert things == []
    things = [1]
    with pytest.raises(ValueError, match="x"):
        used_up(things, lambda _things: _raises())
    assert things == []


def _raises() -> None:
    raise ValueError("x")
