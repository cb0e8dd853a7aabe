"""The network and its weights: what it says of speech, of silence, and alone or in a batch."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pytest

from providers.local.errors import LocalModelUnavailable
from providers.local.runtime import WEIGHTS, open_session
from providers.local.silero import CONTEXT_SAMPLES, WEIGHTS_FILE, WINDOW_SAMPLES, SileroVad

# Straight through the clip from its first sample, as the publisher's own wrapper does; every fifth.
KNOWN = (
    0.0447,
    0.0062,
    0.0042,
    0.0082,
    0.008,
    0.0076,
    0.0092,
    0.144,
    0.095,
    0.049,
    0.995,
    0.995,
    0.9999,
    0.9955,
    0.9139,
    0.9999,
    0.9997,
    0.9996,
    0.9985,
    0.9947,
    0.4433,
    0.0144,
    0.0048,
    0.0055,
    0.0022,
    0.0015,
    0.0011,
    0.0008,
    0.0007,
    0.0006,
)


def straight(silero: SileroVad, sound: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
    """Every window of one call, one after another."""
    wave = np.concatenate([np.zeros(CONTEXT_SAMPLES), sound.ravel() / 32_768]).astype(np.float32)
    state, found = np.zeros((2, 1, 128), np.float32), []
    for at in range(0, len(wave) - CONTEXT_SAMPLES - WINDOW_SAMPLES + 1, WINDOW_SAMPLES):
        window = wave[None, at : at + CONTEXT_SAMPLES + WINDOW_SAMPLES]
        probability, state = silero.probabilities(window, state)
        found.append(float(probability[0]))
    return np.array(found, np.float32)


def test_it_says_what_the_publisher_says(silero: SileroVad, spoken: npt.NDArray[np.int16]) -> None:
    found = straight(silero, spoken)
    assert found[::5] == pytest.approx(KNOWN, abs=2e-3)


def test_silence_is_silent(silero: SileroVad) -> None:
    assert straight(silero, np.zeros((50, 160), np.int16)).max() < 0.1


def test_a_batch_is_its_rows(silero: SileroVad, spoken: npt.NDArray[np.int16]) -> None:
    wave = (spoken.ravel() / 32_768).astype(np.float32)
    windows = np.stack([wave[at : at + 288] for at in range(8_000, 24_000, 1_000)])
    states = np.random.default_rng(1).normal(0, 0.1, (2, len(windows), 128)).astype(np.float32)
    together, after = silero.probabilities(windows, states)
    for row in range(len(windows)):
        alone, one = silero.probabilities(windows[row : row + 1], states[:, row : row + 1])
        assert alone[0] == pytest.approx(together[row], abs=1e-4)
        assert one[:, 0] == pytest.approx(after[:, row], abs=1e-3)


def test_weights_are_the_published_ones() -> None:
    """Each file is named with its sum in LICENCES.md, and with where it is from."""
    said = (WEIGHTS / "LICENCES.md").read_text("utf-8")
    files = sorted(WEIGHTS.glob("*.onnx"))
    assert WEIGHTS_FILE in [file.name for file in files]
    for file in files:
        line = next(line for line in said.splitlines() if f"`{file.name}`" in line)
        assert hashlib.sha256(file.read_bytes()).hexdigest() in line


def test_weights_that_are_not_there_are_named() -> None:
    with pytest.raises(LocalModelUnavailable, match=r"nothing\.onnx.*cannot load"):
        open_session("nothing.onnx")


def test_it_keeps_no_memory_for_the_most_calls_that_it_ever_heard() -> None:
    """That is not Python's, so nothing here can count it: onnxruntime is asked what it was told."""
    options = SileroVad()._session.get_session_options()
    assert not options.enable_cpu_mem_arena
    assert not options.enable_mem_pattern
    assert open_session(WEIGHTS_FILE).get_session_options().enable_cpu_mem_arena
