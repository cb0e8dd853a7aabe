"""A voice of one level: whatever is softer at the ear was made softer on the way."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from simulation.voice_sound import SAMPLE_RATE_HZ, Speech, spread_chars
from telephony import g711

_AMPLITUDE = 6_000
_HZ = 1_000  # a whole period each millisecond: every window of 5 ms has the same level
RMS = _AMPLITUDE / math.sqrt(2)
_CHAR_S = 1 / 15
_HAN_S = 1 / 4.5
_FRAME_S = 0.02


class SteadyVoice:
    """A tone for as long as it would take to say the text."""

    def speak(self, text: str, language: str, voice: str) -> Speech:
        """Hold the tone; all voices and languages sound the same."""
        return _tone(text)


@lru_cache(maxsize=256)
def _tone(text: str) -> Speech:
    said_s = sum(_HAN_S if "\u3400" <= char <= "\u9fff" else _CHAR_S for char in text)
    frames = max(1, math.ceil(round(said_s / _FRAME_S, 6)))
    count = round(frames * _FRAME_S * SAMPLE_RATE_HZ)
    wave = _AMPLITUDE * np.sin(2 * np.pi * _HZ * (np.arange(count) + 0.5) / SAMPLE_RATE_HZ)
    ulaw = bytes(g711.encode(np.rint(wave).astype(np.int16)))
    return Speech(text, ulaw, spread_chars(text, [], count / SAMPLE_RATE_HZ))
