"""A replica whose descriptors run out while it carries a call: that one goes on, a new one is told.

Over loopback sockets, with the real limit of the operating system, for this process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
from collections.abc import Iterator

import httpx
import pytest
from twilio.request_validator import RequestValidator

from cluster.descriptors import RESERVED
from cluster.voice_routes import BUSY
from cluster.webhooks import readiness
from simulation.caller_call import CallOrder, place_call
from simulation.caller_script import Leave, Listen, Speak, Step
from tests.support.edge_stage import TOKEN, Cast, Door, EdgeStage, answered

pytestmark = pytest.mark.e2e
LEFT = RESERVED - 12  # what closes meanwhile does not make it enough


@contextlib.contextmanager
def as_before() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def leave(descriptors: int) -> None:
    """Let this process open so many more."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_now = len(os.listdir("/proc/self/fd")) - 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_now + descriptors, hard))


async def asks_to_come_in(door: Door, digit: str) -> str:
    """What the voice webhook says to a new call, over a connection of its own."""
    url, form = f"{door.url}/twilio/voice", {"CallSid": "CA" + digit * 32}
    signature = RequestValidator(TOKEN).compute_signature(url, form)
    async with httpx.AsyncClient() as client:
        answer = await client.post(url, data=form, headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 200
    return answer.text


def test_the_call_that_is_there_goes_on_and_a_new_one_is_refused_politely() -> None:
    async def scene(stage: EdgeStage) -> None:
        door = stage.doors["good"]
        are_short = asyncio.Event()

        def talk() -> Iterator[Step]:
            yield Listen(until_silence_s=0.2)
            leave(LEFT)
            are_short.set()
            yield Speak(stage.clip)
            yield Listen(until_silence_s=0.4)
            yield Leave()

        async with door.carrier() as line:
            talking = asyncio.create_task(place_call(line, CallOrder(talk(), max_duration_s=25.0)))
            await are_short.wait()
            said = await asks_to_come_in(door, "7")
            told = readiness(door.edge)["warnings"]
            call = await talking
        assert BUSY in said
        assert door.counters["calls_refused_descriptors_short"] == 1
        assert any("descriptors are nearly all open" in line for line in told)
        assert answered(call) == ["answered"]
        assert call.leg.violations.counts == {}

    async def after(stage: EdgeStage) -> None:
        assert "<Stream" in await asks_to_come_in(stage.doors["good"], "8")

    with EdgeStage((Cast("good"),)).running() as stage:
        with as_before():
            stage.play(scene(stage))
        stage.play(after(stage))
