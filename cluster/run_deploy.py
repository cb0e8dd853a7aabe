"""Deploy on a Ray cluster that runs, and leave it running."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

from cluster import serve_env
from cluster.errors import ClusterError
from cluster.run_serve import READY_WITHIN_S, connect, deploy
from cluster.settings import Settings

LOOK_EVERY_S = 0.2


def deploy_on(address: str, settings: Settings, *, say: Callable[[str], None]) -> None:
    """Deploy, and return once new calls are answered by what was deployed.

    Args:
        address: Of Ray, or ``auto`` for the cluster of this machine.
        settings: Of the deployment.
        say: Told what happens.

    Raises:
        ClusterError: There is no such cluster, or what was deployed does not start.
    """
    serve_env.prepare(os.environ)  # read as Ray Serve is imported
    import ray

    from actors.named import deployed_status

    connect(address, log_to_driver=False)
    try:
        before = str(deployed_status().get("release", ""))
        deploy(settings)
        deadline = time.monotonic() + READY_WITHIN_S
        while not _is_there(status := deployed_status()):
            if time.monotonic() > deadline:
                raise ClusterError(f"CallActors do not start: {status.get('trouble') or 'no word'}")
            threading.Event().wait(LOOK_EVERY_S)
        release = str(status.get("release", ""))
        say(
            f"{release} runs already: nothing has changed"
            if release == before
            else f"{release} is deployed: new calls are answered by it"
        )
    finally:
        ray.shutdown()


def _is_there(status: dict[str, Any]) -> bool:
    """Whether the pool is there; a directory of an older version counts no releases."""
    if not status:
        return False
    return int(status.get("current", len(status["actors"]))) >= int(status["min_actors"])
