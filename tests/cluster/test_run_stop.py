"""Whether a cluster that was found is the one to stop."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster import run_stop
from cluster.errors import ClusterError, NoClusterError
from cluster.found_cluster import FoundCluster
from cluster.run_stop import objection, stop_everything

HERE = Path("/srv/here")
QUIET = FoundCluster("10.0.0.5:6379", port=8000, folder="/srv/here", calls=0)


def why_not(
    found: FoundCluster, port: int = 8000, *, is_named: bool = False, is_sure: bool = False
) -> str:
    return objection(found, port, HERE, is_named=is_named, is_sure=is_sure)


def test_a_quiet_deployment_of_this_folder_and_port_is_stopped() -> None:
    assert why_not(QUIET) == ""


@pytest.mark.parametrize(
    "found",
    [
        FoundCluster("10.0.0.5:6379", port=8001, folder="/srv/here"),
        FoundCluster("10.0.0.5:6379", port=8000, folder="/srv/there"),
    ],
)
def test_another_deployment_is_stopped_only_by_its_address(found: FoundCluster) -> None:
    refused = why_not(found, is_sure=True)
    assert "RAY_ADDRESS=10.0.0.5:6379 callcluster stop" in refused
    assert f"port {found.port}" in refused
    assert found.folder in refused
    assert why_not(found, is_named=True) == ""


def test_what_nobody_says_is_no_difference() -> None:
    assert why_not(FoundCluster("10.0.0.5:6379")) == ""


@pytest.mark.parametrize(
    ("calls", "said"), [(1, "1 call in"), (3, "3 calls in"), (None, "cannot be counted")]
)
def test_calls_in_progress_are_ended_only_by_who_is_sure(calls: int | None, said: str) -> None:
    found = FoundCluster("10.0.0.5:6379", port=8000, folder="/srv/here", calls=calls)
    for is_named in (False, True):
        refused = why_not(found, is_named=is_named)
        assert said in refused
        assert "--yes" in refused
        assert why_not(found, is_named=is_named, is_sure=True) == ""


class NoCluster:
    """Ray, with nothing to join."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def connect(address: str) -> None:
            kind = NoClusterError if address == "auto" and not self.is_locked else ClusterError
            raise kind(f"no Ray cluster at {address!r}")

        self.is_locked = False
        monkeypatch.setattr(run_stop, "connect", connect)
        monkeypatch.setattr(run_stop.ports, "end_leftovers", lambda _folder: [])


def test_no_cluster_at_all_is_said_and_a_named_one_that_is_away_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nothing = NoCluster(monkeypatch)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    said: list[str] = []
    stop_everything(8000, is_sure=False, say=said.append)
    assert said == ["no Ray cluster is running here"]
    nothing.is_locked = True  # or its GCS is away: the product may run
    with pytest.raises(ClusterError, match="auto"):
        stop_everything(8000, is_sure=False, say=said.append)
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.5:6379")
    with pytest.raises(ClusterError, match=r"10\.0\.0\.5"):
        stop_everything(8000, is_sure=False, say=said.append)
