from __future__ import annotations

import dataclasses
from typing import get_args

import pytest

from telephony import stream_events


@pytest.mark.parametrize("event", get_args(stream_events.StreamEvent))
def test_events_are_frozen_and_slotted(event: type) -> None:
    assert event.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__slots__" in vars(event)


def test_what_the_caller_says_and_presses_is_not_printed() -> None:
    assert "AUDIO" not in repr(stream_events.AudioReceived(b"AUDIO", 0.0))
    assert "9" not in repr(stream_events.DtmfReceived("9"))


def test_counters_begin_at_zero() -> None:
    assert set(dataclasses.astuple(stream_events.StreamStats())) == {0}
