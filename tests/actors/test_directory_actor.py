"""When the shell of the directory takes a CallActor for lost; on virtual time, without Ray."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from actors.directory_actor import MISSED_BEFORE_LOST, CallDirectoryActor
from tests.support import virtual_time


class Silent:
    """The handle of an actor that answers nothing."""

    class status:  # noqa: N801 - as Ray's handles name their methods
        @staticmethod
        def remote() -> Awaitable[Any]:
            return asyncio.get_running_loop().create_future()


def test_many_who_ask_at_once_are_one_question() -> None:
    async def scene() -> list[bool]:
        directory = CallDirectoryActor({}, None, ())
        found = []
        for _ in range(MISSED_BEFORE_LOST):
            asked = (directory._ask("ann", Silent()) for _ in range(50))
            found.append(all(await asyncio.gather(*asked)))
        return found

    assert virtual_time.run(scene()) == [True] * (MISSED_BEFORE_LOST - 1) + [False]


def test_a_question_that_overlaps_with_one_that_was_given_up_does_not_count() -> None:
    async def scene() -> bool:
        directory = CallDirectoryActor({}, None, ())

        async def ask(after_s: float) -> bool:
            await asyncio.sleep(after_s)
            return await directory._ask("ann", Silent())

        return all(await asyncio.gather(*(ask(0.1 * n) for n in range(18))))

    assert virtual_time.run(scene()), "1.7 s of questions hold two that follow one another"
