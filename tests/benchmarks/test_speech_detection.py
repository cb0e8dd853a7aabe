"""The measures of speech detection, on verdicts whose delays are known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.speech_quality import NEVER_S, quality
from benchmarks.speech_scenes import CONDITIONS, LEAD_S, Scene, conversation, scenes
from simulation.clip_library import load_library

# A second of silence, one of speech, a pause of 400 ms, 600 ms of speech, 1 s of silence.
SPEECH = ((1.0, 2.0), (2.4, 3.0))
SCENE = Scene(np.zeros((200, 160), np.int16), SPEECH, SPEECH)


def said(late_s: float = 0.0, longer_s: float = 0.0) -> npt.NDArray[np.bool_]:
    found = np.zeros(200, np.bool_)
    for start_s, end_s in SPEECH:
        first, last = (round(at_s / 0.02) for at_s in (start_s + late_s, end_s + longer_s))
        found[first:last] = True
    return found


def test_a_detector_that_is_right_is_one_frame_late() -> None:
    found = quality([SCENE], [said()])
    assert (found.precision, found.recall, found.missed, found.stretches) == (1.0, 1.0, 0, 2)
    assert found.onset_p50_ms == pytest.approx(20.0)
    assert found.offset_p95_ms == pytest.approx(0.0)
    assert found.dips_per_s == 0.0


def test_delays_are_told_apart() -> None:
    found = quality([SCENE], [said(late_s=0.1, longer_s=0.16)])
    assert found.onset_p50_ms == pytest.approx(120.0)
    assert found.offset_p50_ms == pytest.approx(160.0)
    assert found.precision < 1.0
    assert found.recall < 1.0


def test_what_never_ends_and_what_is_never_heard() -> None:
    always = quality([SCENE], [np.ones(200, np.bool_)])
    assert always.offset_p50_ms == NEVER_S * 1_000
    never = quality([SCENE], [np.zeros(200, np.bool_)])
    assert (never.missed, never.recall, never.onset_p50_ms) == (2, 0.0, None)


@pytest.mark.parametrize(("frames", "dips"), [(4, 0), (5, 1)])
def test_only_long_gaps_in_speech_are_dips(frames: int, dips: int) -> None:
    gappy = said()
    gappy[70 : 70 + frames] = False
    assert quality([SCENE], [gappy]).dips_per_s * 1.6 == pytest.approx(dips)


def test_scenes_are_labelled_where_the_speech_is() -> None:
    clip = load_library().clip("goforward")
    for condition in CONDITIONS.values():
        (scene,) = scenes([clip], condition, 3)
        assert scene.frames.dtype == np.int16
        assert scene.speech == ((LEAD_S + 0.51, LEAD_S + 2.37),)
        level = np.abs(scene.frames.astype(float)).mean(axis=1)
        assert level[80:160].mean() > 1.1 * level[:45].mean()


def test_a_caller_speaks_as_much_as_was_asked_for() -> None:
    clips = [load_library().clip(name) for name in ("goforward", "pv_en", "something")]
    call = conversation(clips, 0.4, 60.0, None, seed=2)
    loud = np.abs(call.astype(float)).mean(axis=1) > 300
    assert 0.2 < loud.mean() < 0.5
    assert not np.abs(conversation(clips, 0.0, 2.0, None, seed=2)).max() > 200
