"""Stop what is left of the product on this machine's Ray cluster."""

from __future__ import annotations

import os

from cluster import ports
from cluster.run_serve import haproxy_folder


def stop_everything(port: int = 8000) -> list[str]:
    """Stop the Serve application, remove our named actors and orphaned HAProxies.

    Returns:
        What was done, a line each.
    """
    import ray

    done = []
    try:
        ray.init(address=os.environ.get("RAY_ADDRESS", "auto"), namespace="callcluster")
    except ConnectionError:
        done.append("no Ray cluster is running here")
    else:
        from ray import serve

        from actors.named import remove_all

        serve.shutdown()  # type: ignore[no-untyped-call]
        done.append("Ray Serve stopped")
        done += [f"removed {name}" for name in remove_all()]
        ray.shutdown()
    for folder in (str(haproxy_folder(port)), "/tmp/haproxy-serve"):  # noqa: S108 - Ray's default
        done += [f"ended a leftover HAProxy, process {pid}" for pid in ports.end_leftovers(folder)]
    return done
