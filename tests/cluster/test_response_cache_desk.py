"""Whose cache ``callcluster cache`` asks: this deployment's, or that of a cluster that is named."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import ray

from actors import semantic_cache_actor
from actors.errors import CacheAwayError
from cluster import response_cache_desk
from cluster.errors import ClusterError
from cluster.found_cluster import FoundCluster
from cluster.response_cache_desk import objection, open_desk
from cluster.settings import Settings

HERE = Path("/srv/here")
OURS = FoundCluster("10.0.0.5:6379", port=8000, folder="/srv/here")


def test_the_cluster_of_this_folder_and_port_is_asked_and_one_that_does_not_say() -> None:
    assert objection(OURS, 8000, HERE) == ""
    assert objection(FoundCluster("10.0.0.5:6379"), 8000, HERE) == ""


@pytest.mark.parametrize(
    "found",
    [
        FoundCluster("10.0.0.5:6379", port=8001, folder="/srv/here"),
        FoundCluster("10.0.0.5:6379", port=8000, folder="/srv/there"),
    ],
)
def test_another_deployment_is_asked_only_by_its_address(found: FoundCluster) -> None:
    refused = objection(found, 8000, HERE)
    assert "another deployment's" in refused
    assert "RAY_ADDRESS=10.0.0.5:6379 callcluster cache" in refused
    assert f"port {found.port}" in refused


def test_a_ray_cluster_without_callcluster_is_named_with_what_to_set() -> None:
    refused = objection(FoundCluster("10.0.0.5:6379", has_product=False), 8000, HERE)
    assert "nothing of callcluster runs on the Ray cluster at 10.0.0.5:6379" in refused
    assert "RAY_ADDRESS=" in refused


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A cluster of somebody else's has been joined; what was done there."""
    done: list[str] = []

    def find(_shard: int) -> None:
        done.append("looked for the cache")
        raise CacheAwayError("none")

    monkeypatch.setattr(response_cache_desk, "_join", lambda: True)
    monkeypatch.setattr(
        response_cache_desk, "look_around", lambda: FoundCluster("10.0.0.5:6379", port=8001)
    )
    monkeypatch.setattr(semantic_cache_actor, "find_semantic_cache", find)
    monkeypatch.setattr(ray, "shutdown", lambda: done.append("left"))
    return done


def opened() -> str:
    """Why the desk does not open."""

    async def scene() -> None:
        async with open_desk(Settings(_env_file=None)):
            raise AssertionError("opened")

    with pytest.raises(ClusterError) as error:
        asyncio.run(scene())
    return str(error.value)


def test_what_ray_has_found_is_left_again_when_it_is_not_ours(
    left: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert "another deployment's" in opened()
    assert left == ["left"]


def test_a_cluster_that_is_named_is_asked_whosever_it_is(
    left: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.5:6379")
    assert "no response cache runs in this cluster" in opened()
    assert left == ["looked for the cache", "left"]
