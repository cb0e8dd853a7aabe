"""Speech has an end, and comes on."""

from __future__ import annotations

import pytest

from providers.audio_bounds import Trickle, check_length, longest_samples
from providers.errors import ProviderProtocolError


def test_no_ordinary_speech_is_too_long() -> None:
    """Slowly spoken, a digit takes a second and a half, with its pause."""
    assert longest_samples("4") > 2 * 8_000
    assert longest_samples("415 555 2671" * 5) > 60 * 1.2 * 8_000


def test_what_no_text_can_take_is_refused() -> None:
    check_length(longest_samples("Hi."), "Hi.", "acme")
    with pytest.raises(ProviderProtocolError, match="without an end"):
        check_length(longest_samples("Hi.") + 1, "Hi.", "acme")


def test_a_byte_now_and_then_is_no_progress() -> None:
    trickle = Trickle(8_000)
    assert [trickle.took(1) for _ in range(160)] == [False] * 159 + [True]
    assert not trickle.took(159)
    assert trickle.took(1)
    assert trickle.took(5_000)
