"""A cluster that Ray finds on this machine may be somebody else's: the doctor says so."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

import pytest

from cluster import found_cluster, run_serve
from cluster.doctor import check_nodes, check_ports, node_probe
from cluster.doctor.check_nodes import examine_nodes
from cluster.doctor.finding import Finding
from cluster.doctor.place import Place
from cluster.found_cluster import FoundCluster
from cluster.ports import Listener
from cluster.settings import Settings
from tests.support.virtual_time import run

FOUND = FoundCluster("127.0.0.1:6379", port=8001, folder="/srv/there", calls=None)
NODE = {"ip": "10.0.0.5", "host": "a", "time_s": 0, "asked_s": 0, "read_s": 0, "haproxy": True}


@pytest.fixture(autouse=True)
def _cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(address: str, environment: Any) -> dict[str, Any]:
        return {"cluster": asdict(FOUND), "here": {}, "nodes": [NODE]}

    monkeypatch.setattr(check_nodes, "_ask", ask)
    monkeypatch.setattr(check_nodes, "runs_ray", lambda: True)


def examined(port: int, **environment: str) -> list[Finding]:
    settings = Settings.model_validate({"port": port})
    return list(run(examine_nodes(Place(settings=settings, environment=environment))))


def test_the_nodes_of_another_deployment_are_not_reported_as_ours() -> None:
    (finding,) = examined(8000)
    assert finding.status == "skipped"
    assert "another deployment" in finding.found
    assert "RAY_ADDRESS=127.0.0.1:6379 callcluster doctor" in finding.found


def test_a_cluster_of_our_port_or_one_that_was_named_is_examined() -> None:
    for findings in (examined(8001), examined(8000, RAY_ADDRESS="127.0.0.1:6379")):
        assert findings[0].subject == "node 10.0.0.5"


def test_a_port_is_ours_when_it_has_the_raylet_of_who_answers_our_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raylets = {11: 1, 12: 1, 21: 2}
    monkeypatch.setattr(check_ports, "raylet_above", raylets.get)
    monkeypatch.setattr(check_ports.ports, "runs_under_ray", lambda pid: pid in raylets)
    found = [Listener(8000, 11, "haproxy"), Listener(8500, 21, "ray::ProxyActor")]
    owner = check_ports.owners(found, 8000)
    assert [owner(pid) for pid in (11, 12, 21, 99, None)] == [
        "ours",
        "ours",
        "another",
        "nobody",
        "nobody",
    ]
    nobody_here = check_ports.owners(found, 7000)
    assert [nobody_here(pid) for pid in (11, 21)] == ["another", "another"]


def test_the_probe_tells_whose_cluster_it_has_joined(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    joined: list[str] = []
    monkeypatch.setattr(run_serve, "connect", joined.append)
    monkeypatch.setattr(found_cluster, "look_around", lambda: FOUND)
    monkeypatch.setattr(node_probe, "describe", lambda: {"host": "a"})
    monkeypatch.setattr(node_probe, "ask_all_nodes", lambda: [NODE] if joined else [])
    monkeypatch.setattr(node_probe.os, "_exit", lambda _code: None)
    monkeypatch.setattr(sys, "argv", ["node_probe", "auto"])
    node_probe.main()
    (line,) = [said for said in capsys.readouterr().out.splitlines() if said]
    told = json.loads(line.removeprefix(node_probe.MARK))
    assert FoundCluster(**told["cluster"]) == FOUND
    assert told["nodes"] == [NODE]
    assert joined == ["auto"]
