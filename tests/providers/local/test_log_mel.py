"""The spectrogram against numbers of the encoder's own extractor, and against its definition."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from providers.local.doubling import _TAPS, doubled
from providers.local.log_mel import FRAMES, MELS, SAMPLES, LogMel

FIXTURE = Path(__file__).parents[2] / "fixtures" / "local" / "log_mel.csv"
Floats = npt.NDArray[np.float32]


def log_mel(wave: Floats) -> Floats:
    return LogMel().of(wave)


def chirps() -> Floats:
    """Silence, then a rising tone with a beating one over it, and a gap."""
    time_s = np.arange(SAMPLES) / 16_000
    beats = np.sin(2 * np.pi * 2 * time_s) > 0
    wave = 0.3 * np.sin(2 * np.pi * (200 * time_s + 150 * time_s**2))
    wave += 0.1 * np.sin(2 * np.pi * 3_000 * time_s) * beats
    wave[:40_000] = 0
    wave[100_000:104_000] = 0
    return wave.astype(np.float32)


def test_it_is_what_the_encoder_was_trained_with() -> None:
    """Every eighth band and fortieth frame, as the extractor of the published model makes them."""
    known = np.loadtxt(FIXTURE, delimiter=",")
    assert log_mel(chirps())[::8, ::40] == pytest.approx(known, abs=2e-4)


@pytest.mark.parametrize("hz", [250.0, 1_000.0, 2_500.0, 6_000.0])
def test_a_tone_is_in_its_band(hz: float) -> None:
    wave = np.sin(2 * np.pi * hz * np.arange(SAMPLES) / 16_000).astype(np.float32)
    loudest = int(log_mel(wave)[:, 400].argmax())
    mel = hz * 3 / 200 if hz < 1_000 else 15 + 27 * np.log(hz / 1_000) / np.log(6.4)
    highest = 15 + 27 * np.log(8) / np.log(6.4)
    assert loudest == pytest.approx(mel / highest * (MELS + 1) - 1, abs=1.0)


def test_the_level_of_a_line_does_not_matter() -> None:
    assert np.allclose(log_mel(chirps() * np.float32(0.1)), log_mel(chirps()), atol=1e-2)


def test_silence_has_a_spectrogram_too() -> None:
    silent = log_mel(np.zeros(SAMPLES, np.float32))
    assert silent.shape == (MELS, FRAMES)
    assert silent.dtype == np.float32
    assert np.isfinite(silent).all()


def test_nothing_of_one_spectrogram_is_left_in_the_next() -> None:
    made = LogMel()
    first = made.of(chirps()).copy()
    made.of(np.ones(SAMPLES, np.float32))
    assert np.array_equal(made.of(chirps()), first)


def test_each_takes_little_memory_of_its_own() -> None:
    """Asked several times a second: what is taken anew leaves holes in the heap."""
    wave, made = chirps(), LogMel()
    tracemalloc.start()
    try:
        made.of(wave)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 300_000


def test_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="128000"):
        log_mel(np.zeros(16_000, np.float32))


# --- twice the rate -------------------------------------------------------------------------------


def spectrum_db(wave: Floats, hz: float) -> float:
    """Level of a tone in a wave of 16 kHz, dB."""
    inner = wave[1_000:-1_000]
    turns = np.exp(-2j * np.pi * hz * np.arange(len(inner)) / 16_000) * np.hanning(len(inner))
    return float(20 * np.log10(np.abs((inner * turns).sum()) / np.hanning(len(inner)).sum() * 2))


@pytest.mark.parametrize(
    ("hz", "image_db"), [(300, -65), (1_000, -65), (2_000, -65), (2_900, -65), (3_400, -49)]
)
def test_speech_passes_and_its_mirror_image_does_not(hz: int, image_db: float) -> None:
    wave = np.sin(2 * np.pi * hz * np.arange(8_000) / 8_000).astype(np.float32)
    twice = doubled(wave)
    assert len(twice) == 2 * len(wave)
    assert spectrum_db(twice, hz) == pytest.approx(0.0, abs=0.05)
    assert spectrum_db(twice, 8_000 - hz) < image_db


def test_it_stays_in_time() -> None:
    wave = np.zeros(200, np.float32)
    wave[77] = 1.0
    twice = doubled(wave)
    assert twice.argmax() == 154
    assert twice[153] == pytest.approx(twice[155])


@pytest.mark.parametrize("size", [0, 1, 5, 30])
def test_a_moment_of_sound_is_enough(size: int) -> None:
    assert len(doubled(np.ones(size, np.float32))) == 2 * size


@pytest.mark.parametrize("size", [1, 7_999, 8_000, 8_012, 20_001])
def test_long_sound_is_doubled_as_if_it_were_one_piece(size: int) -> None:
    wave = np.random.default_rng(size).standard_normal(size).astype(np.float32)
    between = np.convolve(np.pad(wave, (11, 12)), _TAPS, mode="valid")
    out = np.ones(2 * size, np.float32)
    assert doubled(wave, out=out) is out
    assert np.array_equal(out[0::2], wave)
    assert np.array_equal(out[1::2], between)
