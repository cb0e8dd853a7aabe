"""A breath: the sound of somebody who is about to speak. It belongs to no language and no voice.

Noise shaped to the mouth of a person who breathes in: a band from 500 to 2,500 Hz that rises over
the breath, with a slow attack and a soft end, about 38 dB below full scale. Always the same.
"""

from __future__ import annotations

import functools
from typing import Final

import numpy as np

from providers.telephone_audio import encode_ulaw
from voice.ports import FRAME_SAMPLES, SAMPLE_RATE_HZ

BREATH_S: Final = 0.36
_LEVEL_DBFS = -38.0
_LOW_HZ = (450.0, 800.0)
_HIGH_HZ = (1_600.0, 2_600.0)
_BLOCK = 512


@functools.cache
def breath() -> bytes:
    """mu-law, 8 kHz, mono, a whole number of frames."""
    length = round(BREATH_S * SAMPLE_RATE_HZ) // FRAME_SAMPLES * FRAME_SAMPLES
    noise = np.random.default_rng(8_000).standard_normal(length + 2 * _BLOCK)
    shaped = np.zeros(length + 2 * _BLOCK)
    window = np.hanning(_BLOCK)
    hertz = np.fft.rfftfreq(_BLOCK, 1 / SAMPLE_RATE_HZ)
    for start in range(0, length + _BLOCK, _BLOCK // 2):
        at = min(start / length, 1.0)
        low, high = (begin + (end - begin) * at for begin, end in (_LOW_HZ, _HIGH_HZ))
        spectrum = np.fft.rfft(noise[start : start + _BLOCK] * window)
        gain = np.exp(-(((hertz - (low + high) / 2) / ((high - low) / 2)) ** 2))
        shaped[start : start + _BLOCK] += np.fft.irfft(spectrum * gain, _BLOCK)
    sound = shaped[_BLOCK // 2 : _BLOCK // 2 + length]
    time = np.linspace(0.0, 1.0, length)
    sound = sound * np.minimum(time / 0.6, 1.0) ** 1.5 * np.minimum((1.0 - time) / 0.25, 1.0)
    sound *= 10 ** (_LEVEL_DBFS / 20) * 32_768 / np.sqrt(np.mean(sound**2))
    return encode_ulaw(np.round(sound).astype(np.int16))
