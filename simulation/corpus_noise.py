"""The line of a call: what is heard besides its caller, as a loop of samples.

Every call has line noise between -58 and -35 dBFS. Some have more: white noise, hum of the mains,
or babble, which is other speakers of the recordings talking at once. Levels of these are given as
a signal-to-noise ratio against speech at its nominal level.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

import numpy as np

from simulation.clip_library import SAMPLE_RATE_HZ, Clip
from simulation.corpus_speech import linear
from simulation.corpus_turn import Samples

NoiseKind = Literal["line", "white", "hum", "babble"]
NOISES: tuple[NoiseKind, ...] = ("line", "white", "hum", "babble")
SPEECH_DBFS = -23.0
_LOOP_S = 12
_BABBLERS = 5
_HUM_HZ = (50.0, 100.0, 150.0)
_HUM_PARTS = (1.0, 0.5, 0.3)
# Share of calls, and the signal-to-noise ratios of each kind in dB.
_MIX: tuple[tuple[NoiseKind, float, float, float], ...] = (
    ("line", 0.70, 0.0, 0.0),
    ("white", 0.10, 15.0, 30.0),
    ("hum", 0.08, 12.0, 25.0),
    ("babble", 0.12, 12.0, 30.0),
)
_LINE_DBFS = (-58.0, -35.0)


@dataclass(frozen=True, slots=True)
class LineNoise:
    """What is heard in one call.

    Attributes:
        kind: The loudest part of it.
        line_dbfs: Level of the line's own noise.
        snr_db: Of what comes on top; None when nothing does.
    """

    kind: NoiseKind
    line_dbfs: float
    snr_db: float | None = None

    def __str__(self) -> str:
        """For tables."""
        return self.kind if self.snr_db is None else f"{self.kind} {self.snr_db:.0f} dB"


def draw_noise(random: Random, only: NoiseKind | None = None) -> LineNoise:
    """The noise of one call; of one kind if ``only`` says so."""
    choices = [mix for mix in _MIX if only in (None, mix[0])]
    kind, _, low, high = random.choices(choices, [mix[1] for mix in choices])[0]
    # Quiet lines are common and loud ones rare: the square of an even draw.
    part = random.random() ** 2
    line_dbfs = _LINE_DBFS[0] + part * (_LINE_DBFS[1] - _LINE_DBFS[0])
    if kind == "line":
        return LineNoise(kind, line_dbfs)
    return LineNoise(kind, min(line_dbfs, -50.0), random.uniform(low, high))


def noise_loop(noise: LineNoise, clips: Sequence[Clip], seed: str) -> Samples:
    """Twelve seconds of it, to be repeated.

    Args:
        noise: What.
        clips: Speech for babble.
        seed: Decides the samples.
    """
    random = Random(seed)
    generator = np.random.default_rng(random.getrandbits(64))
    length = _LOOP_S * SAMPLE_RATE_HZ
    total = generator.standard_normal(length) * _amplitude(noise.line_dbfs)
    if noise.snr_db is not None:
        level = _amplitude(SPEECH_DBFS - noise.snr_db)
        if noise.kind == "white":
            total += generator.standard_normal(length) * level
        elif noise.kind == "hum":
            total += _hum(length) * level
        else:
            total += _babble(clips, length, random) * level
    return np.clip(total, -32_768, 32_767).astype(np.int16)


def _amplitude(dbfs: float) -> float:
    return 32_768.0 * math.pow(10.0, dbfs / 20.0)


def _hum(length: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    time_s = np.arange(length) / SAMPLE_RATE_HZ
    wave = np.zeros(length)
    for hz, part in zip(_HUM_HZ, _HUM_PARTS, strict=True):
        wave += part * np.sin(2 * math.pi * hz * time_s)
    return wave / math.sqrt(float(np.square(wave).mean()))


def _babble(
    clips: Sequence[Clip], length: int, random: Random
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    wave = np.zeros(length)
    speakers = [clip for clip in clips if clip.duration_s > 1.0]
    for _ in range(_BABBLERS):
        voice = linear(random.choice(speakers)).astype(np.float64)
        wave += np.resize(np.roll(voice, random.randrange(len(voice))), length)
    return wave / max(1.0, math.sqrt(float(np.square(wave).mean())))
