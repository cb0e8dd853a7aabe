"""Ending an ingress replica that hangs, on whatever node it is.

Ray asks a process to end itself, which one that is held never does; a signal does not ask.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from pathlib import Path
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.stream_watch import ReplicaPlace

logger = logging.getLogger(__name__)

REPLICA_TITLE = b"ServeReplica"
END_WITHIN_S = 3.0


def end_replica(pid: int) -> bool:
    """Kill the Serve replica with this process id on this machine.

    Returns:
        Whether it is gone; also when it was before, or the id belongs to something else by now.
    """
    try:
        title = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True
    if REPLICA_TITLE not in title:
        return True
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return True


async def end_replica_at(place: ReplicaPlace) -> bool:
    """The same on any node of the cluster; False when that node does not answer. Never raises."""
    if place.node == ray.get_runtime_context().get_node_id():
        return end_replica(place.pid)
    there = NodeAffinitySchedulingStrategy(node_id=place.node, soft=False)
    task: Any = ray.remote(end_replica)
    task = task.options(num_cpus=0, max_retries=0, scheduling_strategy=there)
    try:
        async with asyncio.timeout(END_WITHIN_S):
            return bool(await task.remote(place.pid))
    except (TimeoutError, ray.exceptions.RayError) as error:
        logger.warning("process %d cannot be ended: %s", place.pid, type(error).__name__)
        return False
