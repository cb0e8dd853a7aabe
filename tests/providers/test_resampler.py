"""The way down to 8,000 Hz, on signals."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.resampler import DELAY_S, Resampler
from providers.telephone_audio import TelephoneAudio, decode_ulaw, encode_ulaw
from telephony import g711

RATES_HZ = (11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
Samples = npt.NDArray[np.int16]


def whole(samples: Samples, rate_hz: int) -> Samples:
    resampler = Resampler(rate_hz)
    return np.concatenate((resampler.push(samples), resampler.finish()))


def tone(hz: float, rate_hz: int, seconds: float = 0.5, peak: float = 20_000) -> Samples:
    t = np.arange(round(rate_hz * seconds)) / rate_hz
    return np.rint(peak * np.sin(2 * np.pi * hz * t)).astype(np.int16)


def level_db(samples: Samples, peak: float = 20_000) -> float:
    """Against a sine of ``peak``; without the edges, where the tone begins and ends."""
    inner = samples[400:-400].astype(float)
    return float(10 * np.log10(np.mean(inner**2) / (peak**2 / 2) + 1e-12))


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("hz", [60, 300, 1_000, 2_000, 3_000, 3_300])
def test_speech_passes_in_level_and_in_time(rate_hz: int, hz: int) -> None:
    out = whole(tone(hz, rate_hz), rate_hz)
    expected = tone(hz, 8_000)
    assert abs(level_db(out)) < 0.1
    inner = slice(400, min(len(out), len(expected)) - 400)
    assert np.abs(out[inner].astype(int) - expected[inner]).max() < 200  # 1 % of the peak


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_nothing_folds_back(rate_hz: int) -> None:
    """Every tone that 8,000 Hz cannot carry is more than 60 dB down."""
    above_hz = np.linspace(4_001, rate_hz / 2 - 1, 60)
    loudest = max(level_db(whole(tone(hz, rate_hz, 0.25), rate_hz)) for hz in above_hz)
    assert loudest < -60


def test_a_sweep_leaves_no_trace_of_its_upper_part() -> None:
    """4 to 12 kHz in one second; what is left is below -60 dB at every moment."""
    t = np.arange(24_000) / 24_000
    sweep = 20_000 * np.sin(2 * np.pi * (4_050 * t + (11_900 - 4_050) / 2 * t**2))
    out = whole(np.rint(sweep).astype(np.int16), 24_000)
    # The first and the last filter length hold the clicks of switching on and off.
    assert np.abs(out[100:-100].astype(int)).max() < 20_000 * 10 ** (-60 / 20)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_an_output_waits_three_milliseconds_and_no_more(rate_hz: int) -> None:
    resampler = Resampler(rate_hz)
    given_samples = round(0.1 * rate_hz)
    out = resampler.push(np.zeros(given_samples, np.int16))
    assert DELAY_S <= 0.003
    # Seconds in less seconds out, times both rates: whole numbers.
    assert given_samples * 8_000 - len(out) * rate_hz <= 3 * 8 * rate_hz


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from((8_000, *RATES_HZ)),
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(0, 700), max_size=12),
)
def test_however_it_is_cut_the_samples_are_the_same(
    rate_hz: int, seed: int, sizes: list[int]
) -> None:
    samples = np.random.default_rng(seed).integers(-32_768, 32_768, sum(sizes)).astype(np.int16)
    resampler = Resampler(rate_hz)
    pieces = [resampler.push(piece) for piece in np.split(samples, np.cumsum(sizes)[:-1])]
    pieces.append(resampler.finish())
    out = np.concatenate(pieces)
    assert np.array_equal(out, whole(samples, rate_hz))
    assert len(out) == -(-len(samples) * 8_000 // rate_hz)


def test_full_scale_clips_and_does_not_wrap() -> None:
    square = np.where(np.arange(24_000) // 40 % 2, 32_767, -32_768).astype(np.int16)
    out = whole(square, 24_000)
    assert (out.max(), out.min()) == (32_767, -32_768)
    assert np.abs(np.diff(np.sign(out[50:-50].astype(int)))).sum() <= 2 * 24_000 / 40


@pytest.mark.parametrize("level", [-32_768, -5, 1, 1_000, 32_767])
def test_a_constant_stays_what_it_is(level: int) -> None:
    for rate_hz in RATES_HZ:
        out = whole(np.full(4_000, level, np.int16), rate_hz)
        assert set(out[100:-100].tolist()) == {level}


@pytest.mark.parametrize("rate_hz", [0, -8_000, 4_000, 96_000])
def test_other_rates_are_refused(rate_hz: int) -> None:
    with pytest.raises(ValueError, match="8000 to 48000"):
        Resampler(rate_hz)


# --- mu-law --------------------------------------------------------------------------------------


def test_both_tables_of_g711_say_the_same() -> None:
    every = np.arange(-32_768, 32_768).astype(np.int16)
    assert encode_ulaw(every) == g711.encode(every)
    codes = bytes(range(256))
    assert (decode_ulaw(codes) == g711.decode(codes)).all()


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=3_000), st.lists(st.integers(0, 3_000), max_size=6))
def test_bytes_may_be_cut_in_the_middle_of_a_sample(pcm: bytes, cuts: list[int]) -> None:
    at_once = TelephoneAudio(24_000)
    expected = at_once.push(pcm) + at_once.finish()
    pieces = TelephoneAudio(24_000)
    edges = [0, *sorted(min(cut, len(pcm)) for cut in cuts), len(pcm)]
    out = b"".join(pieces.push(pcm[a:b]) for a, b in itertools.pairwise(edges))
    assert out + pieces.finish() == expected
