"""Which Ray nodes are drained, asked of the GCS by whoever has to know all the time.

Ray tells no actor of it. What Ray Serve's controller asks once a second, we ask likewise.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Final

import ray
from ray._raylet import GcsClient  # type: ignore[attr-defined]

from actors.gcs_questions import ask_gcs
from actors.leaving import DrainingNode

logger = logging.getLogger(__name__)

ANSWER_WITHIN_S: Final = 2.0


class DrainingNodes:
    """What the GCS said last; it is believed until it says something else."""

    def __init__(self) -> None:
        self._client: Any = None
        self._known: dict[str, DrainingNode] = {}

    async def ask(self) -> dict[str, DrainingNode]:
        """The nodes that are drained, by id. Never raises: with the GCS away, those of before."""
        try:
            found = await ask_gcs((self, "draining"), self._ask)
        except Exception as error:  # noqa: BLE001 - Ray's own clients raise what they like
            logger.debug("the GCS does not say which nodes are drained: %s", type(error).__name__)
            return self._known
        now, at_ms = asyncio.get_running_loop().time(), time.time() * 1_000.0
        self._known = {
            node_id: DrainingNode(address, now + (ms - at_ms) / 1_000.0 if ms else None)
            for node_id, (address, ms) in found.items()
        }
        return self._known

    def _ask(self) -> dict[str, tuple[str, int]]:
        """Address and deadline (ms of UTC, 0 for none) of each; blocks."""
        if self._client is None:
            self._client = GcsClient(address=ray.get_runtime_context().gcs_address)
        deadlines: dict[str, int] = self._client.get_draining_nodes(timeout=ANSWER_WITHIN_S)
        if not deadlines:
            return {}
        nodes = ray.nodes()  # type: ignore[no-untyped-call]
        alive = {node["NodeID"]: node["NodeManagerAddress"] for node in nodes if node["Alive"]}
        return {each: (alive[each], ms) for each, ms in deadlines.items() if each in alive}
