from __future__ import annotations

import pickle

import pytest

from telemetry.errors import MetricMisused, SnapshotInvalid, TelemetryError


@pytest.mark.parametrize("kind", [TelemetryError, SnapshotInvalid, MetricMisused])
def test_survives_a_pickle(kind: type[TelemetryError]) -> None:
    again = pickle.loads(pickle.dumps(kind("what is wrong")))
    assert (type(again), again.message) == (kind, "what is wrong")
