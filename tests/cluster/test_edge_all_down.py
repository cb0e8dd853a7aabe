"""All providers of one kind refuse, or hang: the caller hears something and is told goodbye.

Over loopback sockets: the real edge and provider clients, two emulators for each kind of work,
and a call beside them that is fine. Nothing of what was said, and no key, is in any log.
"""

from __future__ import annotations

import asyncio
import logging
import math

import pytest

from simulation.caller_call import CallOrder, CallResult, place_call
from simulation.caller_events import CallerEvent, CallerSaid
from simulation.faults import Faults
from tests.support.edge_stage import PHRASES, Cast, answered
from tests.support.failover_stage import FailoverStage

pytestmark = pytest.mark.e2e
REPLY = "I have noted the ten of clubs."
# What is refused from now on, and what is open breaks with it.
REFUSES = Faults(refuse_connection=True, drop_after_messages=0)
HANGS = Faults(hang_after_accept=True, stall_after_messages=0)
WRONG_KEY = Faults(status=401, drop_after_messages=0)
WORKS = ("recognise", "think", "speak")
HOW = {"refuses": REFUSES, "hangs": HANGS, "wrong-key": WRONG_KEY}
SCENES = {f"{work}-{how}": (work, faults) for work in WORKS for how, faults in HOW.items()}
CALL_S = 30.0
LONGEST_WAIT_S = 2.6  # on a busy machine too; the figures are those of ``callcluster chaos``


async def one_call(stage: FailoverStage, name: str) -> CallResult:
    """Everybody of one kind is struck while the caller says the second thing."""
    loop, said = asyncio.get_running_loop(), 0

    def strike() -> None:
        work, faults = SCENES[name]
        for board in (stage.first(name, work), stage.second(name, work)):
            service = next(s for (_, s), each in stage.boards.items() if each is board)
            board.set(service, faults)

    def tell(event: CallerEvent) -> None:
        nonlocal said
        if isinstance(event, CallerSaid):
            said += 1
            if said == 2 and name in SCENES:
                loop.call_later(0.1, strike)

    async with stage.doors[name].carrier() as line:
        turns = 12 if name in SCENES else 3
        order = CallOrder(stage.script(turns), max_duration_s=CALL_S)
        return await place_call(line, order, tell)


def test_whoever_is_down_the_caller_hears_something_and_the_record_says_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scene(stage: FailoverStage) -> None:
        names = [*SCENES, "good"]
        found = await asyncio.gather(*(one_call(stage, name) for name in names))
        results = dict(zip(names, found, strict=True))
        assert answered(results["good"]) == ["answered"] * 3
        assert {turn.heard_text for turn in stage.turns_of(stage.doors["good"])[1:]} == {REPLY}
        for name in SCENES:
            result, door = results[name], stage.doors[name]
            assert result.leg.violations.counts == {}, name
            assert result.leg.ended_by == "agent", f"{name}: {stage.ends_of(door)}"
            ((is_planned, reason),) = stage.ends_of(door)
            assert is_planned, name
            assert reason in ("provider_trouble", "recogniser_lost"), f"{name}: {reason}"
            heard = [turn.heard_text for turn in stage.turns_of(door) if turn.heard_text]
            assert heard[-1].endswith(PHRASES.trouble), f"{name}: {heard}"
            waits = [
                math.inf if turn.latency_s is None else turn.latency_s
                for turn in result.turns
                if turn.outcome not in ("premature", "call_ended")
            ]
            assert max(waits, default=0.0) < LONGEST_WAIT_S, f"{name}: {waits}"

    casts = tuple(Cast(name, reply=REPLY) for name in (*SCENES, "good"))
    with caplog.at_level(logging.INFO), FailoverStage(casts).running() as stage:
        stage.play(scene(stage), limit_s=CALL_S + 20.0)
    said = caplog.text.lower()
    assert "clubs" not in said
    assert "k" * 32 not in said
