"""Stop what is left of the product on this machine's Ray cluster."""

from __future__ import annotations

import logging
import os

from cluster import ports
from cluster.errors import ClusterError
from cluster.run_serve import APP_NAME, connect, haproxy_folder

logger = logging.getLogger(__name__)


def stop_everything(port: int | None = None) -> list[str]:
    """Stop the Serve application, remove our named actors and orphaned HAProxies.

    Args:
        port: HTTP port of the deployment; CALLCLUSTER_PORT when None.

    Returns:
        What was done, a line each.

    Raises:
        ClusterError: The cluster that RAY_ADDRESS names cannot be joined.
    """
    import ray

    port = port or int(os.environ.get("CALLCLUSTER_PORT", "8000"))
    done = []
    address = os.environ.get("RAY_ADDRESS", "")
    try:
        connect(address or "auto")
    except ClusterError as error:
        if address:
            raise
        done.append("no Ray cluster is running here")
        logger.debug("%s", error)
    else:
        done += [f"removed {name}" for name in stop_at_once()]
        done.append("Ray Serve stopped")
        ray.shutdown()
    for folder in (str(haproxy_folder(port)), "/tmp/haproxy-serve"):  # noqa: S108 - Ray's default
        done += [f"ended a leftover HAProxy, process {pid}" for pid in ports.end_leftovers(folder)]
    return done


def stop_at_once() -> list[str]:
    """Stop the application and Serve on the cluster we are connected to, without a drain.

    A retirement by Serve waits ten minutes for calls to end; who stops the product means now.

    Returns:
        The names of our actors that were removed.
    """
    from ray import serve

    from actors.named import remove_all, remove_replicas

    serve.delete(APP_NAME, _blocking=False)
    remove_replicas(APP_NAME)
    removed = remove_all()
    serve.shutdown()  # type: ignore[no-untyped-call]
    return removed
