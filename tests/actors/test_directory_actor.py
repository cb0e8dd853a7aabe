"""When the shell of the directory takes a CallActor for lost; on virtual time, without Ray."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
import ray

from actors.directory_actor import MISSED_BEFORE_LOST, CallDirectoryActor
from actors.draining_nodes import DrainingNodes
from actors.placement import CALL_ACTOR_PREFIX, NAMESPACE
from actors.ray_mind_pool import SYNC_TIMEOUT_S
from actors.roll_call import HEARD_WITHIN_S
from actors.wire import Grants, ReplicaSync
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


class Answering:
    """The handle of an actor that answers after a while, and what its last answer was."""

    def __init__(self, late_s: float = 0.0, taken: int = 0) -> None:
        async def answer() -> dict[str, Any]:
            await asyncio.sleep(late_s)
            return {"capacity": 4, "active_calls": taken, "free": 4 - taken}

        async def done() -> None:
            return None

        self.status = Remote(answer)
        self.aclose = Remote(done)


class Remote:
    """A method of a handle."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._work = work

    def remote(self) -> Awaitable[Any]:
        return asyncio.get_running_loop().create_task(self._work())


def test_who_was_given_up_does_not_come_back_with_a_late_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its seats would be granted for ever: nobody asks it any more, nobody can lose it again."""
    monkeypatch.setattr(ray, "kill", lambda _handle: None)

    async def scene() -> list[str]:
        directory = CallDirectoryActor({"min_actors": 0}, None, ())
        slow = Answering(late_s=0.5)
        directory._handles["ann"] = slow
        late = asyncio.ensure_future(directory._ask("ann", slow))
        await asyncio.sleep(0.1)
        directory._lose("ann")  # an older question was given up
        await late
        return (await directory.status())["actors"]

    assert virtual_time.run(scene()) == []


def test_the_pool_is_looked_after_whatever_one_round_comes_to(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ray, "kill", lambda _handle: None)

    async def scene() -> int:
        directory = CallDirectoryActor({"min_actors": 0}, None, ())
        rounds = 0

        async def look() -> None:
            nonlocal rounds
            rounds += 1
            raise KeyError("ann")

        monkeypatch.setattr(directory, "_look_after_all", look)
        supervisor = asyncio.ensure_future(directory._supervise())
        await asyncio.sleep(1.0)
        supervisor.cancel()
        return rounds

    assert virtual_time.run(scene()) > 5
    assert len([each for each in caplog.records if "KeyError" in each.getMessage()]) == 1


def test_an_answer_between_two_questions_that_wait_leaves_both_in_order() -> None:
    async def scene() -> tuple[bool, ...]:
        directory = CallDirectoryActor({}, None, ())
        there = Answering(late_s=0.3)
        directory._handles["ann"] = there

        async def ask(after_s: float, handle: Any) -> bool:
            await asyncio.sleep(after_s)
            return await directory._ask("ann", handle)

        return tuple(await asyncio.gather(ask(0.0, Silent()), ask(0.5, Silent()), ask(0.9, there)))

    assert virtual_time.run(scene()) == (True, True, True)


# --- started again --------------------------------------------------------------------------------


def started_again(
    monkeypatch: pytest.MonkeyPatch, **handles: Any
) -> tuple[CallDirectoryActor, dict[str, Any]]:
    """A directory that finds these CallActors, by the names that they go on under."""
    found = {CALL_ACTOR_PREFIX + name: handle for name, handle in handles.items()}
    named = [{"name": name, "namespace": NAMESPACE} for name in found]
    monkeypatch.setattr(ray, "kill", lambda _handle: None)
    monkeypatch.setattr(ray.util, "list_named_actors", lambda all_namespaces: named)
    monkeypatch.setattr(ray, "get_actor", lambda name, namespace: found[name])
    monkeypatch.setattr(DrainingNodes, "ask", NoDrain.ask)
    return CallDirectoryActor({"min_actors": 0}, None, ()), found


class NoDrain:
    async def ask(self) -> dict[str, Any]:
        return {}


def report(name: str, **fields: Any) -> dict[str, Any]:
    return ReplicaSync(name, 0, 100, want=2, **fields).to_plain()


def test_it_answers_when_everybody_has_been_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first answer told replicas that no CallActor was alive: all their leases were void."""

    async def scene() -> None:
        directory, found = started_again(
            monkeypatch, **{f"m{n}": Answering(taken=1) for n in range(9)}
        )
        began = asyncio.get_running_loop().time()
        assert not (await directory.status())["is_settled"]
        grants = Grants.from_plain(await directory.sync(report("r")))
        assert set(grants.alive) == set(found)
        assert asyncio.get_running_loop().time() - began < HEARD_WITHIN_S + 0.2
        assert (await directory.status())["is_settled"]
        await directory.shutdown()

    virtual_time.run(scene())


def test_one_that_hangs_keeps_no_replica_longer_than_it_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scene() -> None:
        directory, found = started_again(monkeypatch, ann=Answering(), bob=Silent())
        began = asyncio.get_running_loop().time()
        grants = Grants.from_plain(await directory.sync(report("r")))
        assert asyncio.get_running_loop().time() - began < SYNC_TIMEOUT_S - 0.5
        assert set(grants.alive) == {name for name in found if name.endswith("ann")}
        await directory.shutdown()

    virtual_time.run(scene())


def test_a_limit_holds_though_the_replica_that_knows_more_is_heard_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other replica has two calls of the tenant on their way, and asks again within 1 s."""

    async def scene() -> None:
        directory, found = started_again(monkeypatch, ann=Answering())
        (name,) = found
        wishes = {"tenant_limits": {"acme": 3}, "tenant_waiting": {"acme": 3}}
        asking = asyncio.ensure_future(directory.sync(report("r1", **wishes)))
        await asyncio.sleep(1.0)
        on_way = {"placed": {"k": name, "l": name}, "tenant_of": {"k": "acme", "l": "acme"}}
        await directory.sync(report("r2", **on_way, tenant_limits={"acme": 3}))
        assert Grants.from_plain(await asking).tenant_granted == {"acme": 1}
        await directory.shutdown()

    virtual_time.run(scene())


def test_the_first_directory_answers_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        directory, _ = started_again(monkeypatch)
        began = asyncio.get_running_loop().time()
        await directory.sync(report("r"))
        assert asyncio.get_running_loop().time() == began
        await directory.shutdown()

    virtual_time.run(scene())
