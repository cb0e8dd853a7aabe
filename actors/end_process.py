"""Ending a process of the cluster that hangs, on whatever node it is.

Ray asks a process to end itself, which one that is held never does; a signal does not ask.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import ray
from ray._private import state
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from actors.gcs_questions import ask_gcs
from actors.greeting import answers_at
from actors.stream_watch import ReplicaPlace
from actors.stream_watch_driver import GONE, KEPT, LIVES, Ending

logger = logging.getLogger(__name__)

REPLICA_TITLE = "ServeReplica"
END_WITHIN_S = 3.0
FIND_WITHIN_S = 3.0
GIVE_UP_WITHIN_S = 0.5
ANSWERS_WITHIN_S = 0.25


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


def end_silent_replica(pid: int) -> str:
    """Likewise, unless it answers again: to begin this on its node takes up to seconds.

    A replica that was only late, on a machine that has more to do than it can, has its calls still.

    Returns:
        An ``Ending``.
    """
    if _answers(pid):
        return LIVES
    return GONE if end_process(pid, REPLICA_TITLE) else KEPT


def direct_ports(pid: int) -> list[int]:
    """Where a replica of this machine answers HTTP; none for any other process."""
    first, last = (
        int(os.environ.get(f"RAY_SERVE_DIRECT_INGRESS_{end}_HTTP_PORT", usual))
        for end, usual in (("MIN", "30000"), ("MAX", "31000"))
    )
    try:
        process = psutil.Process(pid)
        if REPLICA_TITLE not in " ".join(process.cmdline()):
            return []
        connections = process.net_connections("tcp")
    except psutil.Error:
        return []
    listening = (each for each in connections if each.status == psutil.CONN_LISTEN and each.laddr)
    return [each.laddr.port for each in listening if first <= each.laddr.port <= last]


def _answers(pid: int) -> bool:
    """Whether the event loop of a replica of this machine answers at its port."""
    with contextlib.suppress(psutil.Error):
        if psutil.Process(pid).status() != psutil.STATUS_STOPPED:
            return any(_greets(port) for port in direct_ports(pid))
    return False


def _greets(port: int) -> bool:
    return asyncio.run(answers_at(f"127.0.0.1:{port}", ANSWERS_WITHIN_S))


async def end_replica_at(place: ReplicaPlace) -> Ending:
    """End an ingress replica, wherever it is, unless it answers again. Never raises."""
    if place.node == ray.get_runtime_context().get_node_id():
        found: Any = await asyncio.to_thread(end_silent_replica, place.pid)
    else:
        found = await _there(place, end_silent_replica, place.pid)
    return found or KEPT


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
    return bool(await _there(place, end_process, place.pid, title))


async def _there(place: ReplicaPlace, work: Callable[..., Any], *given: Any) -> Any:
    """Do this on its node; None when that does not answer."""
    there = NodeAffinitySchedulingStrategy(node_id=place.node, soft=False)
    task: Any = ray.remote(work)
    task = task.options(num_cpus=0, max_retries=0, scheduling_strategy=there)
    asked = task.remote(*given)
    try:
        async with asyncio.timeout(END_WITHIN_S):
            return await asked
    except (TimeoutError, ray.exceptions.RayError) as error:
        logger.warning("process %d cannot be ended: %s", place.pid, type(error).__name__)
        # What is right now may not be once it comes to it.
        give_up = functools.partial(ray.cancel, asked, force=True)
        with contextlib.suppress(TimeoutError, ray.exceptions.RayError):
            await ask_gcs(("give up", place), give_up, GIVE_UP_WITHIN_S)
        return None
