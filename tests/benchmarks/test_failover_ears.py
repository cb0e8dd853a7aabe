"""A short version of each fault of a recogniser, in a cluster of eight workers, virtual time."""

from __future__ import annotations

import functools

import pytest

from benchmarks import failover_ears
from benchmarks.failover_ears import FAULTS, Figures, ours, ten_seconds
from tests.support import virtual_time

pytestmark = pytest.mark.e2e  # minutes of a whole cluster, if on virtual time


@functools.cache
def figures(name: str) -> Figures:
    run = failover_ears.run(ours, name, seed=7, lines=12, warm_s=4.0, fault_s=8.0)
    return virtual_time.run(run)


@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "none"])
def test_no_word_is_lost_and_none_comes_twice(fault: str) -> None:
    well, found = figures("none"), figures(fault)
    assert found.said > 100
    assert (found.lost, found.twice) == (0, 0)
    assert found.quantile_s(0.99) <= well.quantile_s(0.99) + 0.85


def test_while_all_is_well_nobody_else_is_asked() -> None:
    assert figures("none").extra_ratio == 0.0


def test_the_stage_does_not_flatter() -> None:
    """The same fault, as it is often made up for, loses words."""
    run = failover_ears.run(ten_seconds, "hang", seed=7, lines=12, warm_s=4.0, fault_s=8.0)
    found = virtual_time.run(run)
    assert found.lost > found.said / 2
