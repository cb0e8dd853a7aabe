"""A recording inside the page: to listen to, and to look at."""

from __future__ import annotations

import base64
import struct

import numpy as np
from numpy.typing import NDArray

from simulation.report_data import SAMPLE_RATE_HZ
from telephony import g711

_MULAW = 7
_COLUMNS_PER_S = 100
_MOST_COLUMNS = 1_500
_HALF = 50  # half the height of a waveform, in units of its view box
_QUIETEST_PEAK = 2_000  # below this a channel is not blown up to full height


def stereo_wav(left: NDArray[np.int16], right: NDArray[np.int16]) -> bytes:
    """A WAV of two channels in G.711 mu-law (format tag 7), half the size of 16-bit PCM.

    Args:
        left: int16, shape (n_samples,), 8 kHz.
        right: Likewise; the shorter channel is padded with silence.
    """
    stereo = np.zeros((max(len(left), len(right)), 2), np.int16)
    stereo[: len(left), 0] = left
    stereo[: len(right), 1] = right
    body = g711.encode(stereo.reshape(-1))
    form = struct.pack("<HHIIHHH", _MULAW, 2, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ * 2, 2, 8, 0)
    # RFC 2361 wants a fact chunk (samples a channel) with every format but PCM.
    chunks = [(b"fmt ", form), (b"fact", struct.pack("<I", len(stereo))), (b"data", body)]
    riff = b"WAVE" + b"".join(name + struct.pack("<I", len(data)) + data for name, data in chunks)
    return b"RIFF" + struct.pack("<I", len(riff)) + riff


def as_data_uri(wav: bytes) -> str:
    """The WAV as the source of an audio element."""
    return "data:audio/wav;base64," + base64.b64encode(wav).decode("ascii")


def wave_path(pcm: NDArray[np.int16], duration_s: float) -> tuple[str, float]:
    """The outline of a channel as an SVG path, and the width of its view box.

    Args:
        pcm: int16, shape (n_samples,), 8 kHz.
        duration_s: Length of the picture; silence beyond the samples.

    Returns:
        Path data in a view box of (width, 100), symmetric about 50; the width is ``duration_s`` to
        the sample, so that the picture lines up with everything placed by time.
    """
    total_samples = max(1, round(duration_s * SAMPLE_RATE_HZ))
    wanted = max(1, min(_MOST_COLUMNS, round(duration_s * _COLUMNS_PER_S)))
    column_samples = -(-total_samples // wanted)
    columns = -(-total_samples // column_samples)
    padded = np.zeros(columns * column_samples, np.int32)
    used = min(len(pcm), total_samples)
    padded[:used] = np.abs(pcm[:used].astype(np.int32))
    peaks = padded.reshape(columns, column_samples).max(axis=1)
    loudest = max(float(np.quantile(peaks, 0.995)), _QUIETEST_PEAK)
    # The square root shows soft speech beside loud speech, as the ear has it.
    heights = np.rint(np.sqrt(np.minimum(peaks / loudest, 1.0)) * (_HALF - 2)).astype(int)
    upper = [f"{x} {_HALF - height}" for x, height in enumerate(heights)]
    lower = [f"{x} {_HALF + height}" for x, height in reversed(list(enumerate(heights)))]
    return "M" + "L".join(upper + lower) + "Z", total_samples / column_samples
