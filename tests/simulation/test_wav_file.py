from __future__ import annotations

import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.errors import ClipUnreadable
from simulation.wav_file import Sound, read_wav, write_wav


def wav(tag: int, channels: int, bits: int, body: bytes) -> bytes:
    form = struct.pack("<HHIIHH", tag, channels, 8_000, 8_000, 1, bits)
    chunks = b"LIST\x03\x00\x00\x00abc\x00" + b"fmt " + struct.pack("<I", 16) + form
    return b"RIFF\0\0\0\0WAVE" + chunks + b"data" + struct.pack("<I", len(body)) + body


def test_what_is_written_is_read_back() -> None:
    sound = Sound(np.array([0, 1, -1, 32_767, -32_768], dtype=np.int16), 16_000)
    back = read_wav(write_wav(sound))
    assert back.rate_hz == 16_000
    assert back.samples.tolist() == sound.samples.tolist()


def test_mulaw_is_decoded() -> None:
    assert read_wav(wav(7, 1, 8, b"\xff\x80\x00")).samples.tolist() == [0, 32_124, -32_124]


def test_channels_are_averaged() -> None:
    body = struct.pack("<4h", 100, 300, -10, -30)
    assert read_wav(wav(1, 2, 16, body)).samples.tolist() == [200, -20]


def test_other_formats_are_refused_with_a_remedy() -> None:
    with pytest.raises(ClipUnreadable, match="convert it to 16-bit PCM"):
        read_wav(wav(3, 1, 32, b"\0" * 8))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80), st.booleans())
def test_any_bytes_are_a_sound_or_unreadable(data: bytes, with_header: bool) -> None:
    whole = (b"RIFF\0\0\0\0WAVE" if with_header else b"") + data
    with suppress(ClipUnreadable):
        assert read_wav(whole).samples.dtype == np.int16
