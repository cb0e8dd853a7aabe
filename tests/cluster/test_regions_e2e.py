"""Two regions on two ports, a carrier that calls the one: its callers are nearer to the other."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from cluster.call_services import CallServices
from cluster.edge import Edge
from cluster.other_regions import OtherRegions
from cluster.regions import Region, RegionTable
from dialogue.tools import Tool
from simulation.caller_call import CallOrder, CallResult, place_call
from simulation.caller_script import Listen, Speak, prepare
from simulation.clip_library import load_library
from simulation.openai_replies import ScriptLine
from telephony.origin import PublicOrigin
from tests.support.edge_stage import TOKEN, Cast, Door, EdgeStage

pytestmark = pytest.mark.e2e

CAST = Cast(
    "good",
    script=(ScriptLine(("weather",), "", tool="end_call"),),
    tools=(Tool("end_call", "end_call", "When the caller says goodbye."),),
)
GOODBYE = prepare(load_library().clip("weather"))


@pytest.fixture(scope="module")
def stage() -> Iterator[EdgeStage]:
    with EdgeStage((CAST,)).running() as s:
        yield s


async def open_region(stage: EdgeStage, far_url: str) -> Door:
    """A region whose number is called; the carrier says that its callers are in the US."""
    agent, _, recogniser, speech = stage.built["good"]

    async def furnish(edge: Edge) -> CallServices:
        here = PublicOrigin.parse(edge.settings.public_url)
        regions = (
            Region("eu", here, frozenset({"DE"})),
            Region("us", PublicOrigin.parse(far_url), frozenset({"US"})),
        )
        others = OtherRegions(RegionTable(regions, "eu"), TOKEN, edge.count)
        return CallServices(edge, regions=others)

    return await stage.open_door(agent, recogniser, speech, furnish)


async def a_call_that_the_agent_ends(door: Door) -> CallResult:
    steps = (Listen(until_silence_s=0.2), Speak(GOODBYE), Listen(give_up_s=15.0))
    async with door.carrier() as line:
        return await place_call(line, CallOrder(iter(steps), max_duration_s=25.0))


def test_the_whole_call_and_its_end_are_the_nearer_regions(stage: EdgeStage) -> None:
    far = stage.doors["good"]

    async def scene() -> tuple[Door, CallResult]:
        near = await open_region(stage, far.url)
        return near, await a_call_that_the_agent_ends(near)

    near, result = stage.play(scene())
    assert result.leg.ended_by == "agent"  # so ``action`` was asked where the call was
    assert not result.leg.violations.counts, result.leg.violations
    assert not result.leg.errors.counts, result.leg.errors
    assert (near.counters["streams_started"], far.counters["streams_started"]) == (0, 1)
    assert far.counters["calls_ended_planned"] == 1


def test_a_region_that_is_gone_and_not_yet_known_to_be_costs_no_call(stage: EdgeStage) -> None:
    nobody = socket.socket()
    nobody.bind(("127.0.0.1", 0))  # and does not listen
    url = f"http://127.0.0.1:{nobody.getsockname()[1]}"

    async def scene() -> tuple[Door, CallResult]:
        near = await open_region(stage, url)
        return near, await a_call_that_the_agent_ends(near)

    near, result = stage.play(scene())
    nobody.close()
    assert result.leg.ended_by == "agent"
    assert (near.counters["regions_unanswered"], near.counters["streams_started"]) == (1, 1)
