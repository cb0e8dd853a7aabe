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
    and then not be heard, so it is refused at the door instead. An agent whose calls are never
    carried by the pipeline has no use for a recogniser.
    """
    limits = {
        "azure": (settings.azure_streams_per_process, "AZURE"),
        "deepgram": (settings.deepgram_streams_per_process, "DEEPGRAM"),
        "scribe": (settings.scribe_streams_per_process, "SCRIBE"),
        "openai_transcription": (settings.openai_stt_streams_per_process, "OPENAI_STT"),
        "google": (settings.google_streams_per_process, "GOOGLE"),
    }
    ears = (agent.recognisers for agent in agents if "pipeline" in agent.modes)
    used = {name for names in ears for name in names} & limits.keys()
    if not used:
        return settings
    streams, name = min(limits[recogniser] for recogniser in used)
    if settings.calls_per_replica <= streams:
        return settings
    logger.info(
        "this replica takes %d calls instead of %d (CALLCLUSTER_%s_STREAMS_PER_PROCESS); for "
        "more, raise CALLCLUSTER_INGRESS_REPLICAS or CALLCLUSTER_MAX_INGRESS_REPLICAS",
        streams,
        settings.calls_per_replica,
        name,
    )
    return settings.model_copy(update={"calls_per_replica": streams})
