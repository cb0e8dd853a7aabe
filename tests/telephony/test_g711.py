from __future__ import annotations

import ast
import hashlib
import inspect
import math
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony import g711
from tests.telephony.properties import examples

ALL_CODES = bytes(range(256))


@pytest.mark.parametrize(
    ("sample", "code"),
    [
        (0, 0xFF),
        (8, 0xFE),
        (-8, 0x7E),
        (100, 0xF2),
        (-100, 0x72),
        (1000, 0xCE),
        (-1000, 0x4E),
        (32767, 0x80),
        (-32768, 0x00),
    ],
)
def test_encodes_the_golden_samples(sample: int, code: int) -> None:
    assert g711.encode(np.array([sample], dtype=np.int16)) == bytes([code])


@pytest.mark.parametrize(
    ("code", "sample"),
    [(0xFF, 0), (0x7F, 0), (0x00, -32124), (0x80, 32124), (0xD5, 716), (0x55, -716)],
)
def test_decodes_the_golden_codes(code: int, sample: int) -> None:
    assert g711.decode(bytes([code])).tolist() == [sample]


def test_every_code_decodes_as_the_standard_says() -> None:
    decoded = g711.decode(ALL_CODES).astype("<i2").tobytes()
    digest = "3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827"
    assert hashlib.sha256(decoded).hexdigest() == digest


def test_every_sample_encodes_as_the_standard_says() -> None:
    codes = g711.encode(np.arange(-32768, 32768).astype(np.int16))
    digest = "5ee7cf5f273f842d2234121e4cb0c98d6b20a99ac29026f94e05b36955b195be"
    assert hashlib.sha256(codes).hexdigest() == digest


def test_encodes_a_sine() -> None:
    sine = [round(10_000 * math.sin(2 * math.pi * 1_000 * n / 8_000)) for n in range(8)]
    assert g711.encode(np.array(sine, dtype=np.int16)).hex(" ") == "ff a3 9c a3 ff 23 1c 23"


def test_decoding_and_encoding_again_changes_nothing_but_negative_zero() -> None:
    expected = ALL_CODES.replace(b"\x7f", b"\xff")
    assert g711.encode(g711.decode(ALL_CODES)) == expected


def test_silence_is_one_frame_of_zeros() -> None:
    assert g711.decode(g711.SILENCE_FRAME).tolist() == [0] * 160


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_decodes_any_buffer(kind: type) -> None:
    assert g711.decode(kind(b"\x00\xff")).tolist() == [-32124, 0]


def test_decodes_a_batch_of_calls() -> None:
    batch = np.frombuffer(os.urandom(3 * 160), dtype=np.uint8).reshape(3, 160)
    decoded = g711.decode(batch)
    assert decoded.shape == (3, 160)
    assert decoded[1].tolist() == g711.decode(batch[1].tobytes()).tolist()


def test_encodes_a_batch_row_by_row() -> None:
    batch = np.arange(480, dtype=np.int16).reshape(3, 160)
    assert g711.encode(batch) == b"".join(g711.encode(row) for row in batch)
    assert g711.encode_array(batch).shape == (3, 160)


def test_encodes_an_array_that_is_not_contiguous() -> None:
    every_other = np.arange(320, dtype=np.int16)[::2]
    assert g711.encode(every_other) == g711.encode(every_other.copy())


def test_decoded_samples_can_be_changed_without_harm() -> None:
    g711.decode(b"\x00")[:] = 7
    assert g711.decode(b"\x00").tolist() == [-32124]


def test_refuses_samples_of_another_type() -> None:
    with pytest.raises(TypeError, match="int16, not float64"):
        g711.encode(np.zeros(4))  # type: ignore[arg-type]


def test_refuses_codes_of_another_type() -> None:
    with pytest.raises(TypeError, match="uint8, not int16"):
        g711.decode(np.zeros(4, dtype=np.int16))  # type: ignore[arg-type]


def test_scaling_by_nothing_changes_nothing_but_negative_zero() -> None:
    assert g711.scale(ALL_CODES, 0.0) == ALL_CODES.replace(b"\x7f", b"\xff")


def test_scaling_halves_the_level() -> None:
    loud = g711.encode(np.array([8031, -8031], dtype=np.int16))
    soft = g711.decode(g711.scale(loud, -6.0206))
    assert soft.tolist() == pytest.approx([4015, -4015], rel=1 / 32)


def test_scaling_up_clips_at_full_scale() -> None:
    assert g711.decode(g711.scale(b"\x00\x80", 20.0)).tolist() == [-32124, 32124]


def test_scaling_to_nothing_is_silence() -> None:
    assert g711.scale(ALL_CODES, -math.inf) == b"\xff" * 256


@pytest.mark.parametrize("gain_db", [math.nan, 41.0, math.inf])
def test_refuses_a_gain_that_makes_no_sense(gain_db: float) -> None:
    with pytest.raises(ValueError, match="dB"):
        g711.scale(b"\x00", gain_db)


@examples()
@given(st.lists(st.integers(-32635, 32635), max_size=400))
def test_coding_errs_by_less_than_a_sixteenth(samples: list[int]) -> None:
    pcm = np.array(samples, dtype=np.int16)
    decoded = g711.decode(g711.encode(pcm)).astype(int)
    error = np.abs(decoded - pcm.astype(int))
    # Half a step: a step is 1/16 of a segment, and a segment begins at (level + 132) / 2 or above.
    assert (error <= (np.abs(pcm.astype(int)) + 132) / 32 + 1).all()


def test_brings_nothing_of_ours_along() -> None:
    """Simulation imports this module and must see no other."""
    imported: set[str] = set()
    for node in ast.walk(ast.parse(inspect.getsource(g711))):
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
        elif isinstance(node, ast.Import):
            imported |= {name.name for name in node.names}
    assert imported == {"__future__", "functools", "math", "numpy", "numpy.typing"}
