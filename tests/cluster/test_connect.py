"""Who finds no Ray cluster is told what to start, in this product's words."""

from __future__ import annotations

import pytest
import ray
from ray._private import services

from cluster import run_serve
from cluster.errors import ClusterError, NoClusterError
from cluster.run_serve import connect


class Way:
    """A connection."""

    def close(self) -> None:
        """It is closed."""


def no_cluster(**_options: object) -> None:
    raise ConnectionError("Could not find any running Ray instance. Set the `--address` flag.")


def test_where_no_ray_runs_it_is_said_how_to_start_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "init", no_cluster)
    monkeypatch.setattr(services, "find_gcs_addresses", lambda: frozenset[str]())
    with pytest.raises(NoClusterError, match=r"'callcluster node -- --head'.*RAY_ADDRESS") as told:
        connect("auto")
    assert "--address" not in str(told.value)
    monkeypatch.setattr(services, "find_gcs_addresses", lambda: frozenset({"127.0.0.1:6379"}))
    with pytest.raises(ClusterError, match=r"no way into the Ray cluster at 'auto'") as away:
        connect("auto")
    assert not isinstance(away.value, NoClusterError)
    monkeypatch.setattr(run_serve.socket, "create_connection", lambda *_: Way())
    with pytest.raises(ClusterError, match=r"no way into the Ray cluster at 'ray.example:6379'"):
        connect("ray.example:6379")


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "nonsense", ":6379", "10.0.0.5:x", "ray://10.0.0.5:10001", ""]
)
def test_what_is_no_address_of_a_cluster_is_said_in_a_line(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray, "init", lambda **_: pytest.fail("Ray was asked"))
    with pytest.raises(ClusterError, match=r"RAY_ADDRESS\) is no address .* 10\.0\.0\.5:6379"):
        connect(address)
