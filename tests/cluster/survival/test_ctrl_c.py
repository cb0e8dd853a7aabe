"""Ctrl-C on a running product: who is on the phone goes on, nobody else comes in."""

from __future__ import annotations

import asyncio
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

DRAINING_WITHIN_S = 2.0
ENDED_WITHIN_S = 30.0


def test_the_first_ctrl_c_waits_for_calls_in_progress(tmp_path: Path) -> None:
    async def story() -> None:
        plan = SurvivalPlan(calls=1)
        stage_context = running_stage(plan, tmp_path, Quiet(), cache=False, postgres=False)
        async with stage_context as stage, stage.exchange as exchange:
            guarded = psutil.Process(stage.processes.root).children()
            # Orphans of what it starts come to the guard as well.
            (command,) = (each for each in guarded if "serve" in each.cmdline())
            live = LiveCall()
            order = CallOrder(conversation("card001", "goforward", pause_s=2.0))
            call = asyncio.create_task(place_call(exchange, order, live.note))
            await live.agent_heard()
            os.kill(command.pid, signal.SIGINT)
            await asyncio.sleep(DRAINING_WITHIN_S)
            late = await place_call(exchange, CallOrder(conversation("card001")))
            assert late.leg.refusal == "say_hangup"
            result = await call
            assert (result.leg.ended_by, result.leg.streams) == ("caller", 1)
            assert [turn.outcome for turn in result.turns] == ["answered", "answered"]
            async with asyncio.timeout(ENDED_WITHIN_S):
                while command.is_running() and command.status() != psutil.STATUS_ZOMBIE:
                    await asyncio.sleep(0.1)

    asyncio.run(story())
    said = (tmp_path / "serve.log").read_text("utf-8")
    assert "no new calls; waiting for 1 call to end" in said
    assert "the last call is over" in said
