"""All nodes of the Ray cluster that runs here: the same code, versions, environment and time?"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import psutil

from cluster.doctor.check_running import replica_findings
from cluster.doctor.examination import Findings, in_thread
from cluster.doctor.finding import Finding, fail, ok, skipped, warn
from cluster.doctor.node_probe import MARK
from cluster.doctor.place import Place
from cluster.found_cluster import FoundCluster

_RAYS_PROCESSES = frozenset({"raylet", "gcs_server"})
_SKEW_S = 2.0
SAME_WHEEL = "install the same wheel on every node, then start Ray there again"


async def examine_nodes(place: Place) -> Findings:
    """See the top of this file."""
    address = place.environment.get("RAY_ADDRESS", "")
    if not address and not await in_thread(runs_ray):
        return [skipped("nodes", "no Ray cluster runs here, and RAY_ADDRESS names none")]
    told = await _ask(address or "auto", place.environment)
    if "error" in told:
        return [
            fail(
                "nodes",
                str(told["error"]),
                "nobody can join the cluster",
                "RAY_ADDRESS, RAY_AUTH_MODE",
            )
        ]
    found = FoundCluster(**told["cluster"])
    port = place.settings.port if place.settings is not None else None
    if not address and port is not None and (differs := found.differs(port, None)):
        return [anothers_finding(found, differs)]
    return node_findings(told["here"], told["nodes"])


def anothers_finding(found: FoundCluster, differs: str) -> Finding:
    """The cluster that Ray has found on this machine is not the one that was asked about."""
    return skipped(
        "nodes",
        f"{found.name} is another deployment's ({differs}); "
        f"'RAY_ADDRESS={found.address} callcluster doctor' examines its nodes",
    )


def runs_ray() -> bool:
    """Whether a node of some Ray cluster runs on this host."""
    return any(process.info["name"] in _RAYS_PROCESSES for process in psutil.process_iter(["name"]))


def node_findings(here: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Each node against what this process has.

    Args:
        here: ``node_probe.describe`` of this host.
        nodes: Of every node, with ``ip``, ``asked_s`` and ``read_s``.
    """
    if not nodes:
        return [fail("nodes", "the Ray cluster has no living node", "nothing runs")]
    return [finding for node in nodes for finding in _one(here, node)]


def _one(here: Mapping[str, Any], node: Mapping[str, Any]) -> list[Finding]:
    subject = f"node {node.get('ip', '')}"
    if node.get("error"):
        return [
            fail(
                subject,
                str(node["error"]),
                "replicas and CallActors cannot run there",
                SAME_WHEEL,
            )
        ]
    findings = [*_version_findings(subject, here, node), *_time_findings(subject, node)]
    if not node.get("haproxy"):
        findings.append(
            warn(
                f"{subject}: proxy",
                "RAY_SERVE_ENABLE_HA_PROXY is not 1 there",
                "Ray Serve's Python proxy would carry the audio, at four times the CPU",
                "set the variables of cluster.env before 'ray start' on that node",
            )
        )
    else:
        findings += [warn(f"{subject}: environment", str(c)) for c in node.get("complaints") or []]
    return findings + _replica_findings(subject, node)


def _replica_findings(subject: str, node: Mapping[str, Any]) -> list[Finding]:
    """What the replicas of that node say; those that are fine are one line together."""
    replicas = node.get("replicas") or []
    told = [finding for report in replicas for finding in replica_findings(report)]
    if not told:
        return []
    bad = [
        replace(found, subject=f"{subject}: {found.subject}")
        for found in told
        if found.status != "ok"
    ]
    if bad:
        return bad
    return [ok(f"{subject}: replicas", f"{len(replicas)}, ready, behind HAProxy")]


def _version_findings(
    subject: str, here: Mapping[str, Any], node: Mapping[str, Any]
) -> list[Finding]:
    different = [
        f"{name} {theirs or 'none'} (here {ours or 'none'})"
        for name, ours, theirs in (
            ("Python", here.get("python"), node.get("python")),
            *(
                (name, ours, (node.get("packages") or {}).get(name))
                for name, ours in (here.get("packages") or {}).items()
            ),
        )
        if ours != theirs
    ]
    is_same_code = here.get("code_digest") == node.get("code_digest")
    if not is_same_code:
        different.append(f"callcluster's own files, at {node.get('code_at')}")
    if different:
        return [
            fail(
                subject,
                f"differs: {', '.join(different)}",
                "parts of one call would run different code",
                SAME_WHEEL,
            )
        ]
    findings = [ok(subject, f"the same code and versions ({node.get('code_digest')})")]
    if here.get("code_at") != node.get("code_at"):
        findings.append(
            warn(
                f"{subject}: place",
                f"the code is at {node.get('code_at')}, here at {here.get('code_at')}",
                "the same now, but an update may reach only one of them",
                SAME_WHEEL,
            )
        )
    return findings


def _time_findings(subject: str, node: Mapping[str, Any]) -> list[Finding]:
    """The node's clock was read between the asking and the reading of the answer."""
    early_s = float(node.get("asked_s", 0)) - float(node.get("time_s", 0))
    late_s = float(node.get("time_s", 0)) - float(node.get("read_s", 0))
    off_s = max(early_s, late_s)
    if off_s < _SKEW_S:
        return []
    return [
        fail(
            f"{subject}: clock",
            f"at least {off_s:.0f} s {'behind' if early_s > late_s else 'ahead of'} this one",
            "stream tokens made on one node are refused on another after 60 s",
            "run chrony or systemd-timesyncd on every node",
        )
    ]


async def _ask(address: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Run the probe; ended when the check's time is up."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cluster.doctor.node_probe",
        address,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=dict(environment),
    )
    try:
        out, _ = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    lines = [line for line in out.decode("utf-8", "replace").splitlines() if line.startswith(MARK)]
    if not lines:
        return {"error": f"the probe of {address} ended with {process.returncode}, saying nothing"}
    told: dict[str, Any] = json.loads(lines[-1].removeprefix(MARK))
    return told
