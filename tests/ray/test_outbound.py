"""Calls that the product places, as deployed: with a key, to a phone, over a killed back office."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from actors.placement import BACK_OFFICE_NAME, NAMESPACE
from records.database import Database
from records.key_store import KeyStore
from tests.support.ray_stage import GREETING, Stage
from voice.words import normalise

pytestmark = pytest.mark.cluster

SAID = {"card001": "Ten of clubs."}
ANSWER = "That is a very fine card, and I have noted it."


class Switchboard:
    """The API with a key, and the phones of the world outside.

    Attributes:
        api: Behind HAProxy.
    """

    def __init__(self, stage: Stage, key: str) -> None:
        self._phones = httpx.AsyncClient(base_url=stage.providers.twilio_api_base_url)
        self.api = httpx.AsyncClient(
            base_url=stage.premises.url, headers={"Authorization": f"Bearer {key}"}, timeout=10
        )

    async def aclose(self) -> None:
        await self.api.aclose()
        await self._phones.delete("/_control/callees")
        await self._phones.delete("/_control/faults")
        await self._phones.aclose()

    async def answers(self, number: str, **callee: Any) -> None:
        """Who has this number does so."""
        told = await self._phones.post("/_control/callees", json={"number": number, **callee})
        assert told.status_code == 200, told.text

    async def is_slow(self, seconds: float) -> None:
        """The carrier takes so long before it looks at a request."""
        faults = {"service": "twilio", "handshake_delay_s": seconds}
        assert (await self._phones.post("/_control/faults", json=faults)).status_code == 200

    async def rung(self) -> Counter[str]:
        """How often each number was called."""
        calls = (await self._phones.get("/_control/calls")).json()["calls"]
        return Counter(call["to"] for call in calls if call["direction"] == "outbound-api")

    async def leg(self, number: str) -> dict[str, Any]:
        """What the carrier has of the one call to this number."""
        calls = (await self._phones.get("/_control/calls")).json()["calls"]
        (found,) = [call for call in calls if call["to"] == number]
        return dict(found)

    async def place(self, number: str) -> str:
        answer = await self.api.post("/v1/calls", json={"to": number})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["call_id"])

    async def until(self, call_id: str, *states: str, within_s: float = 20.0) -> dict[str, Any]:
        """The call, as soon as it is in one of the states."""
        async with asyncio.timeout(within_s):
            while True:
                with contextlib.suppress(httpx.TransportError):
                    call = dict((await self.api.get(f"/v1/calls/{call_id}")).json())
                    if call["state"] in states:
                        return call
                await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def switchboard(stage: Stage) -> AsyncIterator[Switchboard]:
    database = Database(f"sqlite:///{stage.premises.store}")
    key = await KeyStore(database).create("default", "tests", at_us=1)
    await database.aclose()
    board = Switchboard(stage, key)
    try:
        yield board
    finally:
        await board.aclose()


def play(stage: Stage, scene: Callable[[Switchboard], Awaitable[None]]) -> None:
    async def run() -> None:
        async with switchboard(stage) as board:
            await scene(board)

    asyncio.run(run())


async def office_pid() -> int:
    """The process of the back office; waits until there is one."""
    import ray  # reads its environment when it is imported: not before the stage has set it

    async with asyncio.timeout(30):
        while True:
            try:
                office: Any = await asyncio.to_thread(
                    ray.get_actor, BACK_OFFICE_NAME, namespace=NAMESPACE
                )
                return int((await office.status.remote())["pid"])
            except (ValueError, ray.exceptions.RayError):
                await asyncio.sleep(0.1)


def is_written(call: dict[str, Any]) -> bool:
    """Whether all that happened in the one turn of this call is in the records."""
    statuses = {event["data"].get("status") for event in call["events"]}
    is_told = statuses >= {"initiated", "ringing", "in-progress", "completed"}
    return is_told and call["ended_at"] is not None and len(call["turns"]) >= 2


def test_a_phone_rings_and_hears_the_agent(stage: Stage) -> None:
    async def scene(board: Switchboard) -> None:
        number = "+14155550201"
        await board.answers(number, after_s=0.2, says=["card001"], talk_s=6.0)
        call_id = await board.place(number)
        call = await board.until(call_id, "completed")
        leg = await board.leg(number)
        assert (leg["status"], leg["streams"], leg["violations"]) == ("completed", 1, {})
        assert leg["sid"] == call["call_sid"]
        assert (call["direction"], call["attempts"], call["error"]) == ("outbound", 1, None)
        async with asyncio.timeout(10):  # the records are written behind the call's back
            while not is_written(call):
                await asyncio.sleep(0.05)
                call = (await board.api.get(f"/v1/calls/{call_id}")).json()
        greeting, turn = call["turns"][:2]
        assert greeting["heard_text"] == GREETING
        assert normalise(turn["caller_text"]) == normalise(SAID["card001"])
        assert turn["agent_text"] == ANSWER

    play(stage, scene)


def test_a_wrong_key_places_no_call(stage: Stage) -> None:
    async def scene(board: Switchboard) -> None:
        headers = {"Authorization": "Bearer cck_00_wrong"}
        body = {"to": "+14155550202"}
        answer = await board.api.post("/v1/calls", json=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
        assert (await board.rung())["+14155550202"] == 0

    play(stage, scene)


def test_a_killed_back_office_comes_back_and_rings_nobody_twice(stage: Stage) -> None:
    async def scene(board: Switchboard) -> None:
        talking, caught, waiting = (f"+141555503{n:02}" for n in range(3))
        await board.answers("*", after_s=0.1, talk_s=0.5)
        await board.answers(talking, after_s=0.1, talk_s=8.0)
        first = await board.place(talking)
        await board.until(first, "answered")
        killed = await office_pid()
        await board.is_slow(3.0)
        second, third = await board.place(caught), await board.place(waiting)
        await board.until(second, "dialing")
        os.kill(killed, signal.SIGKILL)
        await board.is_slow(0.0)
        await board.until(third, "completed")
        assert await office_pid() != killed
        call = await board.until(first, "completed")
        assert (await board.leg(talking))["streams"] == 1
        assert call["attempts"] == 1
        # Nobody knows whether this phone rang: it is left alone.
        assert (await board.until(second, "dialing"))["attempts"] == 1
        rung = await board.rung()
        assert (rung[talking], rung[waiting]) == (1, 1)
        assert rung[caught] <= 1

    play(stage, scene)
