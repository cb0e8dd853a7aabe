"""Which windows a network is given, and when, with a network that notes what it sees."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from providers.local.silero import CONTEXT_SAMPLES, WINDOW_SAMPLES, Floats
from providers.local.speech_windows import CALM_WINDOWS, FRESH_S, SpeechWindows
from voice.ports import FRAME_S

SLOT = np.array([0])


class NotingNetwork:
    """Says the level of the window; its state counts the windows."""

    def __init__(self) -> None:
        self.seen: list[npt.NDArray[np.int16]] = []
        self.counts: list[int] = []

    def probabilities(self, windows: Floats, states: Floats) -> tuple[Floats, Floats]:
        self.seen += list(np.rint(windows * 32_768).astype(np.int16))
        self.counts += [int(count) for count in states[0, :, 0]]
        return np.abs(windows).mean(axis=1), states + 1


def ramp(frames: int, start: int = 0) -> npt.NDArray[np.int16]:
    """Samples that tell their own number, from 1 on."""
    first = start * 160 + 1
    return np.arange(first, first + frames * 160, dtype=np.int16).reshape(frames, 160)


def feed(windows: SpeechWindows, frames: npt.NDArray[np.int16]) -> list[float]:
    found = []
    for frame in frames:
        windows.hear(frame[None, :], SLOT)
        found.append(float(windows.watch(SLOT)[0]))
    return found


def test_windows_follow_each_other_without_gap_or_overlap_and_bring_what_was_before_them() -> None:
    network = NotingNetwork()
    windows = SpeechWindows(network, 1)
    for frame in ramp(4):
        windows.hear(frame[None, :], SLOT)
    windows.open(SLOT)
    feed(windows, ramp(40, start=4))
    ends = [int(window[-1]) for window in network.seen]
    assert ends[0] == 4 * 160 - WINDOW_SAMPLES  # one before the newest at the opening
    assert np.all(np.diff(ends) == WINDOW_SAMPLES)
    assert ends[-1] > 44 * 160 - WINDOW_SAMPLES
    for window in network.seen:
        assert len(window) == CONTEXT_SAMPLES + WINDOW_SAMPLES
        assert np.all(np.diff(window) == 1)


def test_the_first_answer_comes_with_the_frame_that_opens() -> None:
    windows = SpeechWindows(NotingNetwork(), 1)
    windows.hear(np.full((1, 160), 8_000, np.int16), SLOT)
    windows.open(SLOT)
    assert windows.watch(SLOT)[0] > 0.1
    assert windows.hears(SLOT)[0]


def test_before_a_call_there_was_silence() -> None:
    network = NotingNetwork()
    windows = SpeechWindows(network, 1)
    windows.hear(ramp(1), SLOT)
    windows.open(SLOT)
    windows.watch(SLOT)
    newest = network.seen[-1]
    assert newest[-160:].tolist() == ramp(1)[0].tolist()
    assert not newest[:-160].any()


def test_nothing_is_computed_for_a_call_that_nobody_watches() -> None:
    network = NotingNetwork()
    windows = SpeechWindows(network, 2)
    for frame in ramp(30):
        windows.hear(np.stack([frame, frame]), np.array([0, 1]))
    assert windows.windows == 0
    windows.open(np.array([1]))
    windows.watch(np.array([1]))
    assert windows.windows == len(network.seen) == 2


def test_a_closed_call_is_heard_no_more_and_its_state_waits() -> None:
    network = NotingNetwork()
    windows = SpeechWindows(network, 1)
    windows.open(SLOT)
    feed(windows, np.full((20, 160), 20_000, np.int16))
    windows.close(SLOT)
    assert not windows.hears(SLOT)[0]
    known = network.counts[-1]
    for frame in ramp(5):
        windows.hear(frame[None, :], SLOT)
    windows.open(SLOT)
    windows.watch(SLOT)
    assert network.counts[-1] == known + 2


@pytest.mark.parametrize(("level", "is_cleared"), [(0, True), (20_000, False)])
def test_the_state_is_cleared_in_calm_only(level: int, is_cleared: bool) -> None:
    network = NotingNetwork()
    windows = SpeechWindows(network, 1)
    windows.open(SLOT)
    loud = round(FRESH_S / FRAME_S) - 10
    feed(windows, np.full((loud, 160), 20_000, np.int16))
    feed(windows, np.full((40, 160), level, np.int16))
    assert (0 in network.counts[5:]) is is_cleared
    if is_cleared:
        cleared = network.counts.index(0, 5)
        assert cleared >= FRESH_S * 8_000 / WINDOW_SAMPLES
        calm = [int(np.abs(window).max()) for window in network.seen[:cleared]]
        assert not any(calm[-CALM_WINDOWS:])


def test_a_new_call_knows_nothing_of_the_one_before() -> None:
    network = NotingNetwork()
    windows = SpeechWindows(network, 1)
    windows.open(SLOT)
    feed(windows, ramp(20))
    windows.reset(0)
    windows.hear(ramp(1), SLOT)
    windows.open(SLOT)
    network.seen.clear()
    windows.watch(SLOT)
    assert not network.seen[0].any()
    assert network.counts[-2:] == [0, 1]


def test_a_burst_of_frames_loses_no_window() -> None:
    """Frames that waited are heard in the same tick, one after another."""
    network = NotingNetwork()
    windows = SpeechWindows(network, 1)
    windows.open(SLOT)
    feed(windows, ramp(100))
    seconds = 100 * FRAME_S
    assert len(network.seen) == pytest.approx(seconds * 8_000 / WINDOW_SAMPLES, abs=2)


def test_memory_grows_with_the_slots() -> None:
    windows = SpeechWindows(NotingNetwork(), 1)
    windows.open(SLOT)
    before = feed(windows, np.full((5, 160), 9_000, np.int16))[-1]
    windows.grow_to(50)
    assert windows.watch(SLOT)[0] == np.float32(before)
    windows.hear(ramp(1), np.array([49]))
