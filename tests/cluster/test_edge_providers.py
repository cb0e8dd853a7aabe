"""Providers that refuse, hang, break and talk nonsense, each beside a call that is fine.

Over loopback sockets: the real edge, the real provider clients, emulators for each agent.
"""

from __future__ import annotations

import asyncio

import pytest

from simulation.faults import Faults
from tests.support.edge_stage import Cast, EdgeStage, answered

pytestmark = pytest.mark.e2e

CASTS = (
    Cast("good"),
    Cast("llm-refuses", (("openai", Faults(status=500)),)),
    Cast("llm-hangs", (("openai", Faults(hang_after_accept=True)),)),
    Cast("llm-says-nothing", reply="*** \n\n"),
    Cast("llm-says-markup", reply="**Sure**, it is `ten`. <b>Bye</b>"),
    Cast("voice-refuses", (("elevenlabs", Faults(refuse_connection=True, drop_after_messages=0)),)),
    Cast("voice-breaks", (("elevenlabs", Faults(drop_after_messages=1)),), reply="One two three."),
    Cast("ear-refuses", (("azure", Faults(status=401)),)),
)


def test_a_provider_in_trouble_costs_its_own_call_one_turn_and_the_others_nothing() -> None:
    async def scene(stage: EdgeStage) -> None:
        doors = stage.doors
        calls = dict(
            zip(doors, await asyncio.gather(*map(stage.call, doors.values())), strict=True)
        )
        good = stage.turns_of(doors["good"])
        assert answered(calls["good"]) == ["answered"]
        assert [(turn.kind, turn.heard_text, turn.outcome) for turn in good] == [
            ("greeting", "Hi.", "heard"),
            ("caller", "Noted.", "heard"),
        ]
        assert good[1].caller_text.lower().startswith("ten of clubs")
        for name, call in calls.items():
            assert call.leg.violations.counts == {}, name
        for name in ("llm-refuses", "llm-hangs", "llm-says-nothing", "voice-refuses"):
            turn = stage.turns_of(doors[name])[1]
            assert (turn.heard_text, turn.outcome) == ("Pardon?", "failed"), name
            assert turn.reason, f"{name}: the record says why"
            assert answered(calls[name]) == ["answered"], name
        markup = stage.turns_of(doors["llm-says-markup"])[1]
        assert markup.heard_text == "Sure, it is ten. Bye"
        broken = stage.turns_of(doors["voice-breaks"])[1]
        assert broken.outcome == "failed"
        assert "three" not in broken.heard_text
        for name in ("llm-refuses", "llm-hangs", "llm-says-nothing"):
            assert doors[name].counters["replies_failed"] >= 1, name
        for name in ("voice-refuses", "voice-breaks"):
            assert doors[name].counters["speech_failed"] >= 1, name
        assert stage.ends_of(doors["ear-refuses"]) == [(True, "recogniser_lost")]
        assert calls["ear-refuses"].leg.ended_by == "agent"

    with EdgeStage(CASTS).running() as stage:
        stage.play(scene(stage))
