"""A tenant's limit holds for all ingress replicas together, to the call.

Each replica is asked past HAProxy, so that the test knows who has answered. The callers are hands:
a webhook, and a stream that says nothing.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import pytest

from cluster.voice_routes import BUSY
from tests.ray.test_metrics_actor import replica_ports
from tests.support.ray_phone import note
from tests.support.ray_stage import LIMITED, LIMITED_CALLS, LIMITED_NUMBER, Stage, get_json
from tests.support.ray_wire import HandStream, Line, action_of, token_of

pytestmark = pytest.mark.ray

BACK_WITHIN_S = 20.0
ASK_EVERY_S = 0.25
EACH = 3  # callers at once at each replica; more than the tenant may have


@dataclass
class Caller:
    """Somebody who was let in.

    Attributes:
        stream: What is up, until ``line`` is closed.
    """

    call_sid: str
    twiml: str
    stream: HandStream | None = None
    line: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def speak(self, door: Line) -> None:
        """Open the stream at this replica, and wait until the agent is audible."""
        stream = door.stream(self.call_sid, token_of(self.twiml))
        self.stream = await self.line.enter_async_context(stream)
        while not self.stream.audible:
            assert await self.stream.message() is not None

    async def hang_up(self) -> None:
        assert self.stream is not None
        await self.stream.stop()
        await self.line.aclose()


@asynccontextmanager
async def doors(stage: Stage) -> AsyncIterator[dict[int, Line]]:
    """A line to the limited tenant's number at every ingress replica, by process id."""
    async with AsyncExitStack() as stack:
        found = {}
        for port in await asyncio.to_thread(replica_ports):
            pid = get_json(f"http://127.0.0.1:{port}/readyz")[1]["pid"]
            found[pid] = await stack.enter_async_context(Line(stage, port, LIMITED_NUMBER))
        yield found


async def ring(lines: Iterable[Line]) -> list[Caller]:
    """One caller on each of these, all at the same moment: who is let in; the others are told."""
    let_in = []
    for call_sid, twiml in await asyncio.gather(*(line.ring() for line in lines)):
        if "<Stream" in twiml:
            let_in.append(Caller(call_sid, twiml))
        else:
            assert BUSY in twiml
    return let_in


async def until_let_in(lines: Iterable[Line]) -> Caller:
    """Ring at all of these at once, until one caller is let in; and no second one."""
    lines, began = list(lines), asyncio.get_running_loop().time()
    async with asyncio.timeout(BACK_WITHIN_S):
        while not (found := await ring(lines)):
            await asyncio.sleep(ASK_EVERY_S)
    note("let in after", asyncio.get_running_loop().time() - began)
    (caller,) = found
    return caller


def test_the_last_place_goes_to_one_caller_whichever_replica_is_asked(stage: Stage) -> None:
    async def run() -> None:
        await stage.whole_again()
        async with asyncio.timeout(BACK_WITHIN_S):
            while (await stage.directory().status.remote())["calls_by_tenant"].get(LIMITED):
                await asyncio.sleep(ASK_EVERY_S)
        before = sum(each["calls_refused_tenant_full"] for each in stage.counters().values())
        async with doors(stage) as at, Line(stage) as other_tenant:
            first, second, third = at.values()
            callers = await ring([*at.values()] * EACH)
            assert len(callers) == LIMITED_CALLS
            after = sum(each["calls_refused_tenant_full"] for each in stage.counters().values())
            assert after - before == len(at) * EACH - LIMITED_CALLS
            await other_tenant.admitted()
            # Webhook and stream come to whomever they come.
            for caller, door in zip(callers, (second, third), strict=True):
                await caller.speak(door)
            assert await ring(at.values()) == []

            gone, stays = callers
            await gone.hang_up()
            caller = await until_let_in(at.values())
            await caller.speak(first)
            assert await ring([*at.values()] * EACH) == []
            status = await stage.directory().status.remote()
            assert status["calls_by_tenant"][LIMITED] == LIMITED_CALLS
            await caller.hang_up()
            await stays.hang_up()

    asyncio.run(run())


def test_a_place_comes_back_when_the_replica_of_its_call_dies(stage: Stage) -> None:
    async def run() -> None:
        await stage.whole_again()
        async with doors(stage) as at:
            (pid, dies), *living = at.items()
            here, there = (line for _, line in living)
            stays = await until_let_in([here])
            await stays.speak(here)
            # One whose stream is up, and whose caller hangs up as the replica dies.
            talks = await until_let_in([there])
            await talks.speak(dies)
            assert await ring([here, there]) == []
            os.kill(pid, signal.SIGKILL)
            assert await ring([here, there] * EACH) == []  # the carrier may bring it back
            await there.post(action_of(talks.twiml), talks.call_sid, "completed")
            caller = await until_let_in([here, there])
            await caller.speak(there)
            assert await ring([here, there] * EACH) == []
            await caller.hang_up()
            await stays.hang_up()
        await asyncio.to_thread(stage.counters)  # every replica is there again

    asyncio.run(run())


def test_a_place_comes_back_that_a_dead_replica_has_given_to_nobody_who_came(stage: Stage) -> None:
    async def run() -> None:
        await stage.whole_again()
        async with doors(stage) as at:
            (pid, dies), *living = at.items()
            here, there = (line for _, line in living)
            stays = await until_let_in([here])
            await stays.speak(there)
            await until_let_in([dies])
            os.kill(pid, signal.SIGKILL)  # before its next report; its caller has hung up
            assert await ring([here, there]) == []
            caller = await until_let_in([here, there])
            await caller.speak(here)
            assert await ring([here, there] * EACH) == []
            await caller.hang_up()
            await stays.hang_up()
        await asyncio.to_thread(stage.counters)  # every replica is there again

    asyncio.run(run())
