"""Durations for people."""

from __future__ import annotations

from simulation.carrier_ticker import Lateness
from simulation.load_figures import Distribution, distribution, lateness_distribution


def test_quantiles_are_by_nearest_rank() -> None:
    got = distribution([n / 1_000 for n in range(1, 101)])
    assert got == Distribution(100, 50.5, 50.0, 90.0, 95.0, 99.0, 100.0)
    assert distribution([]) == Distribution()


def test_lateness_is_described_by_the_upper_edges_of_its_bins() -> None:
    lateness = Lateness()
    for _ in range(99):
        lateness.add(0.001)
    lateness.add(0.3)
    got = lateness_distribution(lateness)
    assert (got.count, got.p50_ms, got.max_ms) == (100, 1.05, 300.0)
    assert lateness_distribution(Lateness()).count == 0
