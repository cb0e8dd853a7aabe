"""A call that a person moves from one way of carrying it to another, while it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from cluster.call_services import CallServices
from simulation.caller_call import CallOrder, CallResult, place_call
from simulation.caller_events import AgentHeard, CallerEvent
from simulation.caller_script import Leave, Listen, Speak, Step
from simulation.mode_script import GREETING
from tests.support.modes_stage import ModesStage, clip_of
from voice.words import normalise

pytestmark = pytest.mark.e2e
CLIPS = ("eot_en_question", "card002", "eot_en_yes")
SAID = ("What time do you close on Sunday?", "Four queen of clubs.", "Yes.")
HEARD = ("On Sundays we close at five.", "The queen of clubs, very well.", "Very good.")


@pytest.fixture
def stage() -> Iterator[ModesStage]:
    with ModesStage(modes=("pipeline",), then_modes=("relay", "realtime")).running() as stage:
        yield stage


def script() -> Iterator[Step]:
    yield Listen(until_silence_s=0.8)
    for name in CLIPS:
        yield Speak(clip_of(name))
        yield Listen(until_silence_s=0.9, give_up_s=10.0)
    yield Leave()


def test_a_call_goes_on_as_it_was_asked_to_with_all_that_was_said(stage: ModesStage) -> None:
    door = stage.doors["pipeline"]
    services = CallServices(door.edge)
    carried: list[str] = []

    def move_after(event: CallerEvent) -> None:
        """As soon as an answer sounds: it is heard to its end before anything happens."""
        if not (isinstance(event, AgentHeard) and event.started):
            return
        (call,) = door.edge.registry
        assert call.claims is not None
        carried.append(door.edge.mode_of(call.claims))
        wanted = {2: "relay", 3: "realtime"}.get(len(carried))
        if wanted is not None:
            for _ in range(3):  # to be asked again does no harm
                assert services.switch_here(call.call_id, wanted)

    async def converse() -> CallResult:
        async with door.carrier() as line:
            result = await place_call(line, CallOrder(script(), max_duration_s=40.0), move_after)
        await asyncio.sleep(0)
        return result

    result = stage.play(converse(), limit_s=60.0)
    assert result.outcome == "completed", result.leg
    turns = sorted(stage.turns_of(door), key=lambda turn: turn.turn_id)
    said = [normalise(turn.caller_text) for turn in turns if turn.kind == "caller"]
    heard = [turn.heard_text for turn in turns if turn.kind == "caller"]
    assert said == [normalise(text) for text in SAID]
    assert heard == list(HEARD)
    assert [turn.heard_text for turn in turns].count(GREETING) == 1
    assert carried == ["pipeline", "pipeline", "relay", "realtime"]
    assert door.counters["calls_handed_over_switch"] == 2
    assert not services.switch_here("somebody else", "relay")
    asked = stage.asked("pipeline")[-1].messages
    assert any(HEARD[0] in message.text for message in asked), "the thread is not lost"
