"""Ctrl-C on a running product: who is on the phone goes on, nobody else comes in."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import psutil
import pytest

from cluster.survival.plan import SurvivalPlan
from cluster.survival.stage import running_stage
from simulation.caller_call import CallOrder, place_call
from tests.cluster.survival.test_on_ray import Quiet
from tests.support.ray_phone import LiveCall, conversation

pytestmark = pytest.mark.cluster

WAITS = "no new calls; waiting for 1 call to end"
WAITS_WITHIN_S = 30.0
ENDED_WITHIN_S = 60.0


def command_of(guard: psutil.Process) -> psutil.Process:
    """``callcluster serve``; orphans of what it starts come to the guard as well, and end there."""
    found = []
    for child in guard.children():
        with contextlib.suppress(psutil.Error):
            if "serve" in child.cmdline():
                found.append(child)
    (command,) = found
    return command


async def until_said(log: Path, text: str) -> None:
    async with asyncio.timeout(WAITS_WITHIN_S):
        while text not in await asyncio.to_thread(log.read_text, "utf-8"):
            await asyncio.sleep(0.05)


async def until_ended(process: psutil.Process) -> None:
    async with asyncio.timeout(ENDED_WITHIN_S):
        with contextlib.suppress(psutil.NoSuchProcess):
            while process.status() != psutil.STATUS_ZOMBIE:
                await asyncio.sleep(0.1)


def test_the_first_ctrl_c_waits_for_calls_in_progress(tmp_path: Path) -> None:
    async def story() -> None:
        plan = SurvivalPlan(calls=1)
        stage_context = running_stage(plan, tmp_path, Quiet(), cache=False, postgres=False)
        async with stage_context as stage, stage.exchange as exchange:
            command = command_of(psutil.Process(stage.processes.root))
            live, refused = LiveCall(), asyncio.Event()
            script = conversation(
                "card001", "goforward", pause_s=2.0, may_go_on=lambda _turn: refused.is_set()
            )
            order = CallOrder(script)
            call = asyncio.create_task(place_call(exchange, order, live.note))
            await live.agent_heard()
            os.kill(command.pid, signal.SIGINT)
            await until_said(tmp_path / "serve.log", WAITS)
            late = await place_call(exchange, CallOrder(conversation("card001")))
            assert late.leg.refusal == "say_hangup"
            refused.set()
            result = await call
            assert (result.leg.ended_by, result.leg.streams) == ("caller", 1)
            assert [turn.outcome for turn in result.turns] == ["answered", "answered"]
            await until_ended(command)

    asyncio.run(story())
    said = (tmp_path / "serve.log").read_text("utf-8")
    assert "the last call is over" in said
