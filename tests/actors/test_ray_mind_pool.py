"""The shell of the leases, without Ray."""

from __future__ import annotations

import asyncio
from typing import Any

from actors.ray_mind_pool import RayMindPool
from actors.wire import Grants
from tests.support.virtual_time import run


class Pool(RayMindPool):
    """Falls over as it finds a way to the CallActors."""

    met = 0

    async def meet(self, alive: tuple[str, ...]) -> None:
        self.met += 1
        if self.met == 2:
            raise KeyError("nobody thought of it")


class Directory:
    """Answers every sync; stands for an actor handle and for its method."""

    def __init__(self) -> None:
        self.sync = self

    def remote(self, _report: dict[str, Any]) -> Any:
        async def answer() -> dict[str, Any]:
            return Grants().to_plain()

        return answer()


def test_a_mistake_is_not_the_end_of_the_leases() -> None:
    async def scene() -> None:
        pool = Pool("r", 1, lambda: 0)
        await pool.start(Directory())
        await asyncio.sleep(20.0)
        assert pool.met > 3
        await pool.aclose()

    run(scene())
