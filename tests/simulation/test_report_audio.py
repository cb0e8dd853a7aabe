from __future__ import annotations

import base64
import math
import re
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.report_audio import as_data_uri, stereo_wav, wave_path
from simulation.wav_file import read_wav
from telephony import g711
from tests.simulation.report_samples import tone


def test_both_channels_are_in_the_file_padded_to_the_longer() -> None:
    left, right = tone(0.1), tone(0.05, 500)
    wav = stereo_wav(left, right)
    tag, channels, rate_hz = struct.unpack_from("<HHI", wav, 20)
    assert (tag, channels, rate_hz) == (7, 2, 8_000)
    body = wav[wav.index(b"data") + 8 :]
    decoded = g711.decode(body).reshape(-1, 2)
    assert len(decoded) == 800
    assert np.array_equal(decoded[:, 0], g711.decode(g711.encode(left)))
    assert not decoded[400:, 1].any()


@settings(max_examples=20)
@given(st.integers(0, 50), st.integers(0, 50))
def test_any_length_is_a_sound_file(left: int, right: int) -> None:
    wav = stereo_wav(np.ones(left, np.int16), np.ones(right, np.int16))
    assert struct.unpack_from("<I", wav, 4)[0] == len(wav) - 8
    assert len(read_wav(wav).samples) == max(left, right)


def test_a_data_uri_holds_the_same_bytes() -> None:
    uri = as_data_uri(b"RIFFx")
    assert base64.b64decode(uri.removeprefix("data:audio/wav;base64,")) == b"RIFFx"


@pytest.mark.parametrize(
    ("samples", "duration_s"), [(0, 0.02), (8_000, 2.0), (8_000, 0.5), (800_000, 100.0)]
)
def test_the_outline_stays_in_its_box(samples: int, duration_s: float) -> None:
    path, width = wave_path(np.full(samples, -32_768, np.int16), duration_s)
    points = [(int(x), int(y)) for x, y in re.findall(r"(\d+) (\d+)", path)]
    assert len(points) == 2 * math.ceil(width) <= 3_000
    assert all(0 <= x < width and 0 <= y <= 100 for x, y in points)


def test_silence_is_a_flat_line_and_speech_is_not() -> None:
    flat, _ = wave_path(np.zeros(8_000, np.int16), 1.0)
    loud, _ = wave_path(tone(1.0), 1.0)
    assert set(re.findall(r"\d+ (\d+)", flat)) == {"50"}
    assert "2" in re.findall(r"\d+ (\d+)", loud)


@pytest.mark.parametrize("duration_s", [1.0, 34.57, 200.0])
def test_a_sound_is_drawn_at_its_time(duration_s: float) -> None:
    pcm = np.zeros(round(duration_s * 8_000), np.int16)
    pcm[-1] = 20_000
    path, width = wave_path(pcm, duration_s)
    (x,) = {int(x) for x, y in re.findall(r"(\d+) (\d+)", path) if y == "2"}
    assert x / width <= 1 <= (x + 1) / width
