"""Takes the calls of a retiring ingress replica elsewhere, and ends the replica after the last one.

Moving a call is the call's own affair: its driver ends the stream as a planned hand-over once
nobody speaks, and the carrier, asking ``action``, gets a new stream from a replica that stays.

An asyncio driver without Ray.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Protocol

from actors.replica_drain import DrainTimes, ReplicaDrain
from providers.traces import trace_of

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.2
CLOSE_CODE = 1012  # "service restart": as Ray Serve closes what is left
CLOSED_BECAUSE = "replica_retires"


class LeavingCall(Protocol):
    """What is asked of the driver of a call (``actors.call_parts.LiveDriver``)."""

    def go_elsewhere(self) -> None:
        """End this socket as soon as nobody speaks."""

    def shut(self, reason: str, close_code: int) -> None:
        """End this socket now."""


class ReplicaDrainDriver:
    """The end of one replica.

    Args:
        times: Of this deployment.
        calls: The calls in progress, by id.
        leave: Awaited once, after the last call: it ends the process.
    """

    def __init__(
        self,
        times: DrainTimes,
        calls: Callable[[], Mapping[str, LeavingCall]],
        leave: Callable[[], Awaitable[None]],
    ) -> None:
        self._drain = ReplicaDrain(times)
        self._calls = calls
        self._leave = leave
        self._task: asyncio.Task[None] | None = None

    @property
    def is_retiring(self) -> bool:
        """Whether this replica is to go."""
        return self._drain.is_retiring

    def retire(self) -> None:
        """This replica is to go; again and again does no harm."""
        loop = asyncio.get_running_loop()
        if self._drain.retire(now=loop.time()):
            logger.info("this replica retires: %d calls are in progress", len(self._calls()))
            self._task = loop.create_task(self._run(), name="replica-drain")

    async def aclose(self) -> None:
        """Somebody else ends this process. From inside ``leave`` it does nothing."""
        task = self._task
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            calls = self._calls()
            step = self._drain.look(calls, now=loop.time())
            if step.is_over:
                logger.info("this replica has no calls any more: it ends")
                await self._leave()
                return
            for call_id in step.move:
                logger.info("call %s: goes to another replica between two turns", call_id)
                with _told_to(call_id):
                    calls[call_id].go_elsewhere()
            for call_id in step.close:
                logger.warning("call %s: found no pause in which to go: it is cut", call_id)
                with _told_to(call_id):
                    calls[call_id].shut(CLOSED_BECAUSE, CLOSE_CODE)
            await asyncio.sleep(LOOK_EVERY_S)


@contextlib.contextmanager
def _told_to(call_id: str) -> Iterator[None]:
    """One call that breaks keeps no other one here."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - see above
        logger.error("call %s: cannot be told to go: %s", call_id, trace_of(error))
