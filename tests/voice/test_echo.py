"""Whose voice is it: the caller's, or ours coming back?"""

from __future__ import annotations

import numpy as np
import pytest

from voice.ducking import Gain, at_gain
from voice.echo import FLOOR_DB, EchoGate, SentLevels
from voice.ports import FRAME_S, FRAME_SAMPLES

FULL = b"\x80" * FRAME_SAMPLES
QUIET = b"\xff" * FRAME_SAMPLES


def syllables(frames: int, seed: int) -> np.ndarray:
    """Levels of somebody who speaks, dBFS: syllables of 100 to 300 ms and pauses between words."""
    dice = np.random.default_rng(seed)
    levels: list[float] = []
    while len(levels) < frames:
        peak = dice.uniform(-30.0, -15.0)
        length = int(dice.integers(5, 15))
        levels += list(peak - 12.0 * np.abs(np.linspace(-1.0, 1.0, length)))
        if dice.random() < 0.3:
            levels += [-70.0] * int(dice.integers(5, 20))
    return np.array(levels[:frames])


class Call:
    """Our voice, frame by frame, and what the caller's side sends."""

    def __init__(self, *, jitter: bool = False, at: float = 1000.0) -> None:
        self.sent = SentLevels()
        self.gate = EchoGate(self.sent)
        self.at = at
        self.jitter = np.random.default_rng(5) if jitter else None

    def play(self, ours_db: np.ndarray, theirs_db: np.ndarray) -> list[bool]:
        """For each frame that is speech: does an echo explain it?"""
        explained = []
        for ours, theirs in zip(ours_db, theirs_db, strict=True):
            self.sent.note(at_gain(FULL, min(ours, 0.0)), self.at)
            late = float(self.jitter.uniform(0.0, 0.018)) if self.jitter is not None else 0.0
            is_speech = bool(theirs > -50.0)
            found = self.gate.hear(theirs, is_speech=is_speech, now=self.at + FRAME_S + late)
            if is_speech:
                explained.append(found)
            self.at += FRAME_S
        return explained


def echo_of(ours_db: np.ndarray, lag: int, loss_db: float, noise_db: float = -55.0) -> np.ndarray:
    """What comes back, over the noise of the line."""
    back = np.concatenate([np.full(lag, -90.0), ours_db])[: len(ours_db)] - loss_db
    return 10.0 * np.log10(10.0 ** (back / 10.0) + 10.0 ** (noise_db / 10.0))


@pytest.mark.parametrize("lag", [3, 8, 15, 20])
@pytest.mark.parametrize("loss_db", [12.0, 20.0])
@pytest.mark.parametrize("jitter", [False, True])
def test_an_echo_is_known_within_seconds(lag: int, loss_db: float, jitter: bool) -> None:
    ours = syllables(400, seed=lag)
    explained = Call(jitter=jitter).play(ours, echo_of(ours, lag, loss_db))
    later = explained[len(explained) // 4 :]
    assert sum(later) >= 0.85 * len(later)


def test_somebody_else_is_hardly_ever_an_echo() -> None:
    """Twelve seconds of both at once, many times: two voices agree by chance now and then."""
    shares = []
    for seed in range(40):
        explained = Call().play(syllables(600, seed), syllables(600, seed + 100))
        shares.append(sum(explained) / len(explained))
    assert np.mean(shares) <= 0.02
    assert max(shares) <= 0.15


def test_who_begins_to_speak_when_we_do_is_not_an_echo() -> None:
    silence = np.full(60, -70.0)
    shares = []
    for seed in range(20):
        call = Call()
        for number in range(4):
            ours = np.concatenate([silence, syllables(60, seed + number)])
            theirs = np.concatenate([silence[:50], syllables(60, seed + 50 + number), silence[:10]])
            explained = call.play(ours, theirs)
            shares.append(sum(explained) / len(explained))
    assert np.mean(shares) <= 0.01
    assert max(shares) <= 0.15


def test_a_caller_over_an_echo_is_the_caller() -> None:
    ours = syllables(400, seed=3)
    call = Call()
    echo = echo_of(ours, 8, 20.0)
    call.play(ours[:300], echo[:300])
    both = np.maximum(echo[300:], -22.0)
    assert call.gate.is_coherent
    assert sum(call.play(ours[300:], both)) <= 10


def test_an_echo_that_follows_our_own_fading_is_still_one() -> None:
    """We are turned down because of it, and it is turned down with us."""
    ours = syllables(300, seed=9)
    call = Call()
    call.play(ours[:200], echo_of(ours[:200], 8, 15.0))
    ducked = ours[200:] - 18.0
    assert all(call.play(ducked, echo_of(ducked, 8, 15.0)))


def test_silence_on_our_side_explains_nothing() -> None:
    call = Call()
    ours = syllables(300, seed=4)
    call.play(ours, echo_of(ours, 8, 15.0))
    quiet = np.full(100, -90.0)
    explained = call.play(quiet, np.full(100, -25.0))
    assert not any(explained)


def test_what_was_cleared_was_not_heard() -> None:
    sent = SentLevels()
    sent.note(FULL * 10, 5.0)
    sent.cut(5.1)
    levels = sent.before(5.3)
    assert levels[-1] == pytest.approx(FLOOR_DB) or levels[-1] > -1.0
    heard = [level > -10.0 for level in sent.before(5.24)]
    assert heard[:4] == [False] * 4
    assert any(heard[5:])


def test_a_rest_of_a_frame_takes_its_place() -> None:
    sent = SentLevels()
    sent.note(FULL[:80] + QUIET * 3, 5.01)
    assert sent.before(5.04)[0] == pytest.approx(-3.4, abs=0.5)
    assert sent.before(5.06)[0] == pytest.approx(FLOOR_DB)


def test_memory_does_not_grow() -> None:
    sent = SentLevels()
    for number in range(2_000):
        sent.note(Gain().apply(FULL), 5.0 + number * FRAME_S)
    assert sent._levels_db.nbytes + sent._slots.nbytes < 4_096
