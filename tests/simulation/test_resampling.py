from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.resampling import _filter_block, resample


def tone(hz: float, rate_hz: int, seconds: float = 0.5) -> np.ndarray:
    t = np.arange(int(rate_hz * seconds)) / rate_hz
    return (10_000 * np.sin(2 * np.pi * hz * t)).astype(np.int16)


def level(samples: np.ndarray) -> float:
    middle = samples[len(samples) // 4 : -len(samples) // 4].astype(float)
    return float(np.sqrt(np.mean(middle**2)))


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 44_100])
@pytest.mark.parametrize("hz", [300, 1_000, 3_000])
def test_speech_passes_unchanged(rate_hz: int, hz: int) -> None:
    out = resample(tone(hz, rate_hz), rate_hz, 8_000)
    expected = tone(hz, 8_000)
    assert abs(len(out) - len(expected)) <= 1
    middle = slice(400, len(expected) - 400)
    assert np.abs(out[middle].astype(int) - expected[middle]).max() < 30


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 44_100])
@pytest.mark.parametrize("hz", [4_200, 5_000, 7_000])
def test_what_cannot_be_carried_is_removed_and_not_folded_back(rate_hz: int, hz: int) -> None:
    assert level(resample(tone(hz, rate_hz), rate_hz, 8_000)) < level(tone(hz, rate_hz)) / 1_000


def test_sums_are_exact_so_that_every_machine_gives_the_same_bytes() -> None:
    """The matrix product equals integer arithmetic, whatever the order of additions."""
    samples = np.random.default_rng(1).integers(-32_768, 32_768, 400).astype(np.int16)
    matrix, advance, outputs, side = _filter_block(1, 2)
    padded = np.zeros(advance * 20 + 2 * side, dtype=np.int64)
    padded[side : side + 400] = samples
    expected = []
    for block in range(-(-200 // outputs)):
        window = padded[block * advance : block * advance + len(matrix)]
        for column in range(outputs):
            total = sum(int(a) * int(b) for a, b in zip(window, matrix[:, column], strict=True))
            expected.append(max(-32_768, min(32_767, (total + (1 << 14)) >> 15)))
    assert resample(samples, 16_000, 8_000).tolist() == expected[:200]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(-32_768, 32_767), max_size=300),
    st.sampled_from([8_000, 11_025, 16_000, 22_050, 44_100, 48_000]),
)
def test_the_length_follows_the_rates(values: list[int], rate_hz: int) -> None:
    out = resample(np.array(values, dtype=np.int16), rate_hz, 8_000)
    assert len(out) == -(-len(values) * 8_000 // rate_hz)


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        resample(np.zeros(4, dtype=np.int16), 0, 8_000)
