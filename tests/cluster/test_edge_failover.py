"""The first provider dies or hangs in the middle of a call: nothing is lost, nothing said twice.

Over loopback sockets: the real edge, the real provider clients, two emulators for each kind of
work. The same faults under load, with figures: ``callcluster chaos providers``.
"""

from __future__ import annotations

import asyncio

import pytest

from simulation.faults import Faults
from tests.support.edge_stage import Cast, answered
from tests.support.failover_stage import FailoverStage

pytestmark = pytest.mark.e2e
WORDS = "ten of clubs"
REPLY = "I have noted down the ten of clubs, and everything else."
DIES = Faults(status=503, drop_after_messages=0)
HANGS = Faults(hang_after_accept=True, stall_after_messages=0)
REFUSES = Faults(status=503)
# In the middle of the second utterance, of the second reply: name, work, when, what.
SCENES = (
    ("ear-dies", "recognise", 0.2, DIES),
    ("ear-hangs", "recognise", 0.2, HANGS),
    ("model-refuses", "think", 0.0, REFUSES),
    ("model-hangs", "think", 0.0, HANGS),
    ("model-dies", "think", 0.0, Faults(drop_after_messages=8, times=1)),
    ("voice-refuses", "speak", 0.0, Faults(status=503, drop_after_messages=0)),
    ("voice-hangs", "speak", 0.0, HANGS),
    ("voice-dies", "speak", 0.0, Faults(drop_after_messages=4, times=1)),
)


def test_a_first_provider_in_trouble_costs_no_word_of_caller_or_agent() -> None:
    async def scene(stage: FailoverStage) -> None:
        async def one(name: str, work: str, after_s: float, faults: Faults) -> None:
            board = stage.first(name, work)
            service = next(s for n, s in stage.boards if n == name and stage.boards[n, s] is board)
            result = await stage.call_and(
                stage.doors[name], 2, after_s, lambda: board.set(service, faults), turns=2
            )
            assert answered(result) == ["answered"] * 2, name
            assert result.leg.violations.counts == {}, name
            turns = stage.turns_of(stage.doors[name])[1:]
            assert [turn.caller_text.lower().rstrip(".") for turn in turns] == [WORDS] * 2, name
            assert [turn.heard_text for turn in turns] == [REPLY] * 2, name
            assert {turn.outcome for turn in turns} == {"heard"}, name
            whys = [why for kind, _, why in stage.asked_of[name] if kind == work]
            assert {"failover", "continued", "hedge"} & set(whys), f"{name}: {whys}"

        await asyncio.gather(*(one(*each) for each in SCENES))

    casts = tuple(Cast(name, reply=REPLY) for name, _, _, _ in SCENES)
    with FailoverStage(casts).running() as stage:
        stage.play(scene(stage))
