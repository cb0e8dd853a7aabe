"""Ending a process of the cluster that hangs, on whatever node it is.

Ray asks a process to end itself, which one that is held never does; a signal does not ask.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import signal
from pathlib import Path
from typing import Any

import ray
from ray._private import state
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.gcs_questions import ask_gcs
from actors.stream_watch import ReplicaPlace

logger = logging.getLogger(__name__)

REPLICA_TITLE = "ServeReplica"
END_WITHIN_S = 3.0
FIND_WITHIN_S = 3.0


def end_process(pid: int, title: str) -> bool:
    """Kill a process of this machine.

    Args:
        pid: Its id.
        title: Stands in what it calls itself.

    Returns:
        Whether it is gone; also when it was before, or the id belongs to something else by now.
    """
    try:
        found = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True
    if title.encode() not in found:
        return True
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return True


async def end_replica_at(place: ReplicaPlace) -> bool:
    """End an ingress replica, wherever it is; see ``end_at``."""
    return await end_at(place, REPLICA_TITLE)


async def end_actor(handle: Any, title: str) -> bool:
    """End the process of a Ray actor, so that Ray starts it anew. Never raises.

    Args:
        handle: Of the actor.
        title: Name of its class.
    """
    try:
        # Where it runs stands in Ray's own table only.
        actor_id = handle._actor_id.hex()  # noqa: SLF001
        find = functools.partial(state.actors, actor_id)
        info: Any = await ask_gcs(("place", actor_id), find, FIND_WITHIN_S)
        place = ReplicaPlace(str(info["Address"]["NodeID"]), int(info["Pid"]))
    except Exception as error:  # noqa: BLE001 - Ray's table is its own: it may change any day
        logger.warning("%s cannot be found: %s", title, type(error).__name__)
        return False
    return await end_at(place, title)


async def end_at(place: ReplicaPlace, title: str) -> bool:
    """``end_process`` on any node; False when that node does not answer. Never raises."""
    if place.node == ray.get_runtime_context().get_node_id():
        return end_process(place.pid, title)
    there = NodeAffinitySchedulingStrategy(node_id=place.node, soft=False)
    task: Any = ray.remote(end_process)
    task = task.options(num_cpus=0, max_retries=0, scheduling_strategy=there)
    try:
        async with asyncio.timeout(END_WITHIN_S):
            return bool(await task.remote(place.pid, title))
    except (TimeoutError, ray.exceptions.RayError) as error:
        logger.warning("process %d cannot be ended: %s", place.pid, type(error).__name__)
        return False
