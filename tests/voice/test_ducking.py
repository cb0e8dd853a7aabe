"""Louder and softer within mu-law."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.ducking import SILENT_DB, Gain, at_gain, levels

EVERY_CODE = bytes(range(256))


def linear(ulaw: bytes) -> np.ndarray:
    return levels()[np.frombuffer(ulaw, np.uint8)]


def test_the_levels_are_those_of_g711() -> None:
    digest = hashlib.sha256(levels().astype("<i2").tobytes()).hexdigest()
    assert digest == "3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827"


def test_no_gain_is_no_change_at_all() -> None:
    assert at_gain(EVERY_CODE, 0.0) is EVERY_CODE


def test_silence_is_one_code() -> None:
    assert set(at_gain(EVERY_CODE, SILENT_DB)) == {0xFF}
    assert set(at_gain(b"\xff\x7f", -18.0)) == {0xFF}


@pytest.mark.parametrize("gain_db", [-1.5, -6.0, -18.0, -36.0])
def test_each_code_becomes_the_nearest_to_its_scaled_value(gain_db: float) -> None:
    wanted = levels() * 10.0 ** (gain_db / 20.0)
    got = linear(at_gain(EVERY_CODE, gain_db))
    nearest = np.abs(levels()[None, :] - wanted[:, None]).min(axis=1)
    assert np.allclose(np.abs(got - wanted), nearest)


def test_the_level_of_speech_falls_by_what_was_asked() -> None:
    loud = bytes(np.random.default_rng(1).integers(0, 256, 8_000, np.uint8))
    power = [np.mean(linear(each).astype(float) ** 2) for each in (loud, at_gain(loud, -18.0))]
    assert 10 * np.log10(power[1] / power[0]) == pytest.approx(-18.0, abs=0.2)


def test_a_ramp_takes_its_time_and_only_goes_down() -> None:
    gain = Gain()
    gain.ramp(-18.0, 0.02)
    peaks = np.abs(linear(gain.apply(b"\x80" * 320)))
    assert gain.now_db == -18.0
    assert (np.diff(peaks) <= 0).all()
    assert peaks[0] > 26_000
    assert peaks[159] == peaks[319] == pytest.approx(32_124 * 10 ** (-18 / 20), rel=0.05)
    assert peaks[80] > peaks[159]


def test_a_ramp_of_no_length_is_a_jump() -> None:
    gain = Gain()
    gain.ramp(-18.0, 0.0)
    assert gain.now_db == -18.0


def test_a_ramp_goes_on_from_where_it_is() -> None:
    gain = Gain()
    gain.ramp(SILENT_DB, 0.04)
    gain.apply(b"\x80" * 160)
    assert gain.now_db == pytest.approx(-30.0)
    gain.ramp(0.0, 0.02)
    gain.apply(b"\x80" * 80)
    assert gain.now_db == pytest.approx(-15.0)
    gain.apply(b"\x80" * 160)
    assert gain.now_db == 0.0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 400), max_size=8), st.sampled_from([0.0, -6.0, -18.0, SILENT_DB]))
def test_how_audio_is_cut_into_pieces_changes_its_length_never(
    sizes: list[int], target_db: float
) -> None:
    gain = Gain()
    gain.ramp(target_db, 0.03)
    for size in sizes:
        assert len(gain.apply(b"\x80" * size)) == size
    assert SILENT_DB <= gain.now_db <= 0.0
