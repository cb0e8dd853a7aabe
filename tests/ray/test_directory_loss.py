"""The directory dies: nobody on the line notices, and it finds its CallActors again."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from tests.support.ray_phone import telephones
from tests.support.ray_stage import Stage

pytestmark = pytest.mark.ray


def test_calls_go_on_and_come_in_while_the_directory_is_dead(stage: Stage) -> None:
    async def run() -> None:
        actors = await stage.whole_again()
        pid = (await stage.directory().status.remote())["pid"]
        async with telephones(stage) as phones:
            before = phones.call("card001", "goforward")
            await before.agent_heard()
            os.kill(pid, signal.SIGKILL)
            during = phones.call("card001")
            for result, turns in ((await before.result(), 2), (await during.result(), 1)):
                assert result.leg.streams == 1
                assert [turn.outcome for turn in result.turns] == ["answered"] * turns
        assert sorted(await stage.whole_again()) == sorted(actors)
        assert (await stage.directory().status.remote())["pid"] != pid

    asyncio.run(run())
