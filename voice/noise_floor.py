"""How loud is a frame, and how loud is it when nobody speaks? Levels and floors of many calls.

Two levels are taken of every frame of 20 ms: *wide*, its energy without DC, drift and mains hum (50
and 60 Hz with two harmonics each, which are projected out), and *voice*, its energy from 200 to
1,000 Hz, where vowels are strong and hiss is weak. 0 dBFS is a square wave of full scale.

Every slot keeps a noise floor for both: it falls fast and rises slowly, so the dips between
syllables hold it down and steady noise is learnt within seconds. In the first frames of a call it
rises fast, so a loud line is not taken for a caller who never stops.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voice.ports import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE_HZ

Frames = npt.NDArray[np.int16]
Slots = npt.NDArray[np.intp]
Levels = npt.NDArray[np.float32]

BANDS = 2  # wide, voice
_HUM_HZ = (50.0, 60.0, 100.0, 120.0, 150.0, 180.0)
_HUM_COLUMNS = 2 + 2 * len(_HUM_HZ)
_VOICE_HZ = tuple(50.0 * n for n in range(4, 21))
_SILENCE_POWER = np.float32(1e-10)  # -100 dBFS


@dataclass(frozen=True, slots=True)
class FloorConfig:
    """Levels in dBFS, rates in dB a second.

    Attributes:
        start_db: The floor of a call that has just begun.
        lowest_db: The floor never sinks below it; digital silence would drag it there.
        highest_db: Nor rises above it: shouting over a loud street must stay speech.
        rise_db_per_s: How fast the floor follows upwards.
        learn_frames: Frames at the start of a call during which it follows faster.
        learn_db_per_s: How fast it follows upwards then.
        fall_ratio: The part of the way down that the floor goes in one frame.
    """

    start_db: float = -52.0
    lowest_db: float = -58.0
    highest_db: float = -30.0
    rise_db_per_s: float = 2.0
    learn_frames: int = 10
    learn_db_per_s: float = 60.0
    fall_ratio: float = 0.3


def _waves(*hz: float) -> list[npt.NDArray[np.float64]]:
    time_s = np.arange(FRAME_SAMPLES) / SAMPLE_RATE_HZ
    turns = [2.0 * np.pi * each * time_s for each in hz]
    return [wave(turn) for turn in turns for wave in (np.cos, np.sin)]


def _basis() -> npt.NDArray[np.float32]:
    """Orthonormal columns, shape (160, 48): first DC, drift and hum, then the voice band."""
    line = np.arange(FRAME_SAMPLES, dtype=np.float64)
    columns = [np.ones(FRAME_SAMPLES), line - line.mean(), *_waves(*_HUM_HZ), *_waves(*_VOICE_HZ)]
    basis, _ = np.linalg.qr(np.stack(columns, axis=1))
    return basis.astype(np.float32)


def _shares(columns: int) -> npt.NDArray[np.float32]:
    """What the power of each column is taken to: off the wide level, or to the voice level."""
    shares = np.zeros((columns, BANDS), np.float32)
    shares[:_HUM_COLUMNS, 0] = -1.0
    shares[_HUM_COLUMNS:, 1] = 1.0
    return shares


_BASIS = _basis()
_SHARES = _shares(_BASIS.shape[1])
_TO_UNITS = np.float32(1.0 / 32_768.0)
_TO_MEAN = np.float32(1.0 / FRAME_SAMPLES)


def frame_levels_db(frames: Frames) -> Levels:
    """Wide and voice level of each frame: int16 (n, 160) to float32 (n, 2), dBFS."""
    samples = frames.astype(np.float32)
    samples *= _TO_UNITS
    parts = samples @ _BASIS
    parts *= parts
    power = parts @ _SHARES
    power[:, 0] += np.einsum("ij,ij->i", samples, samples)
    power *= _TO_MEAN
    levels: Levels = np.log10(np.maximum(power, _SILENCE_POWER, out=power), out=power)
    levels *= np.float32(10.0)
    return levels


class NoiseFloors:
    """Both floors of each slot.

    Args:
        capacity: Slots to begin with; it grows by itself.
        config: Bounds and rates.
    """

    def __init__(self, capacity: int, config: FloorConfig | None = None) -> None:
        self._config = config or FloorConfig()
        self._floor_db = self._fresh(max(capacity, 1))
        self._to_learn = np.full(max(capacity, 1), self._config.learn_frames, np.int32)
        self._rise_db = np.float32(self._config.rise_db_per_s * FRAME_S)
        self._learn_db = np.float32(self._config.learn_db_per_s * FRAME_S)

    @property
    def capacity(self) -> int:
        """Slots there is memory for now."""
        return len(self._to_learn)

    def wide_db(self, slot: int) -> float:
        """The wide floor learnt in ``slot``, dBFS."""
        return float(self._floor_db[slot, 0])

    def reset(self, slot: int) -> None:
        """Forget what was learnt in ``slot``."""
        self.grow_to(slot + 1)
        self._floor_db[slot] = self._config.start_db
        self._to_learn[slot] = self._config.learn_frames

    def follow(self, level_db: Levels, slots: Slots) -> Levels:
        """The floors as they were before these frames, shape (n, 2); then they follow them."""
        config = self._config
        before = self._floor_db[slots]
        above_db = level_db - before
        to_learn = self._to_learn[slots]
        if to_learn.any():
            rise_db = np.where(to_learn > 0, self._learn_db, self._rise_db)[:, None]
            step_db = np.minimum(above_db, rise_db)
            self._to_learn[slots] = np.maximum(to_learn - 1, 0)
        else:
            step_db = np.minimum(above_db, self._rise_db)
        np.multiply(above_db, np.float32(config.fall_ratio), out=step_db, where=above_db < 0.0)
        step_db += before
        np.maximum(step_db, config.lowest_db, out=step_db)
        np.minimum(step_db, config.highest_db, out=step_db)
        self._floor_db[slots] = step_db
        return before

    def grow_to(self, size: int) -> None:
        """Make room for ``size`` slots at least."""
        if size <= self.capacity:
            return
        more = max(size - self.capacity, self.capacity)
        self._floor_db = np.concatenate([self._floor_db, self._fresh(more)])
        learn = np.full(more, self._config.learn_frames, np.int32)
        self._to_learn = np.concatenate([self._to_learn, learn])

    def _fresh(self, slots: int) -> Levels:
        return np.full((slots, BANDS), self._config.start_db, np.float32)
