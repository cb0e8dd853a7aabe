"""The CallActor dies, the replica with the socket dies, and the call goes on in its mode.

The pipeline has tests of its own: ``test_actor_loss``, ``test_ingress_loss``.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from cluster.evaluate.mode_stage import MODES, ModeStage, running_stage
from cluster.evaluate.run_modes import converse, uses_of
from dialogue.agent import CallMode
from simulation.mode_script import GREETING, SHORT
from tests.support.stricken_call import (
    CLIPS,
    SAID,
    Quiet,
    Stricken,
    processes,
    record_of,
    replicas,
    until_back,
)
from voice.words import normalise

pytestmark = pytest.mark.cluster
ASKS_A_SERVICE = ("card003", "eot_en_question")
TOOL_TAKES_S = 90.0  # nobody is answered before the last call has asked


async def kill_the_mind(call: Stricken) -> None:
    """The only CallActor, twice: while the caller speaks, and while the agent does."""
    await call.caller_said(1)
    await asyncio.sleep(0.2)
    (actor,) = processes("ray::CallActor")[:1]
    os.kill(actor.pid, signal.SIGKILL)
    await until_back("ray::CallActor", actor.pid)
    await call.agent_heard(3)
    (actor,) = processes("ray::CallActor")[:1]
    os.kill(actor.pid, signal.SIGKILL)


async def kill_the_socket(call: Stricken) -> None:
    """The replica of the call, while the caller hears the second answer."""
    await call.agent_heard(3)
    await asyncio.sleep(0.3)
    (carrying,) = [each for each in await asyncio.to_thread(replicas) if each.active_calls]
    os.kill(carrying.pid, signal.SIGKILL)


@pytest.mark.parametrize("mode", ["relay", "realtime"])
def test_a_mind_that_is_killed_twice_costs_no_turn(mode: CallMode, tmp_path: Path) -> None:
    async def run() -> None:
        async with running_stage(tmp_path, Quiet()) as stage:
            result = await Stricken(stage, mode).play(kill_the_mind)
            found = await record_of(stage, result)
        assert result.outcome == "completed", result.leg
        assert result.leg.streams == 1
        assert [turn.outcome for turn in result.turns] == ["answered"] * len(CLIPS)
        turns = [turn for turn in found.rows if turn.kind == "caller"]
        assert [normalise(turn.caller_text) for turn in turns] == [normalise(s) for s in SAID]
        assert found.row is not None
        assert (found.row.mode, found.row.planned_end) == (mode, True)

    asyncio.run(run())


@pytest.mark.parametrize("mode", ["relay", "realtime"])
def test_a_socket_that_is_lost_with_its_replica_costs_no_thread(
    mode: CallMode, tmp_path: Path
) -> None:
    async def run() -> None:
        async with running_stage(tmp_path, Quiet(), replicas=2) as stage:
            result = await Stricken(stage, mode).play(kill_the_socket)
            found = await record_of(stage, result)
        assert result.outcome in {"completed", "ended_early"}, result.leg
        assert result.leg.streams == 2
        assert result.leg.ended_by == "caller"
        turns = found.rows
        assert [turn.heard_text for turn in turns].count(GREETING) == 1
        assert [turn.turn_id for turn in turns] == list(range(len(turns)))
        said = [normalise(turn.caller_text) for turn in turns if turn.kind == "caller"]
        assert said[0] == normalise(SAID[0])
        assert said[-1] == normalise(SAID[-1])
        assert found.row is not None
        assert (found.row.mode, found.row.planned_end) == (mode, True)

    asyncio.run(run())


def test_a_tool_that_runs_when_its_mind_is_killed_is_run_once_in_every_mode(
    tmp_path: Path,
) -> None:
    """The service has been asked, its answer is on the way, and nobody is left to read it."""

    async def wait_for_the_answer(call: Stricken) -> None:
        """However long it takes until there is a mind again, and whatever is said meanwhile."""
        call.may_go_on = False
        await call.caller_said(1)
        await call.turn_recorded()
        call.may_go_on = True

    async def kill_once_all_have_asked(stage: ModeStage) -> None:
        async with asyncio.timeout(60.0):
            while len(stage.tools.asked) < len(MODES):
                await asyncio.sleep(0.05)
        (actor,) = processes("ray::CallActor")[:1]
        os.kill(actor.pid, signal.SIGKILL)

    async def run() -> None:
        async with running_stage(tmp_path, Quiet(), tool_answers_after_s=TOOL_TAKES_S) as stage:
            calls = [
                Stricken(stage, mode).play(wait_for_the_answer, ASKS_A_SERVICE) for mode in MODES
            ]
            killing = asyncio.ensure_future(kill_once_all_have_asked(stage))
            results = await asyncio.gather(*calls)
            await killing
            records = [await record_of(stage, result) for result in results]
            used = [
                await uses_of(stage.store_url, found.row.tenant_id, found.row.call_id)
                for found in records
                if found.row is not None
            ]
            asked = list(stage.tools.asked)
        assert [result.outcome for result in results] == ["completed"] * len(MODES)
        assert len(asked) == len({each.key for each in asked}) == len(MODES)
        told = [[use for turn in sorted(each) for use in each[turn]] for each in used]
        assert told == [[("stock(item=seven)", "unknown")]] * len(MODES)
        for found in records:
            turns = [turn for turn in found.rows if turn.kind == "caller"]
            assert [normalise(turn.caller_text) for turn in turns] == [
                normalise("Seven of clubs."),
                normalise("What time do you close on Sunday?"),
            ]
            assert all(turn.heard_text for turn in turns)

    asyncio.run(run())


def test_the_product_has_the_same_conversation_in_all_modes(tmp_path: Path) -> None:
    from cluster.evaluate.mode_talk import all_differences

    async def run() -> None:
        # On a busy machine answers are late: there is a second CallActor to ask then, and nobody
        # speaks between "one moment" and the answer.
        async with running_stage(tmp_path, Quiet(), call_actors=2) as stage:
            results = await converse(stage, SHORT, quiet_s=3.0)
        assert all_differences([result.talk for result in results]) == []
        assert [result.recorded_mode for result in results] == list(MODES)
        assert [len(result.talk.turns) for result in results] == [len(SHORT)] * len(MODES)
        assert all(result.cost_usd > 0 for result in results)

    asyncio.run(run())
