"""The way to a CallActor where it has no link, and where the link is lost."""

from __future__ import annotations

import asyncio
import gc
import math
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from actors.errors import LinkLostError, MindLostError
from actors.mind_way import MindWay, linked
from actors.wire import TakeTurn, TurnItem
from tests.support.virtual_time import run as run_virtual

QUESTION = TakeTurn("default", "call-1", (0, 1), 3, 1, "caller", "Ten of clubs.")


class Method:
    """One method of a Ray handle: ``handle.method.remote(argument)``."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[Any] = []

    def options(self, **_: Any) -> Method:
        return self

    def remote(self, *arguments: Any) -> Any:
        self.asked += arguments
        return self.answer(*arguments)


class OldHandle:
    """An actor of a release that knows no link; its streams give references, as Ray's do."""

    def __init__(self, *items: TurnItem) -> None:
        self._items = items
        self.settle = Method(self._settled)
        self.take_turn = Method(self._stream)
        self.abandon = Method(lambda _plain: None)

    async def _settled(self, plain: Any) -> Any:
        return {"settled": plain}

    async def _stream(self, _plain: Any) -> AsyncIterator[Awaitable[Any]]:
        for item in self._items:
            reference: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            reference.set_result(item.to_plain())
            yield reference


class Handle(OldHandle):
    """An actor that says where its link is: at a port where nobody listens."""

    def __init__(self, where: dict[str, Any]) -> None:
        super().__init__()
        self._where = where
        self.link = Method(self._link)

    async def _link(self) -> dict[str, Any]:
        return self._where


def reply() -> tuple[TurnItem, TurnItem]:
    return TurnItem("accepted", 3, 1), TurnItem("finished", 3, 1)


def test_an_actor_that_knows_no_link_is_asked_through_ray() -> None:
    async def scene() -> None:
        handle = OldHandle(*reply())
        assert await linked("old", handle) is None
        way = MindWay("old", handle, None)
        assert not way.is_linked
        assert not way.is_lost
        assert way.heard_at == -math.inf, "who is asked through Ray is never only late"
        assert await way.ask("settle", {"v": 1}) == {"settled": {"v": 1}}
        items = [item.type async for item in way.take_turn(QUESTION, 1.0)]
        assert items == ["accepted", "finished"]
        assert handle.abandon.asked == []

    asyncio.run(scene())


def test_a_reply_that_is_closed_early_is_abandoned_through_ray() -> None:
    async def scene() -> None:
        handle = OldHandle(*reply())
        items = MindWay("old", handle, None).take_turn(QUESTION, 1.0)
        assert (await anext(items)).type == "accepted"
        await items.aclose()
        (told,) = handle.abandon.asked
        assert (told["call_id"], told["turn_id"], told["guess"]) == ("call-1", 3, 1)

    asyncio.run(scene())


@pytest.mark.parametrize(
    "where", [{}, {"host": "127.0.0.1", "port": 1, "token": "nobody listens there"}]
)
def test_an_actor_whose_link_cannot_be_had_is_asked_through_ray(where: dict[str, Any]) -> None:
    assert asyncio.run(linked("behind a wall", Handle(where))) is None


def test_a_lost_link_is_a_lost_mind() -> None:
    class LostLink:
        is_lost = True

        async def ask(self, method: str, _argument: Any) -> Any:
            raise LinkLostError(f"{method}: the link is lost")

    async def scene() -> None:
        way = MindWay("gone", OldHandle(), LostLink())  # type: ignore[arg-type]
        assert way.is_lost
        with pytest.raises(MindLostError, match="gone: settle: the link is lost"):
            await way.ask("settle", {})

    asyncio.run(scene())


def test_a_turn_that_is_cancelled_as_its_link_is_lost_leaves_no_error_behind() -> None:
    """What nobody asks a task for is logged with a trace once it is collected."""
    said: list[str] = []

    class DyingLink:
        is_lost = False
        heard_at = -1e9

        def __init__(self) -> None:
            self.dies = asyncio.Event()

        async def stream(self, _method: str, _argument: Any) -> AsyncIterator[Any]:
            await self.dies.wait()
            raise LinkLostError("take_turn: the link is lost")
            yield

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: said.append(context["message"]))
        link = DyingLink()
        way = MindWay("gone", OldHandle(), link)  # type: ignore[arg-type]

        async def take() -> None:
            async for _ in way.take_turn(QUESTION, 60.0):
                pass

        turn = loop.create_task(take())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        link.dies.set()
        await asyncio.sleep(0)
        turn.cancel()  # in the step in which it would have heard of the link
        await asyncio.gather(turn, return_exceptions=True)
        del turn
        gc.collect()
        await asyncio.sleep(0)

    asyncio.run(scene())
    gc.collect()
    assert said == []


class QuietLink:
    """A link over which a reply is accepted and then nothing comes; questions may be answered."""

    is_lost = False

    def __init__(self, *, answers_for_s: float) -> None:
        self._until = asyncio.get_running_loop().time() + answers_for_s
        self.heard_at = -1e9
        self.asked: list[str] = []

    async def ask(self, method: str, _argument: Any) -> Any:
        self.asked.append(method)
        if asyncio.get_running_loop().time() >= self._until:
            await asyncio.Event().wait()
        self.heard_at = asyncio.get_running_loop().time()
        return {}

    async def stream(self, _method: str, _argument: Any) -> AsyncIterator[Any]:
        self.heard_at = asyncio.get_running_loop().time()
        yield TurnItem("accepted", 3, 1).to_plain()
        await asyncio.Event().wait()


@pytest.mark.parametrize("answers_for_s", [0.0, 10.0])
def test_a_model_may_think_for_long_but_its_actor_answers_within_the_time(
    answers_for_s: float,
) -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        link = QuietLink(answers_for_s=answers_for_s)
        items = MindWay("ann", OldHandle(), link).take_turn(QUESTION, 1.0)  # type: ignore[arg-type]
        assert (await anext(items)).type == "accepted"
        began = loop.time()
        with pytest.raises(MindLostError, match="silent in the middle of a reply"):
            await anext(items)
        took_s = loop.time() - began
        assert answers_for_s + 0.7 < took_s <= answers_for_s + 1.01  # not half as long again
        assert set(link.asked) == {"call_state"}
        assert len(link.asked) <= 1 + 4 * answers_for_s

    run_virtual(scene())
