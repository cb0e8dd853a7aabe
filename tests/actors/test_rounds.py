"""No mistake ends what is done again and again."""

from __future__ import annotations

import asyncio

import pytest

from actors.rounds import for_ever
from tests.support.virtual_time import run


def test_a_mistake_is_said_once_in_a_row_and_is_not_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done: list[float] = []

    async def step() -> None:
        done.append(asyncio.get_running_loop().time())
        if len(done) in (2, 3, 5):
            raise KeyError("of a bug")

    async def story() -> None:
        work = asyncio.create_task(for_ever(step, 2.0, "the watch"))
        await asyncio.sleep(11.0)
        assert not work.done()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        assert work.cancelled()

    run(story())
    assert [at - done[0] for at in done] == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert all("the watch: KeyError" in line for line in said)
