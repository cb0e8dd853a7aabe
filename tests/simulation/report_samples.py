"""A small demo run to draw."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.report_data import SAMPLE_RATE_HZ, DemoCall, DemoReport, DemoTurn

STAGES = {
    "speech_ended": 0.0,
    "eager": 0.12,
    "final_transcript": 0.2,
    "committed": 0.25,
    "think_requested": 0.25,
    "first_token": 0.35,
    "first_segment": 0.38,
    "speak_requested": 0.381,
    "speak_first_byte": 0.45,
    "first_frame_out": 0.452,
    "first_frame_audible": 0.5,
}


def tone(seconds: float, level: int = 8_000) -> NDArray[np.int16]:
    at = np.arange(round(seconds * SAMPLE_RATE_HZ))
    return (level * np.sin(at / 3)).astype(np.int16)


def turn(**changes: Any) -> DemoTurn:
    values: dict[str, Any] = {
        "turn_id": 1,
        "caller_text": "Is it open?",
        "agent_text": "Yes, until six today.",
        "heard_text": "Yes, until six today.",
        "stages": STAGES,
        "response_latency_s": 0.51,
        "caller_start_s": 0.5,
        "caller_end_s": 1.0,
        "agent_start_s": 1.51,
        "agent_end_s": 1.9,
    }
    return DemoTurn(**{**values, **changes})


def call(*turns: DemoTurn, **changes: Any) -> DemoCall:
    values: dict[str, Any] = {
        "call_id": "0199",
        "language": "en-GB",
        "caller_name": "Amelia",
        "started_at_us": 1_795_140_000_000_000,
        "turns": turns or (turn(),),
        "caller_pcm": tone(1.5),
        "agent_pcm": tone(2.0),
    }
    return DemoCall(**{**values, **changes})


def report(*calls: DemoCall, **changes: Any) -> DemoReport:
    return DemoReport(calls or (call(),), **changes)
