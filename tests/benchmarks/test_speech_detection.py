"""The measures of speech detection, on verdicts whose delays are known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.detection_cost import HEARD, MIXED, Cost, Heard, cost_of, render, sound_of
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


class CountedScorer:
    """Says how often it was asked, and moves a clock by 10 ms a tick."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.slots: list[int] = []

    def reset(self, slot: int) -> None:
        self.slots.append(slot)

    def score(
        self, frames: npt.NDArray[np.int16], slots: npt.NDArray[np.intp]
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float32]]:
        assert frames.shape == (len(slots), 160)
        self.now_s += 0.010
        return np.zeros(len(slots), np.bool_), np.zeros(len(slots), np.float32)


def test_cost_is_shared_by_the_calls_of_a_tick() -> None:
    """10 ms a tick of 20 ms and two calls: 250 ms for each second of each."""
    scorer = CountedScorer()
    sound = np.zeros((50, 2, 160), np.int16)
    cost = cost_of(lambda _: scorer, sound, repeats=1, clock=lambda: scorer.now_s)
    assert cost.cpu_ms == pytest.approx(250.0)
    assert cost.windows is None
    assert scorer.slots == [0, 1]


def test_three_of_ten_mixed_calls_have_noise() -> None:
    assert {len(calls) for calls in HEARD.values()} == {10}
    assert sum(each.noise is not None for each in HEARD[MIXED]) == 3
    clips = [load_library().clip(name) for name in ("goforward", "pv_en", "something")]
    sound = sound_of([Heard(0.0), Heard(1.0)], clips, seconds=4.0)
    assert sound.shape == (200, 2, 160)
    level = np.abs(sound.astype(float)).mean(axis=(0, 2))
    assert level[1] > 10 * level[0]


@pytest.mark.parametrize(("cpu_ms", "verdict"), [(1.5, "; met"), (2.0, "; met"), (2.1, "; MISSED")])
def test_the_figure_that_the_target_is_about_is_told(cpu_ms: float, verdict: str) -> None:
    found = {
        "no gate": dict.fromkeys(HEARD, Cost(6.0, 31.0)),
        "silero": {**dict.fromkeys(HEARD, Cost(9.0, 20.0)), MIXED: Cost(cpu_ms, 12.0)},
    }
    text = render(found, Cost(0.5, 12.0))
    assert f"mixed calls: {cpu_ms:.2f} ms of CPU a call-second; target: at most 2 ms" in text
    assert verdict in text
    assert f"without its gate it takes {6.0 / cpu_ms:.1f} times as much" in text
    assert "30 of them at once: 0.50 (12)" in text
