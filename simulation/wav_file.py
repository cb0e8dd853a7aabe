"""Reads and writes the two kinds of WAV file the clips come in: 16-bit PCM and G.711 mu-law."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulation.errors import ClipUnreadable
from telephony import g711

_PCM, _MULAW, _EXTENSIBLE = 1, 7, 0xFFFE


@dataclass(frozen=True, slots=True)
class Sound:
    """Mono sound: int16 samples of shape ``(n,)`` and their rate."""

    samples: npt.NDArray[np.int16]
    rate_hz: int


def read_wav(data: bytes) -> Sound:
    """Parse a RIFF/WAVE file; several channels are averaged into one.

    Raises:
        ClipUnreadable: Not a WAV file, or neither 16-bit PCM nor 8-bit mu-law.
    """
    if len(data) < 12 or data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise ClipUnreadable("not a WAV file: the RIFF/WAVE header is missing")
    form: tuple[int, int, int, int] | None = None
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        body = data[at + 8 : at + 8 + size]
        if name == b"fmt " and len(body) >= 16:
            tag, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", body)
            if tag == _EXTENSIBLE and len(body) >= 26:
                tag = struct.unpack_from("<H", body, 24)[0]
            form = (tag, channels, rate_hz, bits)
        elif name == b"data":
            if form is None:
                raise ClipUnreadable("a WAV file whose data chunk comes before its fmt chunk")
            return _decode(body, form)
        at += 8 + size + (size & 1)
    raise ClipUnreadable("a WAV file without a data chunk")


def _decode(body: bytes, form: tuple[int, int, int, int]) -> Sound:
    tag, channels, rate_hz, bits = form
    if channels < 1 or rate_hz < 1:
        raise ClipUnreadable(f"a WAV file with {channels} channels at {rate_hz} Hz")
    if tag == _MULAW and bits == 8:
        samples = np.asarray(g711.decode(body), dtype=np.int16)
    elif tag == _PCM and bits == 16:
        samples = np.frombuffer(body[: len(body) & ~1], dtype="<i2").astype(np.int16)
    else:
        raise ClipUnreadable(
            f"WAV format {tag} with {bits} bits: convert it to 16-bit PCM or 8-bit mu-law"
        )
    if channels > 1:
        whole = samples[: len(samples) // channels * channels].reshape(-1, channels)
        samples = (whole.astype(np.int32).sum(axis=1) // channels).astype(np.int16)
    return Sound(samples, rate_hz)


def write_wav(sound: Sound) -> bytes:
    """Serialise as 16-bit PCM, mono."""
    body = sound.samples.astype("<i2").tobytes()
    header = struct.pack("<HHIIHH", _PCM, 1, sound.rate_hz, sound.rate_hz * 2, 2, 16)
    return b"".join(
        [
            b"RIFF",
            struct.pack("<I", 36 + len(body)),
            b"WAVEfmt ",
            struct.pack("<I", 16),
            header,
            b"data",
            struct.pack("<I", len(body)),
            body,
        ]
    )
