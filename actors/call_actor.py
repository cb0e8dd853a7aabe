"""The shell of the mind of many calls: a Ray actor around ``MindDriver``.

Every method takes and returns the plain data of ``actors.wire``. A turn is one streaming generator;
closing it early goes through ``abandon``, since Ray does not tell a generator that nobody reads it.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

import ray

from actors.actor_repr import actor_repr
from actors.link_server import LinkServer
from actors.mind_driver import MindDriver
from actors.rounds import for_ever

logger = logging.getLogger(__name__)

SWEEP_EVERY_S = 1.0


def _encrypted_by_ray() -> bool:
    return os.environ.get("RAY_USE_TLS", "0") == "1"


def _node_address() -> str:
    return str(ray.util.get_node_ip_address())  # type: ignore[no-untyped-call]


class MindParts(Protocol):
    """What the composition root builds for one CallActor process."""

    @property
    def driver(self) -> MindDriver:
        """The driver of all calls of this process."""

    async def start(self) -> None:
        """Open what must be warm before the first call."""

    async def aclose(self) -> None:
        """Write what is pending and close every connection."""


MindBuilder = Callable[[dict[str, Any]], Awaitable[MindParts]]


def find_builder(where: str) -> MindBuilder:
    """The builder at ``module:function``.

    By name and not as an object: whoever only passes it on (the directory) need not import what a
    CallActor is made of, which is 35 MB and half a second of its start.
    """
    module, _, function = where.partition(":")
    builder: MindBuilder = getattr(importlib.import_module(module), function)
    return builder


class CallActor:
    """One process that thinks for up to ``calls_per_actor`` calls.

    Args:
        name: The name under which this actor is found.
        build: Where the function is that builds the parts: ``module:function``.
        settings: Plain settings of the deployment.
    """

    def __init__(self, name: str, build: str, settings: dict[str, Any]) -> None:
        self._name = name
        self._build = build
        self._settings = settings
        self._parts: MindParts | None = None
        self._starting: asyncio.Task[None] | None = None
        self._sweeper: asyncio.Task[None] | None = None
        self._link: LinkServer | None = None
        self._where: dict[str, Any] = {}

    def __repr__(self) -> str:
        settings = self._settings
        calls, release = settings.get("calls_per_actor", ""), settings.get("release", "")
        return actor_repr(
            "CallActor",
            f"thinks for up to {calls} calls" if calls else "",
            f"release {release}" if release else "",
        )

    async def ready(self) -> dict[str, Any]:
        """Build and warm everything; returns the first status."""
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_task(self._start())
        await self._starting
        return await self.status()

    async def _start(self) -> None:
        parts = await find_builder(self._build)(self._settings)
        await parts.start()
        gc.freeze()  # what was loaded at start is never garbage: keep it out of every collection
        if self._settings.get("mind_link", True) and not _encrypted_by_ray():
            await self._listen(parts.driver)
        self._parts = parts
        self._sweeper = asyncio.get_running_loop().create_task(
            for_ever(self._sweep, SWEEP_EVERY_S, "seats of calls that are gone")
        )

    async def _listen(self, driver: MindDriver) -> None:
        link = LinkServer(
            {
                "open_call": driver.open_call,
                "settle": driver.settle,
                "close_call": driver.close_call,
                "call_state": driver.call_state,
            },
            {"take_turn": driver.take_turn},
        )
        try:
            self._where = await link.start(_node_address())
        except OSError as error:
            logger.warning("%s has no link, it is asked through Ray: %s", self._name, error)
        else:
            self._link = link

    async def link(self) -> dict[str, Any]:
        """Where ``actors.mind_link`` reaches this process; empty where it cannot."""
        await self._driver()
        return self._where

    async def _driver(self) -> MindDriver:
        if self._parts is None:
            await self.ready()
        if self._parts is None:
            raise RuntimeError("CallActor has no parts after its start")
        return self._parts.driver

    async def _sweep(self) -> None:
        (await self._driver()).sweep(asyncio.get_running_loop().time())

    async def status(self) -> dict[str, Any]:
        """Calls, capacity and the process id, for the directory and for people."""
        driver = await self._driver()
        release = self._settings.get("release", "")
        return {
            **driver.status(),
            "name": self._name,
            "pid": os.getpid(),
            "release": release,
            "node": ray.get_runtime_context().get_node_id(),
        }

    async def open_call(self, plain: dict[str, Any]) -> dict[str, Any]:
        """``OpenCall`` to ``CallOpened``."""
        return await (await self._driver()).open_call(plain)

    async def take_turn(self, plain: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """``TakeTurn`` to a stream of ``TurnItem``."""
        driver = await self._driver()
        async for item in driver.take_turn(plain):
            yield item

    async def abandon(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Stop the reply that a ``TakeTurn`` with these ids began. Answered by ``Acknowledged``."""
        return await (await self._driver()).abandon(plain)

    async def settle(self, plain: dict[str, Any]) -> dict[str, Any]:
        """``SettleTurns``: what was heard. Answered by ``Acknowledged``."""
        return await (await self._driver()).settle(plain)

    async def close_call(self, plain: dict[str, Any]) -> dict[str, Any]:
        """``CloseCall``: the stream is gone. Answered by ``Acknowledged``."""
        return await (await self._driver()).close_call(plain)

    async def call_state(self, call_id: str) -> dict[str, Any]:
        """Whether the call is known here, ended as planned, and who owns it."""
        return await (await self._driver()).call_state(call_id)

    async def aclose(self) -> None:
        """Write what is pending and close; called before a planned end of the process."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._parts is not None:
            await self._parts.aclose()
        if self._link is not None:
            await self._link.aclose()
