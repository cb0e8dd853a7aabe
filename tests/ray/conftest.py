"""One cluster and one deployment for the whole suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulation.providers import RunningProviders
from tests.support.ray_stage import Stage, emulators, product


@pytest.fixture(scope="session")
def providers() -> Iterator[RunningProviders]:
    with emulators() as running:
        yield running


@pytest.fixture(scope="session")
def stage(providers: RunningProviders) -> Iterator[Stage]:
    with product(providers) as running:
        yield running
