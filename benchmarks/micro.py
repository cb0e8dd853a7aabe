"""The parts of a frame's way that are ours, in this process: for scale beside the real path."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import numpy as np

from simulation.caller_script import line_noise
from telephony.media_stream import MediaStream
from voice.config import VoiceConfig
from voice.events import CallStarted, FrameHeard
from voice.levels import EnergyScorer
from voice.ports import FRAME_S, FRAME_SAMPLES
from voice.session import VoiceSession

FRAMES = 4_000
REPEATS = 3
STREAM_SID = "MZ" + "0" * 32
CALL_SID = "CA" + "0" * 32


def measure() -> dict[str, float]:
    """Microseconds of CPU for each frame, best of three, by part."""
    return {
        "media_stream_receive_and_drain": _best(_media_stream),
        "voice_session_frame_heard": _best(_voice_session),
        "scorer_batch_of_1": _best(lambda: _scorer(1)),
        "scorer_batch_of_20": _best(lambda: _scorer(20)),
    }


def _best(run: Callable[[], float]) -> float:
    return round(min(run() for _ in range(REPEATS)) * 1e6, 2)


def _media_stream() -> float:
    stream = MediaStream(now=0.0)
    stream.receive('{"event":"connected","protocol":"Call","version":"1.0.0"}', now=0.0)
    stream.receive(json.dumps(_start()), now=0.0)
    while stream.next_event() is not None:
        pass
    noise = line_noise()
    texts = [_media(n, noise[n % len(noise)]) for n in range(FRAMES)]
    began_s = time.process_time()
    for n, text in enumerate(texts):
        stream.receive(text, now=n * FRAME_S)
        while stream.next_event() is not None:
            pass
    return (time.process_time() - began_s) / FRAMES


def _start() -> dict[str, object]:
    return {
        "event": "start",
        "sequenceNumber": "1",
        "streamSid": STREAM_SID,
        "start": {
            "accountSid": "AC" + "0" * 32,
            "streamSid": STREAM_SID,
            "callSid": CALL_SID,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {},
        },
    }


def _media(n: int, payload: str) -> str:
    return json.dumps(
        {
            "event": "media",
            "sequenceNumber": str(n + 2),
            "media": {
                "track": "inbound",
                "chunk": str(n + 1),
                "timestamp": str(n * 20),
                "payload": payload,
            },
            "streamSid": STREAM_SID,
        },
        separators=(",", ":"),  # as Twilio writes it
    )


def _voice_session() -> float:
    session = VoiceSession(VoiceConfig())
    session.receive(CallStarted(greeting=None, next_turn_id=1, resume_text=None), now=0.0)
    event = FrameHeard(False, -65.0)
    began_s = time.process_time()
    for n in range(FRAMES):
        now = n * FRAME_S / 10  # slowly, so that nobody grows impatient with a silent caller
        session.receive(event, now=now)
        while session.next_output() is not None:
            pass
        session.next_deadline()
    return (time.process_time() - began_s) / FRAMES


def _scorer(batch: int) -> float:
    scorer = EnergyScorer(batch)
    frames = np.random.default_rng(1).integers(-24, 24, (batch, FRAME_SAMPLES), dtype=np.int16)
    slots = np.arange(batch, dtype=np.intp)
    rounds = FRAMES // batch
    began_s = time.process_time()
    for _ in range(rounds):
        scorer.score(frames, slots)
    return (time.process_time() - began_s) / (rounds * batch)
