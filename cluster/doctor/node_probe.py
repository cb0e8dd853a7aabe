"""Ask every node of a running Ray cluster what runs there; prints one line of JSON.

A process of its own (``python -m cluster.doctor.node_probe ADDRESS``): a cluster that hangs hangs
this process, which the doctor ends. ``describe`` travels to the nodes by value, because it is the
main module's, so that a node with another version, or none, can still say what it has.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

MARK = "NODES "
ANSWER_WITHIN_S = 30.0
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


def describe(
    rooms: tuple[str, ...] = ROOMS, packages: tuple[str, ...] = PACKAGES
) -> dict[str, Any]:
    """What runs in this process's node. Self-contained: it is sent to nodes as it stands."""
    import hashlib
    import os
    import platform
    import socket
    import time
    from importlib import metadata
    from pathlib import Path

    def version(name: str) -> str:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            return ""

    told: dict[str, Any] = {
        "host": socket.gethostname(),
        "time_s": time.time(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
        "nice": os.nice(0),
        "haproxy": os.environ.get("RAY_SERVE_ENABLE_HA_PROXY") == "1",
        "complaints": [],
        "code_at": "",
        "code_digest": "",
        "error": "",
    }
    try:
        import cluster
        from cluster import serve_env

        root = Path(cluster.__file__ or "").parent.parent
        told["code_at"] = str(root)
        digest = hashlib.blake2b(digest_size=6)
        for path in sorted(path for room in rooms for path in (root / room).rglob("*.py")):
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
        told["code_digest"] = digest.hexdigest()
        told["complaints"] = serve_env.complaints()
    except (ImportError, OSError, ValueError) as error:
        told["error"] = f"{type(error).__name__}: {error}"
    return told


def ask_all_nodes(address: str) -> list[dict[str, Any]]:
    """``describe`` of every living node, the time it was asked and answered beside it.

    Raises:
        cluster.errors.ClusterError: No cluster there, or no way in.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    from cluster.run_serve import connect

    connect(address)
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
        told: Any = {"here": describe(), "nodes": ask_all_nodes(sys.argv[1])}
    except ClusterError as error:
        told = {"error": str(error)}
    sys.stdout.write(f"\n{MARK}{json.dumps(told)}\n")
    sys.stdout.flush()
    os._exit(0)  # a shutdown of Ray could wait for a node that is gone


if __name__ == "__main__":
    main()
