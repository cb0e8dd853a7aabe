"""G.711 mu-law at table speed.

One byte a sample, 8,000 samples a second, all bits inverted on the wire: silence is 0xFF. Both
directions are one table look-up (256 and 65,536 entries) and bit-exact to ITU-T G.711, which the
old ``audioop`` was not: it encoded 381 of the 65,536 inputs one code off.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

FRAME_BYTES = 160
"""20 ms of mu-law."""

SILENCE_FRAME = b"\xff" * FRAME_BYTES

_BIAS = 0x84
_CLIP = 32_635
_MAX_GAIN_DB = 40.0


def _decode_table() -> npt.NDArray[np.int16]:
    codes = ~np.arange(256) & 0xFF
    magnitude = ((((codes & 0x0F) << 3) + _BIAS) << ((codes >> 4) & 7)) - _BIAS
    return np.where(codes & 0x80, -magnitude, magnitude).astype(np.int16)


def _encode_table() -> npt.NDArray[np.uint8]:
    # Indexed by the sample's bits read as unsigned: 0..32767, then -32768..-1.
    samples = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.minimum(np.abs(samples), _CLIP) + _BIAS
    exponent = np.frexp(magnitude)[1] - 8  # position of the highest bit: 0..7, exact for integers
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    sign = np.where(samples < 0, 0x80, 0)
    codes: npt.NDArray[np.int32] = ~(sign | exponent << 4 | mantissa) & 0xFF
    return codes.astype(np.uint8)


_DECODE = _decode_table()
_ENCODE = _encode_table()


def decode(ulaw: bytes | bytearray | memoryview | npt.NDArray[np.uint8]) -> npt.NDArray[np.int16]:
    """Mu-law codes to linear samples.

    Args:
        ulaw: Bytes, or a uint8 array of any shape, such as (calls, 160).

    Returns:
        int16 of the same shape, within +-32,124; a new array that the caller owns.

    Raises:
        TypeError: An array of another type than uint8.
    """
    codes = ulaw if isinstance(ulaw, np.ndarray) else np.frombuffer(ulaw, dtype=np.uint8)
    if codes.dtype != np.uint8:
        raise TypeError(f"mu-law is uint8, not {codes.dtype}")
    return _DECODE.take(codes)


def encode(pcm: npt.NDArray[np.int16]) -> bytes:
    """Linear samples to mu-law codes.

    Args:
        pcm: int16, full scale +-32,767, any shape; rows follow each other in the result.

    Returns:
        One byte a sample.

    Raises:
        TypeError: An array of another type than int16: scale and convert floats before.
    """
    return encode_array(pcm).tobytes()


def encode_array(pcm: npt.NDArray[np.int16]) -> npt.NDArray[np.uint8]:
    """As ``encode``, but a uint8 array of the same shape as ``pcm``."""
    if pcm.dtype != np.int16:
        raise TypeError(f"linear samples are int16, not {pcm.dtype}")
    return _ENCODE.take(pcm.view(np.uint16))


def scale(ulaw: bytes, gain_db: float) -> bytes:
    """Make mu-law louder or softer without leaving it: one look-up a byte.

    Args:
        ulaw: Any length.
        gain_db: At most 40; ``-math.inf`` gives silence. Loud samples clip.

    Returns:
        As many bytes.

    Raises:
        ValueError: A gain that is not a number, or above 40 dB.
    """
    return ulaw.translate(_gain_table(gain_db))


@lru_cache(maxsize=64)
def _gain_table(gain_db: float) -> bytes:
    if math.isnan(gain_db) or gain_db > _MAX_GAIN_DB:
        raise ValueError(f"a gain of {gain_db} dB is not within -inf..{_MAX_GAIN_DB:g}")
    scaled = np.rint(_DECODE * 10.0 ** (gain_db / 20.0))
    return encode(np.clip(scaled, -32_768, 32_767).astype(np.int16))
