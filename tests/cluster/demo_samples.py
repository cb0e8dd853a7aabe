"""A small call as the demo knows it."""

from __future__ import annotations

from typing import Any

from cluster.demo_turns import CallStory
from records.rows import TurnRow
from simulation.caller_call import CallResult
from simulation.caller_events import AgentHeard, TurnMeasured
from simulation.carrier_leg import LegReport
from simulation.recording import Recording

PLACED_US = 1_795_140_000_000_000
PLACED_S = 100.0
QUIET, LOUD = b"\xff", b"\x90"


def measured(**changes: Any) -> TurnMeasured:
    """Spoken from 1.0 to 2.0 s, answered 0.6 s later."""
    values: dict[str, Any] = {
        "call": 0,
        "at_s": 2.6,
        "turn": 1,
        "kind": "say",
        "clip": "card001",
        "text": "ten of clubs",
        "speech_start_s": 1.0,
        "speech_end_s": 2.0,
        "outcome": "answered",
        "latency_s": 0.6,
    }
    return TurnMeasured(**{**values, **changes})


def row(settled_s: float, **changes: Any) -> TurnRow:
    """A recorded turn that was settled ``settled_s`` after the call was placed."""
    values: dict[str, Any] = {
        "tenant_id": "default",
        "agent_id": "frontdesk",
        "agent_version": "1",
        "call_id": "0199",
        "call_sid": "CA1",
        "turn_id": 1,
        "caller_text": "ten of clubs",
        "agent_text": "The ten of clubs. Another one?",
        "heard_text": "The ten of clubs. Another one?",
        "at_us": PLACED_US + round(settled_s * 1e6),
        "timeline": {"speech_ended": 0.0, "committed": 0.4, "first_frame_out": 0.5},
    }
    return TurnRow(**{**values, **changes})


def recording(*agent: tuple[float, float]) -> Recording:
    """The agent is heard in these stretches (from, to), after 10 ms of silence in each."""
    made = Recording()
    made.add_caller(PLACED_S, QUIET * 8_000)
    for from_s, to_s in agent:
        made.add_agent(PLACED_S + from_s - 0.01, QUIET * 80)
        made.add_agent(PLACED_S + from_s, LOUD * round((to_s - from_s) * 8_000))
    return made


def story(**changes: Any) -> CallStory:
    """A greeting (0.1 to 0.9 s) and one turn, answered from 2.6 to 4.0 s."""
    result: dict[str, Any] = {
        "call": 0,
        "leg": LegReport("CA1", status="completed", ended_by="caller", streams=1),
        "turns": (measured(),),
        "greeting_s": 0.1,
        "recording": recording((0.1, 0.9), (2.6, 4.0)),
        "recording_start_s": 0.0,
    }
    values: dict[str, Any] = {
        "name": "Carl",
        "language": "en-US",
        "placed_us": PLACED_US,
        "heard": tuple(
            AgentHeard(0, at_s, started)
            for at_s, started in ((0.1, True), (0.9, False), (2.6, True), (4.0, False))
        ),
        "rows": (row(0.95, turn_id=0, kind="greeting", caller_text=""), row(4.1)),
        "call_id": "0199",
    }
    result.update({name: changes.pop(name) for name in [*changes] if name in result})
    return CallStory(result=CallResult(**result), **{**values, **changes})
