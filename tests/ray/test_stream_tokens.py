"""The one-time token of a stream, against real replicas and CallActors."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.ray_stage import Stage
from tests.support.ray_wire import Line

pytestmark = pytest.mark.ray

NORMAL = 1000
POLICY = 1008


def test_a_token_opens_one_stream_only(stage: Stage) -> None:
    async def run() -> None:
        async with Line(stage) as line:
            sid, token = await line.admitted()
            async with line.stream(sid, token) as first:
                assert await first.message() is not None  # the greeting
                for _ in range(4):  # at either replica
                    async with line.stream(sid, token) as second:
                        assert await second.close_code() in {NORMAL, POLICY}
                        assert not second.audible
                assert await first.message() is not None
                await first.stop()
                await first.close_code()
            async with line.stream(sid, token) as late:
                assert await late.close_code() in {NORMAL, POLICY}
                assert not late.audible

    asyncio.run(run())


def test_an_expired_token_is_refused(stage: Stage) -> None:
    async def run() -> None:
        async with Line(stage) as line:
            sid = "CA" + "e" * 32
            token = line.mint("stream", sid, actor=stage.actor_names()[0], life_us=-1)
            async with line.stream(sid, token) as stream:
                assert await stream.close_code() == POLICY
                assert not stream.audible

    asyncio.run(run())


def test_a_token_of_another_call_is_refused(stage: Stage) -> None:
    async def run() -> None:
        async with Line(stage) as line:
            _, token = await line.admitted()
            async with line.stream("CA" + "f" * 32, token) as stream:
                assert await stream.close_code() == POLICY

    asyncio.run(run())
