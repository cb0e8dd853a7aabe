"""The doctor beside the running product: every replica and every node is asked."""

from __future__ import annotations

import asyncio
import os

import pytest

from cluster.doctor.check_nodes import examine_nodes
from cluster.doctor.check_ports import examine_ports
from cluster.doctor.check_running import _replicas_of, examine_running
from cluster.doctor.finding import Finding
from cluster.doctor.place import Place
from tests.support.ray_stage import REPLICAS, Stage

pytestmark = pytest.mark.ray


def place(stage: Stage, **more: str) -> Place:
    import ray

    address = ray.get_runtime_context().gcs_address
    return Place(
        settings=stage.settings,
        environment={**os.environ, "RAY_ADDRESS": address, **more},
        local_url=stage.premises.url,
    )


def bad(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.status != "ok"]


def test_every_replica_is_found_ready_and_behind_haproxy(stage: Stage) -> None:
    findings = list(asyncio.run(examine_running(place(stage))))
    assert bad(findings) == []
    assert len([found for found in findings if found.found == "HAProxy"]) == REPLICAS


def test_replicas_are_found_without_their_haproxy_too(stage: Stage) -> None:
    assert _replicas_of(stage.premises.url) == REPLICAS
    assert _replicas_of(f"http://127.0.0.1:{stage.premises.port + 1}") == 0


def test_the_ports_are_ours(stage: Stage) -> None:
    findings = list(asyncio.run(examine_ports(place(stage))))
    (http,) = [found for found in findings if found.subject == f"port {stage.premises.port}"]
    assert http.status == "ok"
    assert "haproxy" in http.found


def test_every_node_says_what_it_runs(stage: Stage) -> None:
    findings = list(asyncio.run(examine_nodes(place(stage))))
    # Processes are as nice as whoever started the suite; who is nice is told so.
    told = [finding.subject for finding in bad(findings)]
    assert len(told) == (os.nice(0) > 0), told
    assert all(subject.endswith(": environment") for subject in told)
    assert "the same code and versions" in findings[0].found
    assert findings[-1].found == f"{REPLICAS}, ready, behind HAProxy"


def test_a_cluster_that_is_not_there_is_a_failure() -> None:
    nowhere = Place(settings=None, environment={**os.environ, "RAY_ADDRESS": "127.0.0.1:1"})
    (found,) = asyncio.run(examine_nodes(nowhere))
    assert found.status == "fail"
    assert "no Ray cluster at '127.0.0.1:1'" in found.found
