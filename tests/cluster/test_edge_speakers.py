"""Calls whose agents speak by Azure, by an OpenAI-compatible server and by espeak-ng.

Over loopback sockets: the real edge, the real clients, emulators; espeak-ng itself.
"""

from __future__ import annotations

import asyncio

import pytest

from simulation.faults import Faults
from tests.support.edge_stage import Cast, EdgeStage, answered

pytestmark = pytest.mark.e2e
REPLY = "I have noted down the ten of clubs."
DIES = Faults(status=503, drop_after_messages=0)
CASTS = (
    Cast("by-azure", speaker="azure", reply=REPLY),
    Cast("by-openai", speaker="openai", reply=REPLY),
    Cast("by-espeak", speaker="espeak", reply=REPLY),
    Cast("azure-dies", (("azure_tts", DIES),), speaker="azure", reply=REPLY),
    Cast("openai-dies", (("openai_tts", DIES),), speaker="openai", reply=REPLY),
    Cast("azure-hangs", (("azure_tts", Faults(stall_after_messages=0)),), speaker="azure"),
    Cast(
        "azure-is-no-azure",
        (("azure_tts", Faults(garbage_after_messages=1)),),
        speaker="azure",
        reply=REPLY,
    ),
    Cast("by-elevenlabs", reply=REPLY),
)
WHOLE = ("by-azure", "by-openai", "by-espeak", "by-elevenlabs")
BROKEN = ("azure-dies", "openai-dies", "azure-hangs", "azure-is-no-azure")


def test_every_voice_is_heard_and_trouble_with_one_is_nothing_to_the_others() -> None:
    async def scene(stage: EdgeStage) -> None:
        doors = stage.doors
        # A breath is no answer to these callers.
        placed = (stage.call(door, patience_s=3.0) for door in doors.values())
        played = await asyncio.gather(*placed)
        calls = dict(zip(doors, played, strict=True))
        for name, call in calls.items():
            assert call.leg.violations.counts == {}, name
            assert answered(call) == ["answered"], name
        for name in WHOLE:
            turns = stage.turns_of(doors[name])
            assert [(turn.kind, turn.heard_text, turn.outcome) for turn in turns] == [
                ("greeting", "Hi.", "heard"),
                ("caller", REPLY, "heard"),
            ], name
            assert not doors[name].counters["speech_failed"], name
        for name in BROKEN:
            turn = stage.turns_of(doors[name])[1]
            assert turn.outcome == "failed", name
            assert turn.reason, f"{name}: the record says why"
            assert REPLY not in turn.heard_text, name
            assert doors[name].counters["speech_failed"] >= 1, name

    with EdgeStage(CASTS).running() as stage:
        stage.play(scene(stage))
