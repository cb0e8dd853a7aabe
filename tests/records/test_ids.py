from __future__ import annotations

import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.ids import uuid7, wall_us_of

_TIMES_US = st.integers(0, ((1 << 48) - 1) * 1_000 + 999)
_BYTES = st.binary(min_size=8, max_size=16)


@settings(max_examples=25)
@given(_TIMES_US, _BYTES)
def test_carries_its_time_to_the_microsecond_and_is_a_version_7(
    wall_us: int, random_bytes: bytes
) -> None:
    text = uuid7(wall_us, random_bytes)
    parsed = uuid.UUID(text)
    assert (parsed.version, parsed.variant, str(parsed)) == (7, uuid.RFC_4122, text)
    assert wall_us_of(text) == wall_us


@settings(max_examples=25)
@given(_TIMES_US, _TIMES_US, _BYTES, _BYTES)
def test_sorts_by_time_as_text(first: int, second: int, one: bytes, other: bytes) -> None:
    if first < second:
        assert uuid7(first, one) < uuid7(second, other)


@pytest.mark.parametrize(("wall_us", "random_bytes"), [(-1, b"12345678"), (0, b"short")])
def test_refuses_what_does_not_fit(wall_us: int, random_bytes: bytes) -> None:
    with pytest.raises(ValueError, match=r"wall_us|random bytes"):
        uuid7(wall_us, random_bytes)


def test_refuses_another_version() -> None:
    with pytest.raises(ValueError, match="version 7"):
        wall_us_of("6fa459ea-ee8a-4ca4-894e-db77e160355e")
