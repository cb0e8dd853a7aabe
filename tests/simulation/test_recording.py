"""Both channels on one clock."""

from __future__ import annotations

import io
import wave

from simulation.recording import Recording


def test_channels_are_aligned_by_time() -> None:
    recording = Recording()
    recording.add_caller(100.0, b"\x80" * 8)
    recording.add_agent(100.001, b"\x00" * 4)
    recording.add_caller(100.002, b"\x80" * 2)
    samples = recording.samples()
    assert samples.shape == (18, 2)
    assert samples[:, 0].tolist() == [32124] * 8 + [0] * 8 + [32124] * 2
    assert samples[:, 1].tolist() == [0] * 8 + [-32124] * 4 + [0] * 6
    assert recording.start_s == 100.0


def test_the_file_is_stereo_8_khz_16_bits() -> None:
    recording = Recording()
    recording.add_agent(5.0, b"\xff" * 160)
    file = io.BytesIO()
    recording.write(file)
    file.seek(0)
    with wave.open(file) as again:
        shape = again.getnchannels(), again.getframerate(), again.getsampwidth(), again.getnframes()
    assert shape == (2, 8_000, 2, 160)


def test_an_empty_recording_is_an_empty_file() -> None:
    assert Recording().samples().shape == (0, 2)
