"""Takes the calls of a retiring ingress replica elsewhere, and ends the replica after the last one.

Calls of a replica that stays leave it likewise when the carrier reaches them through HAProxy of a
node that is to go: the *road* of a call is the address of that node.

Moving a call is the call's own affair: its driver ends the stream as a planned hand-over once
nobody speaks, and the carrier, asking ``action``, gets a new stream from a replica that stays.

An asyncio driver without Ray.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Protocol

from actors.replica_drain import DrainStep, DrainTimes, ReplicaDrain
from providers.traces import trace_of

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.2
CLOSE_CODE = 1012  # "service restart": as Ray Serve closes what is left
CLOSED_BECAUSE = "replica_retires"
ROAD_SETTLES_S = 3.0  # until the front sends nobody to that node any more


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
        roads: The road of each call in progress, by its id; empty when it is not known.
    """

    def __init__(
        self,
        times: DrainTimes,
        calls: Callable[[], Mapping[str, LeavingCall]],
        leave: Callable[[], Awaitable[None]],
        roads: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._road_times = replace(times, least_s=math.inf, settle_s=ROAD_SETTLES_S)
        self._road_of_each = roads
        self._roads: dict[str, ReplicaDrain] = {}
        self._drain = ReplicaDrain(times)
        self._calls = calls
        self._leave = leave
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False

    @property
    def is_retiring(self) -> bool:
        """Whether this replica is to go."""
        return self._drain.is_retiring

    def retire(self, within_s: float | None = None) -> None:
        """This replica is to go; again and again does no harm.

        Args:
            within_s: In so many seconds at the latest; None: nobody presses.
        """
        if self._is_closed:
            return
        if self._drain.retire(now=asyncio.get_running_loop().time(), within_s=within_s):
            logger.info("this replica retires: %d calls are in progress", len(self._calls()))
        self._begin()

    def leave_roads(self, roads: Mapping[str, float | None]) -> None:
        """These roads are to be no more, and all others stay; again and again does no harm.

        Args:
            roads: In how many seconds each has gone; None: nobody presses.
        """
        for road in self._roads.keys() - roads.keys():
            del self._roads[road]
        for road, within_s in roads.items():
            drain = self._roads.setdefault(road, ReplicaDrain(self._road_times))
            if drain.retire(now=asyncio.get_running_loop().time(), within_s=within_s):
                count = self.calls_by_road(roads).get(road, 0)
                logger.info("node %s is to go: %d calls come through its HAProxy", road, count)
        if roads:
            self._begin()

    def calls_by_road(self, roads: Collection[str]) -> dict[str, int]:
        """How many calls come on each of these roads."""
        found = dict.fromkeys(roads, 0)
        for road in self._road_of_each().values() if roads else ():
            if road in found:
                found[road] += 1
        return found

    def _begin(self) -> None:
        if not self._is_closed and (self._task is None or self._task.done()):
            loop = asyncio.get_running_loop()
            self._task = loop.create_task(self._run(), name="replica-drain")

    async def aclose(self) -> None:
        """Somebody else ends this process; nobody is moved any more. ``leave`` goes on."""
        self._is_closed = True
        task = self._task
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._drain.is_retiring or self._roads:
            calls = self._calls()
            step = self._drain.look(calls, now=loop.time())
            if step.is_over:
                logger.info("this replica has no calls any more: it ends")
                await self._leave()
                return
            self._take(step, calls)
            road_of = self._road_of_each() if self._roads else {}
            for road, drain in self._roads.items():
                here = [call_id for call_id in calls if road_of.get(call_id) == road]
                self._take(drain.look(here, now=loop.time()), calls)
            await asyncio.sleep(LOOK_EVERY_S)

    def _take(self, step: DrainStep, calls: Mapping[str, LeavingCall]) -> None:
        for call_id in step.move:
            logger.info("call %s: goes to another replica between two turns", call_id)
            with _told_to(call_id):
                calls[call_id].go_elsewhere()
        for call_id in step.close:
            logger.warning("call %s: found no pause in which to go: it is cut", call_id)
            with _told_to(call_id):
                calls[call_id].shut(CLOSED_BECAUSE, CLOSE_CODE)


@contextlib.contextmanager
def _told_to(call_id: str) -> Iterator[None]:
    """One call that breaks keeps no other one here."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - see above
        logger.error("call %s: cannot be told to go: %s", call_id, trace_of(error))
