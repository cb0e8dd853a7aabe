"""Speech or not, on signals made here: noise, hum, and tones that come and go like syllables."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from voice.levels import EnergyScorer
from voice.noise_floor import FloorConfig

RATE_HZ = 8000
Samples = npt.NDArray[np.float64]


def noise(seconds: float, level_db: float, seed: int = 1) -> Samples:
    size = round(seconds * RATE_HZ)
    return np.random.default_rng(seed).normal(0.0, 10 ** (level_db / 20), size)


def tone(seconds: float, hz: float, level_db: float) -> Samples:
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.sqrt(2.0) * 10 ** (level_db / 20) * np.sin(2 * np.pi * hz * time_s)


def voice(seconds: float, level_db: float = -26.0) -> Samples:
    """Harmonics of 130 Hz under a 4 Hz envelope, the rhythm of syllables."""
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    harmonics = sum(np.sin(2 * np.pi * 130 * n * time_s + n) / n for n in range(1, 16))
    envelope = 0.55 - 0.45 * np.cos(2 * np.pi * 4 * time_s)
    shaped: Samples = np.asarray(harmonics) * envelope
    return shaped * 10 ** (level_db / 20) / np.sqrt(np.mean(shaped**2))


def frames(signal: Samples) -> npt.NDArray[np.int16]:
    whole = signal[: len(signal) // 160 * 160] * 32767.0
    return np.clip(whole, -32768, 32767).astype(np.int16).reshape(-1, 160)


def run(signal: Samples, scorer: EnergyScorer | None = None, slot: int = 0) -> list[bool]:
    scorer = scorer or EnergyScorer(1)
    slots = np.array([slot])
    return [bool(scorer.score(row[None, :], slots)[0][0]) for row in frames(signal)]


@pytest.mark.parametrize("noise_db", [-90.0, -58.0, -50.0, -45.0])
def test_speech_is_told_from_the_line_noise(noise_db: float) -> None:
    line = noise(3.0, noise_db)
    line[RATE_HZ : 2 * RATE_HZ] += voice(1.0)
    verdicts = run(line)
    assert sum(verdicts[50:100]) >= 40
    assert sum(verdicts[:50]) + sum(verdicts[110:]) <= 2


def test_digital_silence_is_quiet() -> None:
    assert run(np.zeros(RATE_HZ)) == [False] * 50


def test_hum_and_direct_current_are_no_speech() -> None:
    line = noise(2.0, -60.0) + tone(2.0, 50.0, -25.0) + tone(2.0, 120.0, -35.0) + 0.05
    assert not any(run(line))


def test_speech_is_heard_over_hum() -> None:
    line = noise(2.0, -58.0) + tone(2.0, 60.0, -30.0)
    line[RATE_HZ:] += voice(1.0)
    assert sum(run(line)[50:]) >= 40


def test_steady_noise_is_learnt() -> None:
    verdicts = run(np.concatenate([noise(1.0, -60.0), noise(14.0, -42.0)]))
    assert not any(verdicts[-50:])


def test_a_loud_line_is_learnt_within_its_first_moments() -> None:
    assert not any(run(noise(2.0, -40.0))[10:])


def test_pauses_between_syllables_keep_the_floor_down_during_a_long_speech() -> None:
    line = noise(12.0, -55.0)
    line[RATE_HZ:] += voice(11.0)
    scorer = EnergyScorer(1)
    verdicts = run(line, scorer)
    assert sum(verdicts[-100:]) >= 65


def test_each_slot_has_its_own_floor() -> None:
    scorer = EnergyScorer(2)
    run(noise(6.0, -38.0), scorer, slot=0)
    run(noise(6.0, -60.0), scorer, slot=1)
    assert scorer.floor_db(0) > scorer.floor_db(1) + 10.0


def test_a_batch_scores_as_its_rows_would_alone() -> None:
    calls = [noise(1.0, -50.0, seed) + (voice(1.0) if seed % 2 else 0.0) for seed in range(6)]
    together = EnergyScorer(6)
    slots = np.array([4, 0, 5, 1, 3, 2])
    rows = np.stack([frames(calls[slot]) for slot in slots])
    batch = [together.score(rows[:, at], slots)[0] for at in range(50)]
    for row, slot in enumerate(slots):
        alone = run(calls[slot], EnergyScorer(6), slot=int(slot))
        assert [bool(verdict[row]) for verdict in batch] == alone


def test_a_reset_slot_is_as_new() -> None:
    scorer = EnergyScorer(1)
    run(noise(3.0, -35.0), scorer)
    scorer.reset(0)
    assert scorer.floor_db(0) == FloorConfig().start_db
    line = noise(1.0, -58.0) + voice(1.0)
    assert run(line, scorer) == run(line)


def test_memory_grows_with_the_slots() -> None:
    scorer = EnergyScorer(1)
    run(noise(1.0, -50.0), scorer)
    before = scorer.floor_db(0)
    run(noise(0.1, -50.0), scorer, slot=40)
    scorer.reset(100)
    assert scorer.capacity > 100
    assert scorer.floor_db(0) == before


def test_levels_are_in_dbfs() -> None:
    scorer = EnergyScorer(1)
    _, levels = scorer.score(frames(tone(0.02, 1000.0, -20.0)), np.array([0]))
    assert levels.dtype == np.float32
    assert levels[0] == pytest.approx(-20.0, abs=0.2)


def test_no_calls_is_no_work() -> None:
    verdicts, levels = EnergyScorer(1).score(np.zeros((0, 160), np.int16), np.zeros(0, np.intp))
    assert len(verdicts) == len(levels) == 0
