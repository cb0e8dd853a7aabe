"""Which silences of a call are the agent's."""

from __future__ import annotations

import numpy as np
import pytest

from cluster.survival.silence import silences
from simulation.recording import SAMPLE_RATE_HZ, Recording

LOUD = bytes([0x10])  # a large amplitude of mu-law
QUIET = bytes([0xFF])
BEGIN_S = 100.0


def recording(*parts: tuple[str, float]) -> Recording:
    """Stretches one after the other: who speaks (or nobody), and for how long."""
    found = Recording()
    at_s = BEGIN_S
    for who, lasts_s in parts:
        count = round(lasts_s * SAMPLE_RATE_HZ)
        found.add_caller(at_s, (LOUD if who == "caller" else QUIET) * count)
        if who == "agent":
            found.add_agent(at_s, LOUD * count)
        at_s += lasts_s
    return found


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        ((("caller", 1.0), ("", 0.8), ("agent", 1.0)), [(1.0, 1.8)]),
        ((("agent", 1.0), ("", 1.5), ("agent", 1.0)), [(1.0, 2.5)]),
        ((("agent", 1.0), ("", 1.5), ("caller", 1.0)), []),
        ((("agent", 1.0), ("", 3.0), ("caller", 1.0)), [(1.0, 4.0)]),
        ((("agent", 1.0), ("", 2.0)), []),
        ((("caller", 1.0), ("", 4.0)), [(1.0, 5.0)]),
        ((("caller", 1.0), ("", 0.1), ("agent", 1.0)), []),
        ((("", 3.0),), []),
    ],
    ids=[
        "the wait for a reply",
        "a hole in a reply",
        "a pause that the caller makes",
        "the caller gives up",
        "nobody says anything more",
        "no reply ever",
        "between words",
        "nobody speaks at all",
    ],
)
def test_a_silence_belongs_to_whoever_should_have_ended_it(
    parts: tuple[tuple[str, float], ...], wanted: list[tuple[float, float]]
) -> None:
    found = silences(recording(*parts), BEGIN_S, patience_s=2.6)
    assert [(each.from_s, each.until_s) for each in found] == [
        pytest.approx(each, abs=0.011) for each in wanted
    ]


def test_an_empty_recording_has_none() -> None:
    assert silences(Recording(), 0.0, 2.6) == []
    assert np.isfinite(Recording().start_s)
