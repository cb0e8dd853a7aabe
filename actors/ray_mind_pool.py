"""``MindPool`` over Ray: handles by name, leases from the directory, no waiting on the path.

Placing a call takes a slot from the local stock, which ``actors.lease_sync`` keeps in step with the
directory. While the directory is away, calls go on to the actors known last: their own capacity is
the limit that holds.

How a CallActor is asked, and when it is held to be lost: ``actors.mind_way``.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import AsyncGenerator, Callable
from typing import Any

import ray

from actors.errors import DirectoryAwayError, MindLostError, NoSlotError
from actors.gcs_questions import ask_gcs
from actors.lease_stock import LeaseStock
from actors.lease_sync import RETRY_EVERY_S, LeaseSync
from actors.mind_way import MindWay
from actors.placement import DIRECTORY_NAME, NAMESPACE
from actors.rounds import for_ever
from actors.tenant_leases import TenantLimit
from actors.wire import (
    Acknowledged,
    CallOpened,
    CallState,
    CloseCall,
    OpenCall,
    SettleTurns,
    TakeTurn,
    TurnItem,
)

logger = logging.getLogger(__name__)

SYNC_TIMEOUT_S = 3.0


class RayMindPool:
    """Every CallActor this replica may use.

    Args:
        replica_id: Who is asking, for the directory.
        max_calls: Calls this replica can carry.
        active_calls: Calls this replica carries now.
        actor_timeout_s: A CallActor that says nothing about itself for so long is lost.
        deployed: Tells a directory that knows less what is deployed; see ``named.tell_plan``.
        release: What that is.
    """

    def __init__(
        self,
        replica_id: str,
        max_calls: int,
        active_calls: Callable[[], int],
        actor_timeout_s: float = 1.0,
        *,
        release: str = "",
        deployed: Callable[[Any], None] = lambda _directory: None,
    ) -> None:
        self._release = release
        self._deployed = deployed
        self._actor_timeout_s = actor_timeout_s
        self._directory: Any = None
        self._stock = LeaseStock()
        self._leases = LeaseSync(self._stock, self, replica_id, max_calls, active_calls)
        self._ways: dict[str, MindWay] = {}
        self._finding: dict[str, asyncio.Task[MindWay]] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def stock(self) -> LeaseStock:
        """Slots in hand, and what the cluster looks like."""
        return self._stock

    async def start(self, directory: Any) -> None:
        """First sync with the directory (an actor handle), then more in the background.

        Raises:
            DirectoryAwayError: It does not answer.
        """
        self._directory = directory
        await self._leases.once()
        # Without leases this replica takes no call any more.
        work = for_ever(self._leases.run, RETRY_EVERY_S, "the leases of this replica")
        self._task = asyncio.get_running_loop().create_task(work)

    async def aclose(self) -> None:
        """Stop syncing."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def wait_for_slot(self, limit: TenantLimit | None = None) -> None:
        """Return once a new call can be placed, or when there is no hope of it."""
        await self._leases.wait_for_slot(limit)

    def place(self, call_id: str, *, avoid: str = "", tenant: str = "") -> str:
        """Spend one lease. Raises ``NoSlotError``."""
        actor = self._stock.take(call_id, now=_now(), avoid=avoid, tenant=tenant)
        if self._stock.low:
            self._leases.hurry()
        if actor is None:
            raise NoSlotError("no CallActor has a free slot")
        return actor

    def call_begun(self, call_id: str) -> None:
        """The stream of a new call has come to this replica."""
        self._stock.begun(call_id, now=_now())

    async def open_call(self, actor: str, message: OpenCall) -> CallOpened:
        """Give the call to this actor. Raises ``MindLostError``."""
        return CallOpened.from_plain(await self._ask(actor, "open_call", message.to_plain()))

    async def take_turn(self, actor: str, message: TakeTurn) -> AsyncGenerator[TurnItem, None]:
        """Ask for a reply; closing the iterator abandons it. Raises ``MindLostError``."""
        way = await self._way(actor)
        async with contextlib.aclosing(way.take_turn(message, self._actor_timeout_s)) as items:
            async for item in items:
                yield item

    async def settle(self, actor: str, message: SettleTurns) -> Acknowledged:
        """Tell what was heard. Raises ``MindLostError``."""
        return Acknowledged.from_plain(await self._ask(actor, "settle", message.to_plain()))

    async def close_call(self, actor: str, message: CloseCall) -> Acknowledged:
        """The stream is gone. Raises ``MindLostError``."""
        return Acknowledged.from_plain(await self._ask(actor, "close_call", message.to_plain()))

    async def call_state(self, actor: str, call_id: str) -> CallState:
        """What this actor knows of a call. Raises ``MindLostError``.

        The carrier waits for the answer to ``action``, and not for long: it asks again after 2.5 s.
        """
        asking, within_s = self._ask(actor, "call_state", call_id), self._actor_timeout_s
        try:
            plain = await asyncio.wait_for(asking, within_s)
        except TimeoutError:
            raise MindLostError(f"{actor}: no answer in {within_s:.1f} s") from None
        return CallState.from_plain(plain)

    def is_retired(self, actor: str) -> bool:
        """Whether it is of an older release than is deployed."""
        return actor in self._stock.retired

    def has_answered(self, actor: str, *, within_s: float) -> bool:
        """Whether this actor has said anything over its link so lately."""
        way = self._ways.get(actor)
        return way is not None and _now() - way.heard_at <= within_s

    def report_lost(self, actor: str) -> None:
        """Place nothing there; have the directory look at it."""
        self._stock.void(actor)
        way = self._ways.get(actor)
        if way is not None and not way.is_linked:  # a link says itself when it is lost
            del self._ways[actor]
        if self._directory is not None:
            self._directory.report_lost.remote(actor)
        self._leases.hurry()

    async def _ask(self, actor: str, method: str, argument: Any) -> Any:
        return await (await self._way(actor)).ask(method, argument)

    async def _way(self, actor: str) -> MindWay:
        way = self._ways.get(actor)
        if way is None or way.is_lost:
            finding = self._finding.get(actor)
            if finding is None:  # one search, and one link, for all who ask at the same time
                finding = asyncio.get_running_loop().create_task(MindWay.find(actor))
                self._finding[actor] = finding
                finding.add_done_callback(functools.partial(self._found, actor))
            way = await asyncio.shield(finding)
        return way

    def _found(self, actor: str, finding: asyncio.Task[MindWay]) -> None:
        del self._finding[actor]
        if not finding.cancelled() and finding.exception() is None:
            self._ways[actor] = finding.result()

    # --- the way to the directory (DirectoryPort) -------------------------------------------------

    async def sync(self, report: dict[str, Any]) -> dict[str, Any]:
        """Ask the directory. Raises ``DirectoryAwayError``."""
        try:
            answer: dict[str, Any] = await asyncio.wait_for(
                self._directory.sync.remote({**report, "release": self._release}), SYNC_TIMEOUT_S
            )
        except (TimeoutError, ray.exceptions.RayError) as error:
            raise DirectoryAwayError(f"no leases: {type(error).__name__}") from None
        if str(answer.get("release", "")) < self._release:  # it was started again since
            self._deployed(self._directory)
        return answer

    async def find_again(self) -> None:
        """The directory by its name: it may be another process by now."""
        find = functools.partial(ray.get_actor, DIRECTORY_NAME, NAMESPACE)
        # With the GCS away the handle stands: the directory may only have been late.
        with contextlib.suppress(TimeoutError, ValueError, ray.exceptions.RayError):
            self._directory = await ask_gcs(("actor", DIRECTORY_NAME), find)

    async def meet(self, alive: tuple[str, ...]) -> None:
        """Have a way to each of these CallActors before a call needs it, and to no other."""
        for name in self._ways.keys() - set(alive):
            if self._ways[name].is_lost:
                del self._ways[name]
        for name in alive:
            if name not in self._ways:
                with contextlib.suppress(MindLostError):
                    await self._way(name)


def _now() -> float:
    return asyncio.get_running_loop().time()
