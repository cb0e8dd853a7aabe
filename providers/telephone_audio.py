"""What providers speak as linear samples, made into what the telephone takes.

G.711 is written down a second time here: this room does not look into ``telephony``, and encoding
is one table. A test holds the two tables to each other, code by code.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from providers.resampler import Resampler

_BIAS, _CLIP = 132, 32_635


def _encode_table() -> npt.NDArray[np.uint8]:
    """Mu-law by the bits of a 16-bit sample read as unsigned."""
    pcm = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.minimum(np.abs(pcm), _CLIP) + _BIAS
    exponent = np.frexp(magnitude)[1] - 8
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    sign = np.where(pcm < 0, 0x80, 0)
    codes: npt.NDArray[np.int32] = ~(sign | (exponent << 4) | mantissa) & 0xFF
    return codes.astype(np.uint8)


_ENCODE = _encode_table()


def encode_ulaw(pcm: npt.NDArray[np.int16]) -> bytes:
    """Linear samples, full scale +-32,767, to mu-law (ITU-T G.711): one byte a sample."""
    return _ENCODE.take(pcm.view(np.uint16)).tobytes()


def _decode_table() -> npt.NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.uint8)
    magnitude = (((code & 0x0F).astype(np.int32) << 3) + _BIAS) << ((code & 0x70) >> 4)
    return np.where(code & 0x80, _BIAS - magnitude, magnitude - _BIAS).astype(np.int16)


_DECODE = _decode_table()


def decode_ulaw(ulaw: bytes) -> npt.NDArray[np.int16]:
    """Mu-law to linear samples, full scale +-32,124: shape (bytes,)."""
    samples: npt.NDArray[np.int16] = _DECODE.take(np.frombuffer(ulaw, np.uint8))
    return samples


class TelephoneAudio:
    """One stream of 16-bit little-endian mono PCM, made into mu-law at 8,000 Hz.

    Args:
        rate_hz: Of the PCM, 8,000 to 48,000.

    Raises:
        ValueError: Another rate.
    """

    def __init__(self, rate_hz: int) -> None:
        self._resampler = Resampler(rate_hz)
        self._odd = b""

    def push(self, pcm: bytes) -> bytes:
        """Take bytes, cut anywhere, in the middle of a sample included."""
        pcm = self._odd + pcm
        whole = len(pcm) & ~1
        self._odd = pcm[whole:]
        return encode_ulaw(self._resampler.push(np.frombuffer(pcm[:whole], "<i2").astype(np.int16)))

    def finish(self) -> bytes:
        """The last few samples; half a sample that was left over is dropped."""
        return encode_ulaw(self._resampler.finish())
