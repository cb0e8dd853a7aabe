"""Who finds no Ray cluster is told what to start, in this product's words."""

from __future__ import annotations

import pytest
import ray
from ray._private import services

from cluster.errors import ClusterError
from cluster.run_serve import connect


def no_cluster(**_options: object) -> None:
    raise ConnectionError("Could not find any running Ray instance. Set the `--address` flag.")


def test_where_no_ray_runs_it_is_said_how_to_start_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "init", no_cluster)
    monkeypatch.setattr(services, "find_gcs_addresses", lambda: frozenset[str]())
    with pytest.raises(ClusterError, match=r"'callcluster node -- --head'.*RAY_ADDRESS") as told:
        connect("auto")
    assert "--address" not in str(told.value)
    with pytest.raises(ClusterError, match=r"no way into the Ray cluster at 'ray.example'"):
        connect("ray.example")
