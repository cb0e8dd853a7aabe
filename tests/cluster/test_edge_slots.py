"""A call that finds no slot waits for one before it is refused; its start is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx

from actors.metrics_counts import EventCounts
from actors.tenant_leases import TenantLimit
from actors.wire import Grants
from cluster.call_services import CallServices
from cluster.edge import Edge
from cluster.edge_parts import EdgeParts
from cluster.provider_gate import ProviderGate
from cluster.settings import Settings
from cluster.tenant_limits import TenantLimits
from cluster.voice_routes import BUSY
from cluster.webhooks import build_app
from dialogue.agent import Agent
from telemetry.ledger import MetricsLedger
from tests.support import virtual_time
from tests.support.local_mind_pool import LocalMindPool

AGENT = Agent("default", "ann", "v1", "en-US", "You are Ann.", "Hello!", "voice")
FULL = Grants({}, ("a",), active_calls=3, capacity=9)
ONE = Grants({"a": 1}, ("a",), active_calls=3, capacity=9)


class FullPool(LocalMindPool):
    """Nothing in hand; what comes for those who wait is told by the test."""

    def __init__(self, comes: Grants) -> None:
        super().__init__({}, {}, names=())
        self.stock.granted(FULL)
        self.comes = comes
        self.waits = 0

    async def wait_for_slot(self, limit: TenantLimit | None = None) -> None:
        self.waits += 1
        await asyncio.sleep(0)
        self.stock.granted(self.comes)


def edge_of(pool: LocalMindPool, **settings: Any) -> Edge:
    async def planned_end(_call_sid: str) -> bool:
        return False

    plain: dict[str, Any] = {
        "mode": "development",
        "default_agent": "ann",
        "token_secret": "the secret of this test",
        **settings,
    }
    edge = Edge(
        Settings(**{"_env_file": None, **plain}),
        EdgeParts(
            agents={(AGENT.tenant_id, "ann"): AGENT},
            call_parts={},
            pool=pool,
            wall_clock_us=lambda: 1_760_000_000_000_000,
            counts=EventCounts(MetricsLedger("door", 1)),
            cluster_view=lambda: None,
            planned_end=planned_end,
        ),
    )
    edge.not_ready.clear()
    return edge


def answers(
    comes: Grants, calls: int, change: Callable[[Edge], None] = lambda _edge: None
) -> tuple[list[str], Edge, FullPool]:
    """What the voice webhook says to callers who come at once."""

    async def scene() -> tuple[list[str], Edge, FullPool]:
        pool = FullPool(comes)
        edge = edge_of(pool)
        change(edge)
        way = httpx.ASGITransport(build_app(edge, CallServices(edge)))
        async with httpx.AsyncClient(transport=way, base_url="http://edge") as client:
            posts = [client.post("/twilio/voice", data={"CallSid": f"CA{n}"}) for n in range(calls)]
            return [answer.text for answer in await asyncio.gather(*posts)], edge, pool

    return asyncio.run(scene())


async def ask(
    forms: list[dict[str, str]], *, slots: int, **settings: Any
) -> tuple[list[str], Edge]:
    """What the voice webhook says to these forms, one after the other."""
    pool = LocalMindPool({}, {}, names=())
    pool.stock.granted(Grants({"a": slots}, ("a",), active_calls=0, capacity=slots))
    edge = edge_of(pool, **settings)
    way = httpx.ASGITransport(build_app(edge, CallServices(edge)))
    async with httpx.AsyncClient(transport=way, base_url="http://edge") as client:
        return [(await client.post("/twilio/voice", data=form)).text for form in forms], edge


def test_a_call_takes_the_slot_that_came_while_it_waited() -> None:
    (said,), edge, pool = answers(ONE, 1)
    assert "<Stream" in said
    assert pool.stock.free == 0
    assert edge.parts.counters == {"calls_admitted": 1}


def test_a_call_for_which_none_came_is_refused_politely() -> None:
    (said,), edge, pool = answers(FULL, 1)
    assert BUSY in said
    assert pool.waits == 1
    assert edge.parts.counters == {"calls_refused_actors_full": 1}


def test_each_slot_that_comes_serves_one_of_those_who_wait() -> None:
    said, edge, _ = answers(ONE, 5)
    assert sum("<Stream" in text for text in said) == edge.parts.counters["calls_admitted"] == 5


def test_nobody_waits_at_a_door_that_is_closed() -> None:
    def drain(edge: Edge) -> None:
        edge.draining = True

    (said,), edge, pool = answers(ONE, 1, drain)
    assert BUSY in said
    assert pool.waits == 0
    assert edge.parts.counters == {"calls_refused_draining": 1}


def test_nobody_comes_in_on_the_descriptors_of_those_who_talk() -> None:
    def run_out(edge: Edge) -> None:
        edge.are_descriptors_short = lambda: True

    (said,), edge, _ = answers(ONE, 1, run_out)
    assert BUSY in said
    assert edge.parts.counters == {"calls_refused_descriptors_short": 1}


class FullGate(ProviderGate):
    """The agent's providers take no more calls."""

    async def admits(self, agent: Agent, call_id: str) -> bool:
        return False


def test_a_call_beyond_what_providers_allow_is_refused_politely_and_takes_no_slot() -> None:
    def fill(edge: Edge) -> None:
        edge.parts = replace(edge.parts, gate=FullGate())

    (said,), edge, pool = answers(ONE, 1, fill)
    assert BUSY in said
    assert pool.stock.free == 1
    assert edge.parts.counters == {"calls_refused_providers_full": 1}


def tenant_grants(**tenants: int) -> Grants:
    """Seats for all, and leases of these tenants."""
    return Grants(
        {"a": 9}, ("a",), counts_tenants=True, tenant_granted=tenants, tenant_calls={"default": 2}
    )


def test_a_caller_of_a_tenant_at_its_limit_is_refused_politely_and_takes_no_slot() -> None:
    def limit(edge: Edge) -> None:
        edge.tenant_limits = TenantLimits(0, "default=2")

    said, edge, pool = answers(tenant_grants(default=1), 1, limit)
    assert "<Stream" in said[0]
    assert pool.stock.report("r", active_calls=0, max_calls=9, now=0.0).tenant_of
    said, edge, pool = answers(tenant_grants(), 1, limit)
    assert BUSY in said[0]
    assert pool.stock.free == 9
    assert edge.parts.counters == {"calls_refused_tenant_full": 1}


def test_a_tenant_without_a_limit_needs_no_lease() -> None:
    def limit(edge: Edge) -> None:
        edge.tenant_limits = TenantLimits(1, "default=0")

    said, _, pool = answers(tenant_grants(), 1, limit)
    assert "<Stream" in said[0]
    assert not pool.stock.report("r", active_calls=0, max_calls=9, now=0.0).tenant_of


def test_what_a_tenant_claimed_is_free_when_providers_refuse() -> None:
    def limit(edge: Edge) -> None:
        edge.tenant_limits = TenantLimits(2, "")
        edge.parts = replace(edge.parts, gate=FullGate())

    _, _, pool = answers(tenant_grants(default=1), 1, limit)
    assert pool.stock.report("r", active_calls=0, max_calls=9, now=0.0).tenant_held == {}


def test_an_answer_that_fails_after_its_asker_has_gone_is_not_kept() -> None:
    """The carrier asks again: it gets an answer, not the failure of the first time."""

    class Failing(FullPool):
        async def wait_for_slot(self, limit: TenantLimit | None = None) -> None:
            if not self.waits:
                self.waits += 1
                await asyncio.sleep(1.0)
                raise RuntimeError("once")
            await super().wait_for_slot(limit)

    async def scene() -> str:
        voice = CallServices(edge_of(Failing(ONE))).voice
        form = {"CallSid": "CA1", "To": "+14155550100"}
        first = asyncio.ensure_future(voice.answer("CA1", form, ""))
        await asyncio.sleep(0.5)
        first.cancel()
        await asyncio.sleep(1.0)
        return (await voice.answer("CA1", form, "")).twiml

    assert "<Connect" in virtual_time.run(scene())
