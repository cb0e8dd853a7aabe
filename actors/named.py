"""Finding, creating and removing the named actors of a cluster."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ray

from actors.call_actor import CallActor
from actors.directory_actor import CallDirectoryActor
from actors.errors import DirectoryAwayError
from actors.placement import (
    BACK_OFFICE_NAME,
    CACHE_NAME,
    CALL_ACTOR_PREFIX,
    DIRECTORY_NAME,
    HEALTH_NAME,
    METRICS_NAME,
    NAMESPACE,
    directory_options,
)

logger = logging.getLogger(__name__)

ANSWER_TIMEOUT_S = 30.0  # of an actor whose process may have to be started first
ASK_EVERY_S = 0.05
RELEASE_WITHIN_S = 5.0
CLOSE_WITHIN_S = 3.0
_ONE_EACH = frozenset({BACK_OFFICE_NAME, DIRECTORY_NAME, HEALTH_NAME, METRICS_NAME})
_PREFIXES = (CALL_ACTOR_PREFIX, CACHE_NAME)
SERVE_NAMESPACE = "serve"
SERVE_REPLICA_PREFIX = "SERVE_REPLICA::"


@dataclass(frozen=True, slots=True)
class MindPlan:
    """What the pool of CallActors is to be.

    Attributes:
        config: ``DirectoryConfig`` as a dict.
        build: Where the function is that builds a CallActor's parts: ``module:function``.
        settings: Plain settings for the CallActors. ``release`` among them names what is deployed:
            of two, the larger one is the newer.
    """

    config: dict[str, Any]
    build: str
    settings: dict[str, Any]

    @property
    def release(self) -> str:
        """What is deployed; empty where nobody says."""
        return str(self.settings.get("release", ""))


def begin_directory(plan: MindPlan) -> Any:
    """Have the directory of this cluster started, if there is none; does not wait.

    Returns:
        The actor handle.
    """
    actor_class: Any = ray.remote(CallDirectoryActor)
    directory = actor_class.options(**directory_options()).remote(
        plan.config, ray.remote(CallActor), (plan.build, plan.settings)
    )
    tell_plan(directory, plan)
    directory.start.remote()
    return directory


def tell_plan(directory: Any, plan: MindPlan) -> None:
    """Have a directory that runs already start CallActors by this plan; does not wait.

    An older plan than it has changes nothing. A directory that was started by an older version of
    this code has no ear for it, and goes on as it was.
    """
    deployed = getattr(directory, "deployed", None)
    if deployed is not None:
        deployed.remote(plan.config, (plan.build, plan.settings), plan.release)


def deployed_release() -> str:
    """What the directory of this cluster believes to be deployed; empty when there is none."""
    return str(deployed_status().get("release", ""))


def deployed_status() -> dict[str, Any]:
    """What that directory says of itself (``CallDirectoryActor.status``); empty likewise."""
    try:
        directory: Any = ray.get_actor(DIRECTORY_NAME, namespace=NAMESPACE)
        status: dict[str, Any] = ray.get(directory.status.remote(), timeout=RELEASE_WITHIN_S)
    except (ValueError, ray.exceptions.RayError):
        return {}
    return status


async def ensure_directory(plan: MindPlan, on_wait: Callable[[str], None]) -> Any:
    """The directory of this cluster, started if there is none; returns once its pool is there.

    Args:
        plan: What the pool is to be.
        on_wait: Told again and again what it is waiting for.

    Returns:
        The actor handle.

    Raises:
        DirectoryAwayError: It does not start, or died before its pool was there.
    """
    directory = begin_directory(plan)
    try:
        while True:
            status = await asyncio.wait_for(directory.status.remote(), ANSWER_TIMEOUT_S)
            there, trouble = _there(status, plan.release), str(status["trouble"])
            if there >= status["min_actors"] or (there and trouble):
                return directory  # some are better than none
            on_wait(trouble)
            await asyncio.sleep(ASK_EVERY_S)
    except (ray.exceptions.RayError, TimeoutError) as error:
        raise DirectoryAwayError(f"the directory does not answer: {type(error).__name__}") from None


def _there(status: dict[str, Any], release: str) -> int:
    """How many CallActors there are of this release; of all, where the directory knows of none."""
    if "release" not in status:
        return len(status["actors"])
    return int(status["current"]) if str(status["release"]) >= release else 0


def remove_all() -> list[str]:
    """Kill the named actors of this cluster; their names.

    The back office goes first, so that nobody is rung any more. CallActors are then asked to write
    what they have not written yet. Whom they report to goes last.
    """
    names = [
        item["name"]
        for item in ray.util.list_named_actors(all_namespaces=True)
        if item["namespace"] == NAMESPACE
        and (item["name"] in _ONE_EACH or item["name"].startswith(_PREFIXES))
    ]
    found = {}
    for name in sorted(names, key=lambda item: item != DIRECTORY_NAME):  # the directory first
        try:
            found[name] = ray.get_actor(name, namespace=NAMESPACE)
        except ValueError:
            logger.info("%s was gone already", name)
    if BACK_OFFICE_NAME in found:
        ray.wait([found[BACK_OFFICE_NAME].aclose.remote()], timeout=CLOSE_WITHIN_S)
        ray.kill(found[BACK_OFFICE_NAME])
    if DIRECTORY_NAME in found:
        ray.kill(found[DIRECTORY_NAME])  # so that it replaces nobody
    minds = {name: found[name] for name in found if name.startswith(CALL_ACTOR_PREFIX)}
    caches = {name: found[name] for name in found if name.startswith(CACHE_NAME)}
    if minds:
        closing: list[Any] = [handle.aclose.remote() for handle in minds.values()]
        ray.wait(closing, num_returns=len(closing), timeout=CLOSE_WITHIN_S)
    for handle in minds.values():
        ray.kill(handle)
    if caches:  # after those who tell them what they have learned
        saving: list[Any] = [handle.aclose.remote() for handle in caches.values()]
        ray.wait(saving, num_returns=len(saving), timeout=CLOSE_WITHIN_S)
    for name in (*caches, HEALTH_NAME, METRICS_NAME):
        if name in found:
            ray.kill(found[name])
    return list(found)


def remove_replicas(app: str) -> list[str]:
    """Kill the Serve replicas of ``app``, which would otherwise drain for minutes; their names."""
    removed = []
    for item in ray.util.list_named_actors(all_namespaces=True):
        name, namespace = item["name"], item["namespace"]
        if namespace == SERVE_NAMESPACE and name.startswith(f"{SERVE_REPLICA_PREFIX}{app}#"):
            try:
                ray.kill(ray.get_actor(name, namespace=namespace))
                removed.append(name)
            except ValueError:
                logger.info("%s was gone already", name)
    return removed
