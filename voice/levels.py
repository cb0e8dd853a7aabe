"""Is this frame speech? All calls of a process, one numpy batch for each 20 ms tick.

``EnergyScorer`` asks only how loud a frame is: speech begins where either level of
``voice.noise_floor`` stands ``margin_db`` above its floor, and goes on while either stands
``stay_margin_db`` above it; below ``threshold_db`` nothing is speech. It needs no model and is what
there is when no model can be loaded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from voice.noise_floor import FloorConfig, Frames, Levels, NoiseFloors, Slots, frame_levels_db

Verdicts = npt.NDArray[np.bool_]

__all__ = ["EnergyConfig", "EnergyScorer", "Frames", "Levels", "Slots", "SpeechScorer", "Verdicts"]


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
    """Levels in dBFS, margins in dB.

    Attributes:
        margin_db: How far speech stands above the noise floor when it begins.
        stay_margin_db: How far it stands above while it goes on.
        threshold_db: Below this nothing is speech.
        floor: How the noise floor follows.
    """

    margin_db: float = 9.0
    stay_margin_db: float = 5.0
    threshold_db: float = -50.0
    floor: FloorConfig = field(default_factory=FloorConfig)


class EnergyScorer:
    """Frame energy against an adaptive noise floor, one floor for each slot.

    Args:
        capacity: Slots to begin with; it grows by itself when a larger slot is scored or reset.
        config: Thresholds and rates.
    """

    def __init__(self, capacity: int, config: EnergyConfig | None = None) -> None:
        self._config = config or EnergyConfig()
        self._floors = NoiseFloors(capacity, self._config.floor)
        self._in_speech = np.zeros(self._floors.capacity, np.bool_)

    @property
    def capacity(self) -> int:
        """Slots there is memory for now."""
        return len(self._in_speech)

    def floor_db(self, slot: int) -> float:
        """The wide noise floor learnt in ``slot``, dBFS."""
        return self._floors.wide_db(slot)

    def reset(self, slot: int) -> None:
        """Forget what was learnt in ``slot``; a new call sits there."""
        self._grow_to(slot + 1)
        self._floors.reset(slot)
        self._in_speech[slot] = False

    def score(self, frames: Frames, slots: Slots) -> tuple[Verdicts, Levels]:
        """Score one frame for each call; see ``SpeechScorer.score``."""
        if len(slots) == 0:
            return np.zeros(0, np.bool_), np.zeros(0, np.float32)
        self._grow_to(int(slots.max()) + 1)
        config = self._config
        level_db = frame_levels_db(frames)
        floor_db = self._floors.follow(level_db, slots)
        margin_db = np.where(self._in_speech[slots], config.stay_margin_db, config.margin_db)
        is_loud = level_db > np.maximum(floor_db + margin_db[:, None], config.threshold_db)
        is_speech: Verdicts = is_loud[:, 0] | is_loud[:, 1]
        self._in_speech[slots] = is_speech
        return is_speech, level_db[:, 0]

    def _grow_to(self, size: int) -> None:
        if size <= self.capacity:
            return
        self._floors.grow_to(size)
        more = self._floors.capacity - self.capacity
        self._in_speech = np.concatenate([self._in_speech, np.zeros(more, np.bool_)])
