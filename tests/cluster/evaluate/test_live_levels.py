"""Ducking and coming back, read off a tone of one level."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cluster.chaos.lines import PlacedCall
from cluster.chaos.turns import RecordedCall
from cluster.emulator_script import load_script
from cluster.evaluate.live_calls import LiveCall
from cluster.evaluate.live_dialogue import Dialogue, dialogues
from cluster.evaluate.live_levels import AgentLevels
from cluster.evaluate.live_rows import live_rows
from cluster.evaluate.live_stage import script_text
from cluster.evaluate.replay_run import Asked, turns_of
from simulation.caller_call import CallResult
from simulation.recording import Recording
from simulation.steady_voice import SteadyVoice
from telephony import g711
from tests.cluster.evaluate.call_by_hand import turn
from tests.cluster.evaluate.test_live_parts import LOOP, NOISE, Leg, measured, recorded

TONE = g711.decode(SteadyVoice().speak("x" * 60, "en", "any").ulaw)


def heard(*parts: tuple[float, float], start_s: float = 10.0) -> AgentLevels:
    """Parts of seconds and gain, one after another."""
    gains = np.concatenate([np.full(round(length_s * 8_000), gain) for length_s, gain in parts])
    return AgentLevels((TONE[: len(gains)] * gains).astype(np.int16), start_s)


def test_the_tone_has_one_level_throughout() -> None:
    assert len(TONE) == 4.0 * 8_000
    assert heard((4.0, 1.0)).duck_s(10.5, 13.9) is None
    assert len(SteadyVoice().speak("你好。", "zh", "").ulaw) > 4_000


def test_a_duck_is_told_from_the_onset() -> None:
    levels = heard((1.0, 1.0), (0.6, 0.125), (1.0, 1.0))
    assert levels.duck_s(10.94, 11.9) == pytest.approx(0.06, abs=0.006)
    assert levels.resume_s(11.5, 12.5) == pytest.approx(0.1, abs=0.006)


def test_silence_is_a_duck_and_a_ramp_is_none() -> None:
    assert heard((1.0, 1.0), (1.0, 0.0)).duck_s(10.9, 11.5) == pytest.approx(0.1, abs=0.006)
    joined = heard((0.5, 1.0), (0.008, 0.3), (1.0, 1.0))
    assert joined.duck_s(10.2, 11.4) is None


def test_what_was_soft_before_is_no_answer() -> None:
    assert heard((1.0, 0.125), (1.0, 1.0)).duck_s(10.5, 11.5) is None


def test_a_reply_that_is_full_again_by_the_end_resumed_at_once() -> None:
    levels = heard((0.5, 0.125), (1.0, 1.0))
    assert levels.resume_s(10.8, 11.4) == 0.0
    assert levels.resume_s(10.1, 10.3) is None  # not before the next turn


def test_the_emulators_are_told_to_hold_the_tone(tmp_path: Path) -> None:
    for is_steady in (False, True):
        path = tmp_path / "script.yaml"
        path.write_text(script_text((), is_voice_steady=is_steady), "utf-8")
        assert load_script(path).is_voice_steady is is_steady


def test_enough_turns_are_said_over_the_agent() -> None:
    turns, _, _ = turns_of(Asked(turns=240, is_talked_over=True))
    calls, _ = dialogues(turns, 1)
    said = Counter(turn.kind for call in calls for turn in call.turns)
    assert set(said) == {"interruption", "backchannel", "plain"}
    assert said["interruption"] >= 80
    assert said["backchannel"] >= 50


def test_a_backchannel_is_laid_beside_the_recording_of_its_call() -> None:
    """The clock of a recording is the loop, that of turns begins with the placing of the call."""
    recording = Recording()
    at_s = 504.0  # of the loop; the call was placed at 500
    for length_s, gain in ((1.06, 1.0), (1.1, 0.125), (1.0, 1.0)):
        part = (TONE[: round(length_s * 8_000)] * gain).astype(np.int16)
        recording.add_agent(at_s, bytes(g711.encode(part)))
        at_s += length_s
    said = measured(kind="interrupt", speech_start_s=5.0, speech_end_s=6.0)
    leg: Any = Leg()
    result = CallResult(0, leg, (said,), 0.5, recording=recording, recording_start_s=4.0)
    call = RecordedCall(PlacedCall(100.0, result), None, (recorded("heard"),))
    live = LiveCall(0, Dialogue("en-US", (turn("a", "backchannel"),)), NOISE, LOOP)
    (row,) = live_rows({0: live}, [call], is_voice_steady=True).talk_over
    assert row.duck_s == pytest.approx(0.06, abs=0.006)
    assert row.resume_s == pytest.approx(0.16, abs=0.006)
    (blind,) = live_rows({0: live}, [call]).talk_over
    assert (blind.duck_s, blind.resume_s, blind.is_ridden) == (None, None, True)
