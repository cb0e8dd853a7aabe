"""Finding, creating and removing the named actors of a cluster."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import ray

from actors.call_actor import CallActor, MindBuilder
from actors.directory_actor import CallDirectoryActor
from actors.placement import CALL_ACTOR_PREFIX, DIRECTORY_NAME, NAMESPACE, directory_options

logger = logging.getLogger(__name__)

START_TIMEOUT_S = 90.0


async def ensure_directory(
    config: dict[str, Any], build: MindBuilder, settings: dict[str, Any]
) -> Any:
    """The directory of this cluster, created if there is none; returns once its pool is there.

    Args:
        config: ``DirectoryConfig`` as a dict.
        build: Builds a CallActor's parts.
        settings: Plain settings for the CallActors.

    Returns:
        The actor handle.
    """
    actor_class: Any = ray.remote(CallDirectoryActor)
    directory = actor_class.options(**directory_options()).remote(
        config, ray.remote(CallActor), (build, settings)
    )
    await asyncio.wait_for(directory.start.remote(), START_TIMEOUT_S)
    return directory


def remove_all() -> list[str]:
    """Kill the directory and every CallActor of this cluster; returns their names."""
    removed = []
    names = [
        item["name"]
        for item in ray.util.list_named_actors(all_namespaces=True)
        if item["namespace"] == NAMESPACE
        and (item["name"] == DIRECTORY_NAME or item["name"].startswith(CALL_ACTOR_PREFIX))
    ]
    for name in sorted(names, key=lambda item: item != DIRECTORY_NAME):  # the directory first
        try:
            ray.kill(ray.get_actor(name, namespace=NAMESPACE))
            removed.append(name)
        except ValueError:
            logger.info("%s was gone already", name)
    return removed
