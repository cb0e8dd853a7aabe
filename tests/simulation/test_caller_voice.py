"""The mouth goes by the clock."""

from __future__ import annotations

from simulation.caller_voice import Mouth
from simulation.recording import Recording
from tests.simulation.paper_server import tone_clip

NOISE = ("n1", "n2")


def test_noise_then_the_clip_then_noise() -> None:
    mouth, clip = Mouth(NOISE), tone_clip(speech_s=0.04, tail_s=0.0)
    before = mouth.frame(1.0)
    mouth.speak(clip, 1.02)
    frames = [mouth.frame(1.02 + 0.02 * n) for n in range(3)]
    assert before == "n1"
    assert frames == [*clip.payloads, "n2"]


def test_what_was_said_into_a_dead_line_is_not_said_again() -> None:
    mouth, clip = Mouth(NOISE), tone_clip(speech_s=0.08, tail_s=0.02)
    mouth.speak(clip, 1.0)
    assert mouth.frame(1.08) == clip.payloads[4]


def test_a_frame_is_recorded_where_it_was_spoken() -> None:
    recording = Recording()
    mouth = Mouth(("AAAA",), recording)
    mouth.frame(5.0)
    assert recording.start_s == 5.0 - 0.02
