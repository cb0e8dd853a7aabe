"""CallActors without Ray: several named ``MindDriver`` in one process, to be killed at will.

Everything crosses as JSON text, as it would cross as plain data, so that a test on this pool also
holds for the wire.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

from actors.errors import MindLostError, NoSlotError
from actors.lease_stock import LeaseStock
from actors.mind_calls import Recorder
from actors.mind_driver import MindConfig, MindDriver
from actors.tenant_leases import TenantLimit
from actors.tool_runs import ToolRuns
from actors.wire import (
    AbandonTurn,
    Acknowledged,
    CallOpened,
    CallState,
    CloseCall,
    Grants,
    OpenCall,
    SettleTurns,
    TakeTurn,
    TurnEntry,
    TurnItem,
)
from cache.ports import AnswerCache
from dialogue.agent import Agent
from dialogue.ports import Thinker
from dialogue.session import CallIdentity

T = TypeVar("T")


class ListRecorder:
    """Keeps what an actor records, as tuples."""

    def __init__(self) -> None:
        self.calls: dict[str, CallIdentity] = {}
        self.opened: list[tuple[str, tuple[int, int]]] = []
        self.settled: list[tuple[str, TurnEntry]] = []
        self.units: list[tuple[str, dict[str, float]]] = []
        self.closed: list[tuple[str, bool, str]] = []
        self.moved: list[str] = []
        self.hand_overs: list[tuple[str, dict[str, Any]]] = []

    def call_opened(self, call: CallIdentity, *, at_us: int) -> None:
        self.calls[call.call_id] = call
        self.opened.append((call.call_id, call.epoch))

    def turn_settled(self, call: CallIdentity, turn: TurnEntry) -> None:
        self.settled.append((call.call_id, turn))

    def units_used(self, call: CallIdentity, usage: Mapping[str, float]) -> None:
        self.units.append((call.call_id, dict(usage)))

    def handed_over(self, call: CallIdentity, hand_over: Mapping[str, Any], *, at_us: int) -> None:
        self.hand_overs.append((call.call_id, dict(hand_over)))

    def call_closed(self, call: CallIdentity, *, planned: bool, reason: str, at_us: int) -> None:
        self.closed.append((call.call_id, planned, reason))

    def call_moved(self, call: CallIdentity) -> None:
        self.moved.append(call.call_id)


class Home:
    """One CallActor: its driver, and what is wrong with it.

    Attributes:
        slow_s: Every answer is so late.
        running: Cleared while the actor hangs.
        messages: Name and plain data of everything that reached it.
    """

    def __init__(self, name: str, driver: MindDriver, recorder: ListRecorder) -> None:
        self.name = name
        self.driver = driver
        self.recorder = recorder
        self.slow_s = 0.0
        self.running = asyncio.Event()
        self.running.set()
        self.death: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.messages: list[tuple[str, dict[str, Any]]] = []

    def count(self, method: str) -> int:
        return sum(name == method for name, _ in self.messages)

    async def alive(self, work: Awaitable[T]) -> T:
        """The result of ``work``; ``MindLostError`` when the actor dies first."""
        task = asyncio.ensure_future(work)
        try:
            either: list[asyncio.Future[Any]] = [task, self.death]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait([task])
            raise
        if self.death.done():
            task.cancel()
            await asyncio.wait([task])
            raise MindLostError(f"{self.name} died")
        return task.result()

    async def reach(self, method: str, plain: dict[str, Any]) -> None:
        if self.slow_s:
            await self.alive(asyncio.sleep(self.slow_s))
        await self.alive(self.running.wait())
        self.messages.append((method, plain))


class LocalMindPool:
    """A ``MindPool`` (and what the edge needs besides) over drivers in this process.

    Args:
        agents: By agent id; all of one tenant.
        thinkers: By name, shared by all actors; or a function from an actor's name to them.
        names: The actors that live from the start.
        config: Of every actor; its ``calls_per_actor`` is also what is granted of each.
        answers: Of every actor; None looks nothing up.
        tools: From an actor's name to what runs its tools; None runs none.
    """

    def __init__(
        self,
        agents: Mapping[str, Agent],
        thinkers: Mapping[str, Thinker] | Callable[[str], Mapping[str, Thinker]],
        names: Iterable[str] = ("ann", "bob", "cleo"),
        config: MindConfig | None = None,
        answers: AnswerCache | None = None,
        tools: Callable[[str], ToolRuns] | None = None,
    ) -> None:
        self._answers = answers
        self._tools = tools
        self._agents = {(agent.tenant_id, agent.agent_id): agent for agent in agents.values()}
        self._thinkers = thinkers if callable(thinkers) else lambda _name: thinkers
        self._config = config or MindConfig()
        self.stock = LeaseStock()
        self.homes: dict[str, Home] = {}
        self.reported_lost: list[str] = []
        self.busy: set[str] = set()  # these answer others
        for name in names:
            self.start(name)

    # --- what a test does to them ----------------------------------------------------------------

    def start(self, name: str) -> Home:
        """A fresh actor; its slots are granted at once."""
        recorder = ListRecorder()
        driver = MindDriver(
            self._agents,
            self._thinkers(name),
            recorder,
            self._config,
            lambda: 1_760_000_000_000_000,
            self._answers,
            tools=self._tools(name) if self._tools is not None else None,
        )
        home = self.homes[name] = Home(name, driver, recorder)
        capacity = self._config.calls_per_actor
        self.stock.granted(
            Grants({name: capacity}, tuple(self.homes), 0, capacity * len(self.homes))
        )
        return home

    def record_with(self, recorder: Recorder) -> None:
        """Have every actor of now tell its story to ``recorder``."""
        for home in self.homes.values():
            home.driver._calls._recorder = recorder

    def kill(self, name: str) -> None:
        """The process is gone: nothing answers, replies break off."""
        death = self.homes[name].death
        if not death.done():
            death.set_result(None)

    def hang(self, name: str) -> None:
        """Nothing comes from it any more, and nobody says so."""
        self.homes[name].running.clear()

    async def aclose(self) -> None:
        """End every reply."""
        for home in self.homes.values():
            await home.driver.aclose()

    # --- MindPool --------------------------------------------------------------------------------

    def place(self, call_id: str, *, avoid: str = "", tenant: str = "") -> str:
        now = asyncio.get_running_loop().time()
        actor = self.stock.take(call_id, now=now, avoid=avoid, tenant=tenant)
        if actor is None:
            raise NoSlotError("no CallActor has a free slot")
        return actor

    async def wait_for_slot(self, limit: TenantLimit | None = None) -> None:
        """There is no directory that could have more."""

    def call_begun(self, call_id: str) -> None:
        """There is no directory to be told."""

    def has_answered(self, actor: str, *, within_s: float) -> bool:
        return actor in self.busy

    def is_retired(self, actor: str) -> bool:
        return actor in self.stock.retired

    def report_lost(self, actor: str) -> None:
        self.reported_lost.append(actor)
        self.stock.void(actor)

    async def open_call(self, actor: str, message: OpenCall) -> CallOpened:
        return CallOpened.from_plain(await self._ask(actor, "open_call", message.to_plain()))

    async def settle(self, actor: str, message: SettleTurns) -> Acknowledged:
        return Acknowledged.from_plain(await self._ask(actor, "settle", message.to_plain()))

    async def close_call(self, actor: str, message: CloseCall) -> Acknowledged:
        return Acknowledged.from_plain(await self._ask(actor, "close_call", message.to_plain()))

    async def call_state(self, actor: str, call_id: str) -> CallState:
        home = self._home(actor)
        await home.reach("call_state", {"call_id": call_id})
        return CallState.from_plain(_crossed(await home.driver.call_state(call_id)))

    async def take_turn(self, actor: str, message: TakeTurn) -> AsyncIterator[TurnItem]:
        home = self._home(actor)
        plain = _crossed(message.to_plain())
        await home.reach("take_turn", plain)
        items = home.driver.take_turn(plain)
        finished = False
        try:
            while not finished:
                item = TurnItem.from_plain(_crossed(await home.alive(anext(items))))
                await home.alive(home.running.wait())
                finished = item.type in {"finished", "failed"}
                yield item
        except StopAsyncIteration:
            finished = True
        finally:
            await items.aclose()
            if not finished and not home.death.done():
                abandon = AbandonTurn(
                    message.tenant_id,
                    message.call_id,
                    message.epoch,
                    message.turn_id,
                    message.guess,
                ).to_plain()
                home.messages.append(("abandon", abandon))
                await home.driver.abandon(abandon)

    async def _ask(self, actor: str, method: str, plain: dict[str, Any]) -> dict[str, Any]:
        home = self._home(actor)
        plain = _crossed(plain)
        await home.reach(method, plain)
        return _crossed(await home.alive(getattr(home.driver, method)(plain)))

    def _home(self, actor: str) -> Home:
        home = self.homes.get(actor)
        if home is None or home.death.done():
            raise MindLostError(f"{actor} is not there")
        return home


def _crossed(plain: dict[str, Any]) -> dict[str, Any]:
    """What arrives at the other side."""
    crossed: dict[str, Any] = json.loads(json.dumps(plain))
    return crossed
