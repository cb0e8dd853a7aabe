"""Stop what is left of the product on this machine's Ray cluster, or on the one that is named."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from cluster import ports
from cluster.errors import ClusterError, NoClusterError
from cluster.found_cluster import (
    FoundCluster,
    calls_in_progress,
    forget_start,
    look_around,
)
from cluster.run_serve import APP_NAME, connect, haproxy_folder

Say = Callable[[str], None]


def stop_everything(port: int, *, is_sure: bool, say: Say) -> None:
    """Stop the Serve application, remove our named actors and orphaned HAProxies.

    Args:
        port: HTTP port of the deployment.
        is_sure: End calls that are in progress.
        say: Told what is found and done.

    Raises:
        ClusterError: The cluster that RAY_ADDRESS names cannot be joined; it is another
            deployment's and was not named; calls are in progress. Nothing was ended.
    """
    import ray

    address = os.environ.get("RAY_ADDRESS", "")
    try:
        connect(address or "auto")
    except NoClusterError:
        say("no Ray cluster is running here")
    else:
        try:
            _stop_joined(port, is_named=bool(address), is_sure=is_sure, say=say)
        finally:
            ray.shutdown()
    for folder in (str(haproxy_folder(port)), "/tmp/haproxy-serve"):  # noqa: S108 - Ray's default
        for pid in ports.end_leftovers(folder):
            say(f"ended a leftover HAProxy, process {pid}")


def _stop_joined(port: int, *, is_named: bool, is_sure: bool, say: Say) -> None:
    found = replace(look_around(), calls=calls_in_progress())
    if not found.has_product:
        say(f"nothing of callcluster runs on {found.name}")
        return
    why_not = objection(found, port, Path.cwd(), is_named=is_named, is_sure=is_sure)
    if why_not:
        raise ClusterError(why_not)
    say(f"stopping callcluster on {found.name}: {found.calls_text}")
    for name in stop_at_once(say):
        say(f"removed {name}")


def objection(
    found: FoundCluster, port: int, folder: Path, *, is_named: bool, is_sure: bool
) -> str:
    """Why this cluster is not to be stopped, and what to do instead; empty when it is.

    Args:
        found: What is there.
        port: Of our settings.
        folder: Where we are.
        is_named: A person has named this cluster by RAY_ADDRESS.
        is_sure: A person has said that calls in progress may end.
    """
    differs = "" if is_named else found.differs(port, folder)
    if differs:
        return (
            f"nothing was stopped: {found.name} is another deployment's ({differs}). Stop it where "
            f"it was started, or name it: RAY_ADDRESS={found.address} callcluster stop"
        )
    if found.calls != 0 and not is_sure:
        return (
            f"nothing was stopped: {found.calls_text} on {found.name}. A stop cuts them: "
            "'callcluster stop --yes' does. Ctrl-C of 'callcluster serve' waits for them to end"
        )
    return ""


def stop_at_once(say: Say) -> list[str]:
    """Stop the application and Serve on the cluster we are connected to, without a drain.

    A retirement by Serve waits ten minutes for calls to end; who stops the product means now.

    Args:
        say: Told what becomes of Serve.

    Returns:
        The names of our actors that were removed.
    """
    from ray import serve

    from actors.named import remove_all, remove_replicas

    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    others = sorted(set(serve.status().applications) - {APP_NAME})
    serve.delete(APP_NAME, _blocking=False)
    remove_replicas(APP_NAME)
    removed = remove_all()
    forget_start()
    if others:  # Serve is one a cluster, and not ours alone
        say(f"Ray Serve goes on, with other applications: {', '.join(others)}")
    else:
        serve.shutdown()  # type: ignore[no-untyped-call]
        say("Ray Serve stopped")
    return removed
