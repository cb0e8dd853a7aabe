"""The shell of ``actors.shared_watch``: asks named actors by Ray, and ends those that hang."""

from __future__ import annotations

import asyncio
import functools
import logging
from typing import Any, Final

import ray

from actors.end_process import end_actor
from actors.gcs_questions import ask_gcs
from actors.placement import CACHE_NAME, DIRECTORY_NAME, HEALTH_NAME, METRICS_NAME, NAMESPACE
from actors.shared_watch import ANSWER_WITHIN_S, Answer, SharedWatch

logger = logging.getLogger(__name__)

CONTROLLER_NAME: Final = "SERVE_CONTROLLER_ACTOR"
FIND_WITHIN_S: Final = 2.0
_SERVE_NAMESPACE: Final = "serve"
_CLASSES: Final = {
    DIRECTORY_NAME: "CallDirectoryActor",
    METRICS_NAME: "MetricsActor",
    HEALTH_NAME: "ProviderHealthActor",
    CACHE_NAME: "SemanticCacheActor",
    CONTROLLER_NAME: "ServeController",
}
# What answers at once, however much else there is to do.
_QUESTIONS: Final = {
    DIRECTORY_NAME: "status",
    METRICS_NAME: "status",
    HEALTH_NAME: "status",
    CACHE_NAME: "summary",
    CONTROLLER_NAME: "check_alive",
}


def shared_watch() -> SharedWatch:
    """Watches the shared actors of this cluster, and the controller of Ray Serve."""
    return SharedWatch(tuple(_QUESTIONS), ask_actor, restart_actor)


async def ask_actor(name: str) -> Answer:
    """See ``shared_watch.AskActor``."""
    try:
        handle = await _find(name)
    except (TimeoutError, ValueError, ray.exceptions.RayError):
        return "absent"  # a GCS that does not say where it is says nothing of it
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await getattr(handle, _QUESTIONS[name]).remote()
    except TimeoutError:
        return "silent"
    except ray.exceptions.RayError as error:
        # Ray knows that it is gone, and sees to it; an error of its own is an answer too.
        return "there" if isinstance(error, ray.exceptions.RayTaskError) else "absent"
    except (ValueError, AttributeError):  # gone meanwhile, or of a version that cannot be asked
        return "absent"
    return "there"


async def restart_actor(name: str) -> None:
    """See ``shared_watch.RestartActor``."""
    try:
        await end_actor(await _find(name), _CLASSES[name])
    except (TimeoutError, ValueError, ray.exceptions.RayError) as error:
        logger.warning("%s could not be ended: %s", name, type(error).__name__)


async def _find(name: str) -> Any:
    """Its handle. Raises ``TimeoutError``, ``ValueError``, ``RayError``."""
    find = functools.partial(ray.get_actor, name, _namespace(name))
    return await ask_gcs(("actor", name), find, FIND_WITHIN_S)


def _namespace(name: str) -> str:
    return _SERVE_NAMESPACE if name == CONTROLLER_NAME else NAMESPACE
