"""The shell of the back office: one named Ray actor that dials, tidies up and watches replicas.

Nothing of a call in progress waits for it. When it is gone, Ray starts it again; what it has to do
stands in the tables, and whom it watches is told with the next beats (``stream_watch_driver``).
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import logging
import os
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import ray

from actors.actor_repr import actor_repr
from actors.dialer_driver import Room
from actors.draining_nodes import DrainingNodes
from actors.end_process import end_actor, end_replica_at
from actors.gcs_questions import ask_gcs
from actors.greeting import answers_at
from actors.named_watch import shared_watch
from actors.office_patience import OfficePatience
from actors.placement import BACK_OFFICE_NAME, DIRECTORY_NAME, NAMESPACE, back_office_options
from actors.serve_replicas import who_leaves
from actors.stream_watch_driver import GREETED_WITHIN_S, StreamWatchDriver
from providers.traces import trace_of

logger = logging.getLogger(__name__)

ASK_WITHIN_S = 3.0
NUDGE_EVERY_S = 5.0
BEAT_WITHIN_S = 1.5
HUNG_S = 10.0
MOST_HUNG_S = 160.0  # of one that has not answered since it was started anew, again and again
MAKE_ANEW_AFTER_S = 4.0  # who stops the cluster has removed us by then

FreeSlots = Callable[[], Awaitable[int | None]]


class OfficeParts(Protocol):
    """What the composition root builds for the process."""

    async def run(self) -> None:
        """Work until cancelled."""

    def nudge(self) -> None:
        """There is something to do."""

    @property
    def status(self) -> dict[str, Any]:
        """For people."""

    async def aclose(self) -> None:
        """End open questions, close every connection."""


class BackOffice:
    """The actor.

    Args:
        build: Where the function is that builds the parts: ``module:function``.
        settings: Plain settings of the deployment.
        mover: Where the function is that builds what moves calls; empty for none.
    """

    def __init__(self, build: str, settings: dict[str, Any], mover: str = "") -> None:
        self._build = build
        self._settings = settings
        self._mover = mover
        self._watch: StreamWatchDriver | None = None
        self._watching: asyncio.Task[None] | None = None
        self._parts: OfficeParts | None = None
        self._starting: asyncio.Task[OfficeParts] | None = None
        self._working: asyncio.Task[None] | None = None
        self._directory: Any = None

    def __repr__(self) -> str:
        return actor_repr("BackOffice", "dials, tidies up, watches the ingress replicas")

    async def nudge(self) -> None:
        """Look at the tables now. The first one, also after a restart, starts the work."""
        (await self._begin()).nudge()

    async def beat(self, plain: dict[str, Any]) -> dict[str, Any]:
        """An ingress replica lives; see ``actors.stream_beats``. Needs no database."""
        return self._watcher().beat(plain)

    async def drain(self) -> int | None:
        """Tell every ingress replica to take no new calls; returns the calls in progress.

        None while no replica has told of any or none.
        """
        return self._watcher().drain()

    async def switch(self, call_id: str, mode: str) -> bool:
        """Have a call carried in another way; False when no replica has told of it."""
        return self._watcher().switch(call_id, mode)

    async def streams(self) -> list[dict[str, Any]]:
        """Calls in progress by replica: ``{"node", "pid", "calls", "roads"}``, as each told last.

        ``roads`` says how many of them come through HAProxy of a node that is drained, by address.
        """
        found, roads = self._watcher().calls_by_place(), self._watcher().calls_by_road()
        return [
            {"node": at.node, "pid": at.pid, "calls": calls, "roads": roads[at]}
            for at, calls in found.items()
        ]

    def _watcher(self) -> StreamWatchDriver:
        if self._watch is None:
            module, _, function = self._mover.partition(":")
            mover = getattr(importlib.import_module(module), function)(self._settings)
            leaves = functools.partial(who_leaves, DrainingNodes())
            greets = functools.partial(answers_at, within_s=GREETED_WITHIN_S)
            self._watch = StreamWatchDriver(end_replica_at, mover.move, leaves, greets)
            self._watching = asyncio.get_running_loop().create_task(shared_watch().run())
        return self._watch

    async def status(self) -> dict[str, Any]:
        """What waits and why, and the process id."""
        parts = await self._begin()
        return {"pid": os.getpid(), **parts.status}

    async def aclose(self) -> None:
        """Called before a planned end of the process."""
        if self._working is not None:
            self._working.cancel()
        if self._watching is not None:
            self._watching.cancel()
        if self._watch is not None:
            await self._watch.aclose()
        if self._parts is not None:
            await self._parts.aclose()

    async def _begin(self) -> OfficeParts:
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_task(self._start())
        starting = self._starting
        try:
            return await asyncio.shield(starting)
        except Exception as error:
            if self._starting is starting:
                self._starting = None  # the next nudge tries again
            logger.error("the back office does not start: %s", trace_of(error))
            raise

    async def _start(self) -> OfficeParts:
        module, _, function = self._build.partition(":")
        builder = getattr(importlib.import_module(module), function)
        parts: OfficeParts = await builder(self._settings, self._room)
        self._parts = parts
        self._working = asyncio.get_running_loop().create_task(parts.run())
        self._working.add_done_callback(_say_why)
        return parts

    async def _room(self) -> Room | None:
        """What the cluster can take, as the directory knows it; None when it is away."""
        try:
            if self._directory is None:
                find = functools.partial(ray.get_actor, DIRECTORY_NAME, NAMESPACE)
                self._directory = await ask_gcs(("actor", DIRECTORY_NAME), find)
            status = await asyncio.wait_for(self._directory.status.remote(), ASK_WITHIN_S)
            if not status.get("is_settled", True):
                return None  # one that was started again knows too few calls at first
            return Room(int(status["unused"]), dict(status.get("calls_by_tenant", {})))
        except (ValueError, KeyError, TimeoutError, ray.exceptions.RayError) as error:
            self._directory = None
            logger.warning("free slots are not known: %s", type(error).__name__)
            return None


def _say_why(working: asyncio.Task[None]) -> None:
    if not working.cancelled() and (error := working.exception()) is not None:
        logger.error("the back office works no more: %s", trace_of(error))


class RayBackOffice:
    """The way to it from an ingress replica: nudges that never wait, one of them now and then.

    Args:
        build: As ``BackOffice``.
        settings: Likewise.
        mover: Likewise.
    """

    def __init__(self, build: str, settings: dict[str, Any], mover: str = "") -> None:
        self._build = build
        self._settings = settings
        self._mover = mover
        self._handle: Any = None
        self._patience = OfficePatience(HUNG_S, MOST_HUNG_S)
        self._lost_at: float | None = None
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to nudge it every few seconds, which also starts it, and keeps it alive."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def nudge(self) -> None:
        """There is something to do. Returns at once."""
        self._wanted.set()

    async def send_beat(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Tell it that this replica lives; its answer.

        One that hangs for ``HUNG_S`` is ended, so that Ray starts it anew: it watches all others,
        and the replicas watch it (``office_patience``).

        Raises:
            OSError: It is away.
        """
        if self._handle is None:
            raise OSError("the back office is not there yet")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(BEAT_WITHIN_S):
                answer: dict[str, Any] = await self._handle.beat.remote(plain)
        except ray.exceptions.RayError as error:
            self._patience.away()  # Ray knows of it
            raise OSError(f"the back office: {type(error).__name__}") from None
        except TimeoutError:
            if self._patience.silent(loop.time()):
                logger.error("the back office hangs: it is started anew")
                await end_actor(self._handle, BackOffice.__name__)
            raise
        self._patience.answered()
        return answer

    async def switch(self, call_id: str, mode: str) -> bool:
        """Have whoever has this call carry it like this; False when nobody has it.

        Raises:
            OSError: It is away.
        """
        if self._handle is None:
            raise OSError("the back office is not there yet")
        try:
            async with asyncio.timeout(BEAT_WITHIN_S):
                return bool(await self._handle.switch.remote(call_id, mode))
        except AttributeError:
            raise OSError("the back office is of an older version") from None
        except ray.exceptions.RayError as error:
            raise OSError(f"the back office: {type(error).__name__}") from None

    async def aclose(self) -> None:
        """Nudge no more."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while True:
            self._wanted.clear()
            try:
                await self._tell()
            except Exception as error:  # noqa: BLE001 - nobody else would start it again
                logger.warning("the back office does not answer: %s", type(error).__name__)
            try:
                await asyncio.wait_for(self._wanted.wait(), NUDGE_EVERY_S)
            except TimeoutError:
                continue

    async def _tell(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._lost_at is not None and now - self._lost_at < MAKE_ANEW_AFTER_S:
            await asyncio.sleep(MAKE_ANEW_AFTER_S - (now - self._lost_at))
        try:
            if self._handle is None:
                # A question to the GCS that blocks: in a thread, and once.
                begin = functools.partial(
                    begin_back_office, self._build, self._settings, self._mover
                )
                self._handle = await ask_gcs(("begin", BACK_OFFICE_NAME), begin, NUDGE_EVERY_S)
            await asyncio.wait_for(self._handle.nudge.remote(), NUDGE_EVERY_S)
        except ray.exceptions.ActorDiedError:
            self._handle, self._lost_at = None, asyncio.get_running_loop().time()
            raise
        self._lost_at = None


def begin_back_office(build: str, settings: dict[str, Any], mover: str = "") -> Any:
    """The handle of the back office of this cluster, which is started if there is none."""
    actor_class: Any = ray.remote(BackOffice)
    return actor_class.options(**back_office_options()).remote(build, settings, mover)
