"""Calls whose agents hear over raw websockets: the real edge and clients on loopback."""

from __future__ import annotations

import asyncio

import pytest

from simulation.faults import Faults
from tests.support.edge_stage import Cast, EdgeStage, answered

pytestmark = pytest.mark.e2e
WORDS = "ten of clubs"
CUT = Faults(drop_after_received_bytes=20_000, times=1)


def hearing(name: str, *faults: Faults) -> Cast:
    return Cast(name, tuple(("deepgram", each) for each in faults), recogniser="deepgram")


CASTS = (
    hearing("good"),
    hearing("cut-in-mid-word", Faults(drop_after_received_bytes=14_000, times=1)),
    hearing("cut-again-and-again", Faults(drop_after_received_bytes=14_000, times=3)),
    hearing("nonsense", Faults(garbage_after_messages=4, times=1)),
    hearing("no-end-of-turn", Faults(never_end=True)),
    hearing("refuses", Faults(status=401)),
    hearing("strange-ids", Faults(wrong_request_id=True)),
    Cast("by-azure"),
    *(
        Cast(f"{name}-{kind}", struck, recogniser=name, speaker="cartesia")
        for name in ("scribe", "openai_transcription")
        for kind, struck in (("good", ()), ("cut", ((name, CUT),)))
    ),
)


def test_a_call_is_heard_and_trouble_there_costs_no_word_and_no_other_call() -> None:
    async def scene(stage: EdgeStage) -> None:
        doors = stage.doors
        calls = dict(
            zip(
                doors,
                await asyncio.gather(*(stage.call(door, turns=2) for door in doors.values())),
                strict=True,
            )
        )
        for name, call in calls.items():
            assert call.leg.violations.counts == {}, name
        lost = ("refuses", "strange-ids")
        for name in [name for name in doors if name not in lost]:
            heard = [turn.caller_text for turn in stage.turns_of(doors[name])[1:]]
            assert len(heard) == 2, (name, heard)
            assert {text.lower().rstrip(".") for text in heard} == {WORDS}, name
            assert answered(calls[name]) == ["answered"] * 2, name
        for name in lost:
            assert stage.ends_of(doors[name]) == [(True, "recogniser_lost")], name
            assert calls[name].leg.ended_by == "agent", name

    with EdgeStage(CASTS).running() as stage:
        stage.play(scene(stage))
