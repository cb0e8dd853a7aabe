"""Is this frame speech? All calls of a process, one numpy batch for each 20 ms tick.

Rules of ``EnergyScorer``:

1. Two levels are taken of every frame: *wide*, its energy without DC, drift and mains hum (50 and
   60 Hz with two harmonics each, which are projected out), and *voice*, its energy from 200 to
   1,000 Hz, where vowels are strong and hiss is weak.
2. Every slot keeps a noise floor in dBFS for both: it falls fast and rises slowly, so the dips
   between syllables hold it down and steady noise is learnt within seconds. In the first frames
   of a call it rises fast, so a loud line is not taken for a caller who never stops.
3. Speech begins where either level stands ``margin_db`` above its floor, and goes on while either
   stands ``stay_margin_db`` above it; below ``threshold_db`` nothing is speech.

0 dBFS is a square wave of full scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from voice.ports import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE_HZ

Frames = npt.NDArray[np.int16]
Slots = npt.NDArray[np.intp]
Verdicts = npt.NDArray[np.bool_]
Levels = npt.NDArray[np.float32]

_HUM_HZ = (50.0, 60.0, 100.0, 120.0, 150.0, 180.0)
_HUM_COLUMNS = 2 + 2 * len(_HUM_HZ)
_VOICE_HZ = tuple(50.0 * n for n in range(4, 21))
_SILENCE_POWER = 1e-10  # -100 dBFS


class SpeechScorer(Protocol):
    """Scores one frame of each of many calls; a slot is a call's place in its memory."""

    def score(self, frames: Frames, slots: Slots) -> tuple[Verdicts, Levels]:
        """Score one frame for each call.

        Args:
            frames: int16, shape (n, 160), mono, 8 kHz.
            slots: shape (n,), the slot of each row; no slot twice.

        Returns:
            Whether each row is speech, shape (n,), and its level in dBFS, float32, shape (n,).
        """

    def reset(self, slot: int) -> None:
        """Forget what was learnt in ``slot``; a new call sits there."""


@dataclass(frozen=True, slots=True)
class EnergyConfig:
    """Levels in dBFS, margins in dB, rates in dB a second.

    Attributes:
        margin_db: How far speech stands above the noise floor when it begins.
        stay_margin_db: How far it stands above while it goes on.
        threshold_db: Below this nothing is speech.
        start_floor_db: The floor of a call that has just begun.
        lowest_floor_db: The floor never sinks below it; digital silence would drag it there.
        highest_floor_db: Nor rises above it: shouting over a loud street must stay speech.
        rise_db_per_s: How fast the floor follows upwards.
        learn_frames: Frames at the start of a call during which it follows faster.
        learn_db_per_s: How fast it follows upwards then.
        fall_ratio: The part of the way down that the floor goes in one frame.
    """

    margin_db: float = 9.0
    stay_margin_db: float = 5.0
    threshold_db: float = -50.0
    start_floor_db: float = -52.0
    lowest_floor_db: float = -58.0
    highest_floor_db: float = -30.0
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


class EnergyScorer:
    """Frame energy against an adaptive noise floor, one floor for each slot.

    Args:
        capacity: Slots to begin with; it grows by itself when a larger slot is scored or reset.
        config: Thresholds and rates.
    """

    def __init__(self, capacity: int, config: EnergyConfig | None = None) -> None:
        self._config = config or EnergyConfig()
        self._floor_db = self._fresh_floors(max(capacity, 1))
        self._in_speech = np.zeros(max(capacity, 1), np.bool_)
        self._to_learn = np.full(max(capacity, 1), self._config.learn_frames, np.int32)
        self._basis = _basis()

    @property
    def capacity(self) -> int:
        """Slots there is memory for now."""
        return len(self._in_speech)

    def floor_db(self, slot: int) -> float:
        """The wide noise floor learnt in ``slot``, dBFS."""
        return float(self._floor_db[slot, 0])

    def reset(self, slot: int) -> None:
        """Forget what was learnt in ``slot``; a new call sits there."""
        self._grow_to(slot + 1)
        self._floor_db[slot] = self._config.start_floor_db
        self._in_speech[slot] = False
        self._to_learn[slot] = self._config.learn_frames

    def score(self, frames: Frames, slots: Slots) -> tuple[Verdicts, Levels]:
        """Score one frame for each call; see ``SpeechScorer.score``."""
        if len(slots) == 0:
            return np.zeros(0, np.bool_), np.zeros(0, np.float32)
        self._grow_to(int(slots.max()) + 1)
        config = self._config
        level_db = self._levels_db(frames)
        floor_db = self._floor_db[slots]
        margin_db = np.where(self._in_speech[slots], config.stay_margin_db, config.margin_db)
        is_loud = level_db > np.maximum(floor_db + margin_db[:, None], config.threshold_db)
        is_speech = is_loud[:, 0] | is_loud[:, 1]
        above_db = level_db - floor_db
        to_learn = self._to_learn[slots]
        rise_db = np.where(to_learn > 0, config.learn_db_per_s, config.rise_db_per_s) * FRAME_S
        step_db = np.where(
            above_db < 0.0, config.fall_ratio * above_db, np.minimum(above_db, rise_db[:, None])
        )
        self._to_learn[slots] = np.maximum(to_learn - 1, 0)
        self._floor_db[slots] = np.clip(
            floor_db + step_db, config.lowest_floor_db, config.highest_floor_db
        )
        self._in_speech[slots] = is_speech
        return is_speech, level_db[:, 0]

    def _levels_db(self, frames: Frames) -> Levels:
        """Wide and voice level of each frame, shape (n, 2)."""
        samples = frames.astype(np.float32)
        samples *= np.float32(1.0 / 32768.0)
        parts = samples @ self._basis
        parts *= parts
        wide = np.einsum("ij,ij->i", samples, samples) - parts[:, :_HUM_COLUMNS].sum(axis=1)
        power = np.stack([wide, parts[:, _HUM_COLUMNS:].sum(axis=1)], axis=1)
        power *= np.float32(1.0 / FRAME_SAMPLES)
        levels: Levels = np.float32(10.0) * np.log10(np.maximum(power, np.float32(_SILENCE_POWER)))
        return levels

    def _fresh_floors(self, slots: int) -> Levels:
        return np.full((slots, 2), self._config.start_floor_db, np.float32)

    def _grow_to(self, size: int) -> None:
        if size <= self.capacity:
            return
        more = max(size - self.capacity, self.capacity)
        self._floor_db = np.concatenate([self._floor_db, self._fresh_floors(more)])
        self._in_speech = np.concatenate([self._in_speech, np.zeros(more, np.bool_)])
        learn = np.full(more, self._config.learn_frames, np.int32)
        self._to_learn = np.concatenate([self._to_learn, learn])
