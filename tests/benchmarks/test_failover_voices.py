"""A short version of each fault of a voice, in a cluster of eight workers, virtual time."""

from __future__ import annotations

import functools

import pytest

from benchmarks.failover import FAULTS, Figures, run
from benchmarks.failover_voices import our_voices
from tests.support import virtual_time

pytestmark = pytest.mark.e2e  # minutes of a whole cluster, if on virtual time


@functools.cache
def figures(name: str) -> Figures:
    return virtual_time.run(run(our_voices, FAULTS[name], seed=7, warm_s=10.0, fault_s=20.0))


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "none"])
def test_a_fault_of_the_first_voice_is_hardly_noticed(fault: str) -> None:
    well, found = figures("none"), figures(fault)
    assert len(found.waits) > 350
    above_s = 0.5 if fault in ("hard errors", "429", "hang") else 0.85
    assert found.quantile_s(0.99) <= well.quantile_s(0.99) + above_s
    assert sum(wait > 1.0 for wait in found.waits) <= len(found.waits) / 200
    assert found.extra_ratio <= 0.08


def test_while_all_is_well_nobody_else_is_asked() -> None:
    assert figures("none").extra_ratio <= 0.02
