"""How many calls one ingress replica may take: no more than its recognisers can hear."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from cluster.settings import Settings
from dialogue.agent import Agent

logger = logging.getLogger(__name__)


def fitting(settings: Settings, agents: Iterable[Agent]) -> Settings:
    """The settings with ``calls_per_replica`` that every provider in use can carry.

    The Azure Speech SDK carries about 25 streams in a process: a call beyond that would be let in
    and then not be heard, so it is refused at the door instead.
    """
    streams = settings.azure_streams_per_process
    hears_by_azure = any(agent.recogniser == "azure" for agent in agents)
    if not hears_by_azure or settings.calls_per_replica <= streams:
        return settings
    logger.info(
        "this replica takes %d calls instead of %d (CALLCLUSTER_AZURE_STREAMS_PER_PROCESS); for "
        "more, raise CALLCLUSTER_INGRESS_REPLICAS",
        streams,
        settings.calls_per_replica,
    )
    return settings.model_copy(update={"calls_per_replica": streams})
