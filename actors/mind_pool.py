"""What an ingress replica needs of the CallActors: a port, so that drivers know no Ray."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from actors.errors import NoSlotError
from actors.lease_stock import LeaseStock
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

REPLACE_WITHIN_S = 4.0
ASK_FOR_SLOT_EVERY_S = 0.1


class MindPool(Protocol):
    """Every CallActor that this replica may use, by name."""

    def place(self, call_id: str, *, avoid: str = "", tenant: str = "") -> str:
        """Spend one lease on this call and return the CallActor's name. Raises ``NoSlotError``.

        ``avoid`` names the actor that a call has lost; such a call comes before new ones.
        ``tenant`` is that of a new call whose tenant has a limit.
        """

    async def open_call(self, actor: str, message: OpenCall) -> CallOpened:
        """Give the call to this actor. Raises ``MindLostError``."""

    def take_turn(self, actor: str, message: TakeTurn) -> AsyncIterator[TurnItem]:
        """Ask for a reply; closing the iterator abandons it. Raises ``MindLostError``."""

    async def settle(self, actor: str, message: SettleTurns) -> Acknowledged:
        """Tell what was heard. Raises ``MindLostError``."""

    async def close_call(self, actor: str, message: CloseCall) -> Acknowledged:
        """The stream is gone. Raises ``MindLostError``."""

    def is_retired(self, actor: str) -> bool:
        """Whether its calls are to go on at another one, of what is deployed now."""

    def has_answered(self, actor: str, *, within_s: float) -> bool:
        """Whether it has answered anybody so lately: then it has much to do, and is not lost."""

    def report_lost(self, actor: str) -> None:
        """This actor did not answer: have it looked at, place nothing there for now."""


class EdgePool(MindPool, Protocol):
    """What the webhooks of a replica need besides."""

    @property
    def stock(self) -> LeaseStock:
        """Slots in hand, and what the cluster looks like."""

    async def wait_for_slot(self, limit: TenantLimit | None = None) -> None:
        """Return once a new call can be placed, or when there is no hope of it.

        Place it, and claim the lease of its tenant (``limit``), before the next ``await``: somebody
        else may be waiting.
        """

    def call_begun(self, call_id: str) -> None:
        """The stream of a new call has come to this replica."""

    async def call_state(self, actor: str, call_id: str) -> CallState:
        """What this actor knows of a call. Raises ``MindLostError``."""


async def place_elsewhere(pool: MindPool, call_id: str, *, avoid: str) -> str:
    """Another actor for a call that has lost its own, as soon as one has a slot.

    Raises:
        NoSlotError: None had one within ``REPLACE_WITHIN_S``.
    """
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + REPLACE_WITHIN_S
    while True:
        try:
            return pool.place(call_id, avoid=avoid)
        except NoSlotError:
            if loop.time() >= give_up_at:
                raise
        await asyncio.sleep(ASK_FOR_SLOT_EVERY_S)
