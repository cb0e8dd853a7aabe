"""Ask every node of a running Ray cluster what runs there; prints one line of JSON.

A process of its own (``python -m cluster.doctor.node_probe ADDRESS``): a cluster that hangs hangs
this process, which the doctor ends. ``describe`` and what it uses travel to the nodes by value,
because they are the main module's: a node with another version, or none, can still say so.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import platform
import socket
import sys
import time
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

MARK = "NODES "
ANSWER_WITHIN_S = 30.0
READY_WITHIN_S = 2.0
ROOMS = (
    "actors",
    "cache",
    "cluster",
    "dialogue",
    "providers",
    "records",
    "telemetry",
    "telephony",
    "voice",
)
PACKAGES = ("callcluster", "ray", "openai", "azure-cognitiveservices-speech", "numpy", "twilio")


def describe() -> dict[str, Any]:
    """What runs on the node of this process."""
    told: dict[str, Any] = {
        "host": socket.gethostname(),
        "time_s": time.time(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "haproxy": os.environ.get("RAY_SERVE_ENABLE_HA_PROXY") == "1",
        "complaints": [],
        "replicas": replicas_below(raylet_above(os.getpid())),
        "code_at": "",
        "code_digest": "",
        "error": "",
    }
    try:
        import cluster
        from cluster import serve_env

        root = Path(cluster.__file__ or "").parent.parent
        told["code_at"], told["code_digest"] = str(root), code_digest(root)
        told["complaints"] = serve_env.complaints()
    except (ImportError, OSError, ValueError) as error:
        told["error"] = f"{type(error).__name__}: {error}"
    return told


def raylet_above(pid: int) -> int | None:
    """The raylet that started this process, itself or through others; None when none did."""
    try:
        above = [
            parent.pid for parent in psutil.Process(pid).parents() if "raylet" in parent.name()
        ]
    except psutil.Error:
        return None
    return above[0] if above else None


def raylets() -> list[int]:
    """Every raylet of this host."""
    return [each.pid for each in psutil.process_iter(["name"]) if each.info["name"] == "raylet"]


def replicas_below(raylet: int | None) -> list[dict[str, Any]]:
    """What ``/readyz`` of every ingress replica of this raylet says, asked past HAProxy.

    A host may carry more than one cluster; those of others are not asked.
    """
    if raylet is None:
        return []
    first = int(os.environ.get("RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT", "30000"))
    last = int(os.environ.get("RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT", "31000"))
    try:
        workers = psutil.Process(raylet).children(recursive=True)
    except psutil.Error:
        return []
    found = []
    for process in workers:
        try:
            if "ServeReplica" not in " ".join(process.cmdline()):
                continue
            listening = {
                connection.laddr.port
                for connection in process.net_connections("tcp")
                if connection.status == psutil.CONN_LISTEN and connection.laddr
            }
        except psutil.Error:
            continue
        for port in sorted(listening):
            report = _readyz(port) if first <= port <= last else None
            if report is not None:
                found.append(report)
    return found


def _readyz(port: int) -> dict[str, Any] | None:
    """The readiness behind a port; None when nothing of ours answers there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=READY_WITHIN_S)
    try:
        connection.request("GET", "/readyz")
        body = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return body if isinstance(body, dict) and "ready" in body else None


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def code_digest(root: Path) -> str:
    """Of every Python file of ours below ``root``."""
    digest = hashlib.blake2b(digest_size=6)
    for path in sorted(path for room in ROOMS for path in (root / room).rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def whose(address: str) -> dict[str, Any]:
    """Join the cluster; its address, and the port and folder of the deployment that it runs.

    Raises:
        cluster.errors.ClusterError: No cluster there, or no way in.
    """
    from cluster.found_cluster import look_around
    from cluster.run_serve import connect

    connect(address)
    return asdict(look_around())


def ask_all_nodes() -> list[dict[str, Any]]:
    """``describe`` of every living node, with the times it was asked and read beside it."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    # Neither a CPU nor a retry: it has to answer on full nodes too, and now.
    probe: Any = ray.remote(num_cpus=0, max_retries=0)(describe)
    asked = {}
    for node in ray.nodes():  # type: ignore[no-untyped-call]
        if node["Alive"]:
            pinned = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            asked[node["NodeManagerAddress"], node["NodeID"]] = (
                time.time(),
                probe.options(scheduling_strategy=pinned).remote(),
            )
    answers: list[Any] = [answer for _, answer in asked.values()]
    ray.wait(answers, num_returns=len(answers), timeout=ANSWER_WITHIN_S)
    told = []
    for (ip, node_id), (asked_at_s, answer) in asked.items():
        try:
            found = ray.get(answer, timeout=0.1)
        except (ray.exceptions.RayError, TimeoutError) as error:
            found = {"host": ip, "error": f"no answer: {type(error).__name__}"}
        told.append(
            {**found, "ip": ip, "node_id": node_id, "asked_s": asked_at_s, "read_s": time.time()}
        )
    return told


def main() -> None:
    """See the top of this file."""
    from cluster.errors import ClusterError

    try:
        told: Any = {"cluster": whose(sys.argv[1]), "here": describe(), "nodes": ask_all_nodes()}
    except ClusterError as error:
        told = {"error": str(error)}
    sys.stdout.write(f"\n{MARK}{json.dumps(told)}\n")
    sys.stdout.flush()
    os._exit(0)  # a shutdown of Ray could wait for a node that is gone


if __name__ == "__main__":
    main()
