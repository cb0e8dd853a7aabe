"""The models are loaded once for a run; a clip of speech as the scorer is given it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from providers.local.silero import SileroVad
from simulation.clip_library import load_library
from telephony import g711
from voice.ports import FRAME_SAMPLES

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="session")
def silero() -> SileroVad:
    return SileroVad()


@pytest.fixture(scope="session")
def spoken() -> npt.NDArray[np.int16]:
    """A second of line noise, "go forward ten meters" (1.51 s to 3.37 s), and a second more."""
    line = np.random.default_rng(4).normal(0.0, 12.0, 2 * 8_000).astype(np.int16)
    clip = g711.decode(load_library().clip("goforward").ulaw)
    sound = np.concatenate([line[:8_000], clip, line[8_000:]])
    return sound[: len(sound) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
