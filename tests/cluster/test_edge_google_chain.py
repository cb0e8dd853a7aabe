"""The usual chain: Azure fails in the middle of a call, then Google too, and nothing is lost.

Over loopback sockets: the real edge, the clients of Azure, Google and ElevenLabs, their emulators.
"""

from __future__ import annotations

import asyncio

import pytest

from simulation.faults import Faults
from tests.support.edge_stage import Cast, answered
from tests.support.google_chain_stage import GoogleChainStage

pytestmark = pytest.mark.e2e
WORDS = "ten of clubs"
REPLY = "I have noted down the ten of clubs, and everything else."
DIES = Faults(status=503, drop_after_messages=0)
# Name, work, who fails in the middle of the turn, when, and who has to take over.
SCENES = (
    ("ear", "recognise", ("azure",), 0.2, "google"),
    ("voice", "speak", ("azure_tts",), 0.0, "google"),
    ("voices", "speak", ("azure_tts", "google_tts"), 0.0, "elevenlabs"),
)


def test_azure_then_google_then_elevenlabs() -> None:
    async def scene(stage: GoogleChainStage) -> None:
        async def one(
            name: str, work: str, failing: tuple[str, ...], after_s: float, heir: str
        ) -> None:
            def strike() -> None:
                for service in failing:
                    stage.boards[name, service].set(service, DIES)

            result = await stage.call_and(stage.doors[name], 1, after_s, strike, turns=1)
            assert answered(result) == ["answered"], name
            assert result.leg.violations.counts == {}, name
            turns = stage.turns_of(stage.doors[name])[1:]
            assert [turn.caller_text.lower().rstrip(".") for turn in turns] == [WORDS], name
            assert [turn.heard_text for turn in turns] == [REPLY], name
            asked = [unit for kind, unit, _ in stage.asked_of[name] if kind == work]
            assert any(heir in unit for unit in asked), f"{name}: {asked}"

        await asyncio.gather(*(one(*each) for each in SCENES))

    casts = tuple(Cast(name, reply=REPLY) for name, *_ in SCENES)
    with GoogleChainStage(casts).running() as stage:
        stage.play(scene(stage))
