from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import cast

import pytest

from actors.metrics_calls import AgentMeter
from actors.metrics_trace import trace_of
from actors.wire import TurnEntry
from telemetry.traces import Trace, TraceQueue
from tests.support.scripted_call import Stage, play
from voice.timeline import STAGES

IDS = {"call_id": "c1", "tenant_id": "t1", "agent_id": "a1"}
TIMES = {
    "speech_ended": 0.0,
    "eager": 0.2,
    "final_transcript": 0.3,
    "committed": 0.55,
    "think_requested": 0.21,
    "first_token": 0.4,
    "first_segment": 0.45,
    "speak_requested": 0.46,
    "speak_first_byte": 0.5,
    "filler_out": 0.55,
    "retreated": 0.52,
    "first_frame_out": 0.56,
    "first_frame_sent": 0.562,
    "first_frame_audible": 0.57,
}
ENTRY = TurnEntry(3, "caller", "my number is 12", "yes", "yes", at_us=5_000_000, timeline=TIMES)


def spans(entry: TurnEntry) -> dict[str, tuple[float, float]]:
    """Stage to seconds on the timeline."""
    trace = trace_of(entry, IDS, after_s=2.0)
    zero = 3_000_000
    return {s.name: ((s.start_us - zero) / 1e6, (s.end_us - zero) / 1e6) for s in trace.children}


def test_one_child_a_stage_each_begins_with_what_it_waited_for() -> None:
    found = spans(ENTRY)
    assert set(found) == set(STAGES)
    assert found == {
        "speech_ended": (0.0, 0.0),
        "eager": (0.0, 0.2),
        "final_transcript": (0.0, 0.3),
        "committed": (0.0, 0.55),
        "think_requested": (0.2, 0.21),
        "first_token": (0.21, 0.4),
        "first_segment": (0.4, 0.45),
        "speak_requested": (0.45, 0.46),
        "speak_first_byte": (0.46, 0.5),
        "filler_out": (0.55, 0.55),
        "retreated": (0.0, 0.52),
        "first_frame_out": (0.55, 0.56),
        "first_frame_sent": (0.56, 0.562),
        "first_frame_audible": (0.56, 0.57),
    }


def test_the_root_lasts_until_the_turn_was_settled_and_names_no_words() -> None:
    trace = trace_of(ENTRY, IDS, after_s=2.0)
    assert (trace.root.name, trace.root.start_us, trace.root.end_us) == (
        "turn caller",
        3_000_000,
        5_000_000,
    )
    assert dict(trace.attributes) == {**IDS, "turn_id": 3, "kind": "caller", "outcome": "heard"}


def test_an_answer_of_the_cache_can_be_traced_to_its_entry() -> None:
    told = {"outcome": "hit", "tier": "exact", "entry_id": 7, "similarity": 1.0, "lookup_s": 0.001}
    attributes = trace_of(replace(ENTRY, cache=told), IDS, after_s=2.0).attributes
    assert {name: value for name, value in attributes.items() if name.startswith("cache_")} == {
        "cache_outcome": "hit",
        "cache_tier": "exact",
        "cache_entry_id": 7,
    }


def test_without_some_stages_spans_begin_with_what_is_known() -> None:
    found = spans(replace(ENTRY, timeline={"committed": 0.0, "first_frame_out": 0.1, "new": 9.0}))
    assert found == {"committed": (0.0, 0.0), "first_frame_out": (0.0, 0.1)}


class FakeQueue:
    def __init__(self) -> None:
        self.traces: list[Trace] = []

    def put(self, trace: Trace) -> None:
        self.traces.append(trace)


def test_every_turn_of_a_call_is_traced_at_the_time_of_day_it_took_place() -> None:
    queue = FakeQueue()

    async def scene(stage: Stage) -> None:
        meter = AgentMeter(stage.ledger, stage.agent, cast(TraceQueue, queue))
        stage.parts = replace(stage.parts, meter=meter)
        phone = await stage.phone().greeted()
        await phone.say("what do you have")
        await phone.until(lambda: len(phone.log) == 2)
        now_us = asyncio.get_running_loop().time() * 1e6
        greeting, turn = queue.traces
        assert greeting.root.name == "turn greeting"
        assert turn.root.end_us == pytest.approx(now_us, abs=30_000)
        entry = phone.driver.turn_log[1]
        assert {span.name for span in turn.children} == set(entry.timeline)
        out = next(span for span in turn.children if span.name == "first_frame_out")
        zero_us = out.end_us - entry.timeline["first_frame_out"] * 1e6
        assert turn.root.start_us <= zero_us + 1
        assert turn.attributes["call_id"] == "call-1"

    play(scene)
