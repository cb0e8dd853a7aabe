"""Whole calls over loopback sockets to a server whose delays are known."""

from __future__ import annotations

import asyncio
import json

import pytest

from simulation.caller_call import CallOrder, CallResult, place_call
from simulation.caller_faults import QuietPerson
from simulation.caller_script import Listen, Speak
from simulation.carrier import Carrier, CarrierConfig
from tests.simulation.paper_server import tone_clip
from tests.simulation.tone_server import ToneConfig, ToneServer, tone_server

pytestmark = pytest.mark.e2e


def call(config: ToneConfig) -> tuple[CallResult, ToneServer]:
    async def whole() -> tuple[CallResult, ToneServer]:
        async with (
            tone_server(config) as server,
            Carrier(CarrierConfig(server.url, "12345")) as carrier,
        ):
            script = [Listen(0.4, 2.0), Speak(tone_clip(speech_s=0.2)), Listen(0.4, 2.0)]
            return await place_call(carrier, CallOrder(iter(script))), server

    return asyncio.run(whole())


def test_a_call_measures_the_delay_that_the_server_was_given() -> None:
    """100 ms of end-pointing and 60 ms of leading silence; the rest is loopback and scheduling."""
    result, server = call(ToneConfig(endpoint_s=0.1, leading_silence_s=0.06, greet_s=0.06))
    (turn,) = result.turns
    assert turn.outcome == "answered"
    assert turn.latency_s is not None
    assert 0.159 <= turn.latency_s < 1.0
    assert result.leg.status == "completed"
    assert not result.leg.violations.counts
    assert not result.leg.errors.counts
    events = [json.loads(each)["event"] for each in server.messages]
    assert events[:2] == ["connected", "start"]
    assert events[-1] == "stop"
    assert events.count("mark") == 2
    paths = [path for path, _, _ in server.requests]
    assert sorted(paths) == ["/twilio/after", "/twilio/status", "/twilio/voice"]


def test_a_stream_closed_by_the_server_is_followed_by_another() -> None:
    async def whole() -> tuple[int, list[dict[str, str]]]:
        async with (
            tone_server(ToneConfig(close_after_frames=5)) as server,
            Carrier(CarrierConfig(server.url, "12345")) as carrier,
        ):
            leg = carrier.dial(carrier.identity("+14155550100"), QuietPerson())
            task = asyncio.get_running_loop().create_task(leg.run())
            while len(server.upgrades) < 2:
                await asyncio.sleep(0.01)
            server.config.hang_up_on_action = True
            report = await task
            return report.streams, [form for path, form, _ in server.requests if "after" in path]

    streams, forms = asyncio.run(whole())
    assert streams >= 2
    assert {form["CallStatus"] for form in forms} == {"in-progress"}
