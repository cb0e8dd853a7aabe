"""The shell of the back office, without Ray: when its work begins, and when it begins again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import pytest

from actors.back_office import NUDGE_EVERY_S, BackOffice, RayBackOffice
from tests.support import virtual_time

BUILD = f"{__name__}:build"


class Parts:
    """Parts that count.

    Attributes:
        built: Every one that was built in this test.
        failures: Of the next builds.
    """

    built: ClassVar[list[Parts]] = []
    failures: ClassVar[list[Exception]] = []

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.nudges = 0
        self.is_working = False
        self.is_closed = False

    async def run(self) -> None:
        self.is_working = True
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.is_working = False

    def nudge(self) -> None:
        self.nudges += 1

    @property
    def status(self) -> dict[str, Any]:
        return {"waiting": 3}

    async def aclose(self) -> None:
        self.is_closed = True


async def build(settings: dict[str, Any], _room: Callable[[], Awaitable[Any]]) -> Parts:
    await asyncio.sleep(0.5)
    if Parts.failures:
        raise Parts.failures.pop(0)
    Parts.built.append(Parts(settings))
    return Parts.built[-1]


@pytest.fixture(autouse=True)
def _nothing_built() -> None:
    Parts.built.clear()
    Parts.failures.clear()


def test_the_first_nudge_begins_the_work_once() -> None:
    async def scene() -> None:
        office = BackOffice(BUILD, {"name": "of the deployment"})
        await asyncio.gather(*(office.nudge() for _ in range(5)))
        (parts,) = Parts.built
        await asyncio.sleep(0)
        assert (parts.nudges, parts.is_working) == (5, True)
        assert parts.settings == {"name": "of the deployment"}
        assert await office.status() == {"pid": os.getpid(), "waiting": 3}

    virtual_time.run(scene())


def test_a_start_that_failed_is_tried_again() -> None:
    async def scene() -> None:
        Parts.failures.append(RuntimeError("the database is away"))
        office = BackOffice(BUILD, {})
        both = await asyncio.gather(office.nudge(), office.nudge(), return_exceptions=True)
        assert [type(error) for error in both] == [RuntimeError, RuntimeError]
        await office.nudge()
        assert len(Parts.built) == 1

    virtual_time.run(scene())


class Directory:
    """Says what it is told to say."""

    def __init__(self, **status: Any) -> None:
        self.status = self
        self._status = status

    def remote(self) -> asyncio.Future[dict[str, Any]]:
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        answer.set_result(self._status)
        return answer


@pytest.mark.parametrize(
    ("status", "free"),
    [
        ({"unused": 10, "is_settled": True}, 10),
        ({"unused": 10}, 10),  # of an older version
        ({"unused": 10, "is_settled": False}, None),  # it has not heard every replica yet
        ({}, None),
    ],
)
def test_who_counts_only_half_of_the_calls_gives_no_room(
    status: dict[str, Any], free: int | None
) -> None:
    async def scene() -> None:
        office = BackOffice(BUILD, {})
        office._directory = Directory(**status)
        room = await office._room()
        assert (None if room is None else room.free) == free

    virtual_time.run(scene())


def test_whoever_gives_up_waiting_does_not_stop_the_start() -> None:
    async def scene() -> None:
        office = BackOffice(BUILD, {})
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(office.nudge(), 0.1)
        await asyncio.sleep(1)
        await office.nudge()
        assert len(Parts.built) == 1

    virtual_time.run(scene())


def test_a_planned_end_stops_the_work_before_connections_are_closed() -> None:
    async def scene() -> None:
        office = BackOffice(BUILD, {})
        await office.nudge()
        await asyncio.sleep(0)
        await office.aclose()
        await asyncio.sleep(0)
        (parts,) = Parts.built
        assert (parts.is_working, parts.is_closed) == (False, True)
        await BackOffice(BUILD, {}).aclose()  # one that never began

    virtual_time.run(scene())


def test_no_mistake_is_the_last_nudge_of_a_replica() -> None:
    """The nudges start the back office again: without it nobody dials, tidies up or watches."""
    nudged: list[float] = []

    class Handle:
        """Of an actor of another version, and then of ours."""

        @property
        def nudge(self) -> Any:
            nudged.append(asyncio.get_running_loop().time())
            if len(nudged) == 1:
                raise AttributeError("no such method")
            return self

        def remote(self) -> Awaitable[None]:
            return asyncio.sleep(0.0)

    async def scene() -> None:
        office = RayBackOffice(BUILD, {})
        office._handle = Handle()
        office.start()
        await asyncio.sleep(2.5 * NUDGE_EVERY_S)
        assert len(nudged) == 3
        await office.aclose()

    virtual_time.run(scene())
