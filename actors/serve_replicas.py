"""The shell of ``actors.serve_view``: asks the controller of Ray Serve.

It is asked for one deployment only: the details of everything would have the controller read its
configuration from the GCS, and stand still for as long as that is away.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from typing import Any, Final

import ray

from actors.draining_nodes import DrainingNodes
from actors.gcs_questions import ask_gcs
from actors.leaving import Leaving, leaving
from actors.named_watch import CONTROLLER_NAME
from actors.serve_view import ServeView, view_of

logger = logging.getLogger(__name__)

SERVE_NAMESPACE: Final = "serve"
APP_NAME: Final = "callcluster"
DEPLOYMENT_NAME: Final = "ingress"
ANSWER_WITHIN_S: Final = 2.0


async def serve_view() -> ServeView | None:
    """Ask now; None when nobody answers, or nothing is deployed."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            find = functools.partial(ray.get_actor, CONTROLLER_NAME, SERVE_NAMESPACE)
            controller: Any = await ask_gcs(("actor", CONTROLLER_NAME), find)
            details = await controller.get_deployment_details.remote(APP_NAME, DEPLOYMENT_NAME)
            return view_of(details)
    except (ValueError, TimeoutError, AttributeError, ray.exceptions.RayError) as error:
        logger.debug("Serve does not say which replicas there are: %s", type(error).__name__)
        return None


async def who_leaves(nodes: DrainingNodes) -> Leaving | None:
    """Which replicas and roads are to be no more; None when Serve does not answer."""
    view, draining = await asyncio.gather(serve_view(), nodes.ask())
    return leaving(view, draining)
