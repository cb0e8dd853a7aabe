"""A chain over the real client and two emulators: the contract, and every fault on the first."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from dialogue.ports import Message, ReplyDone, Thinker, ThinkRequest, ToolCallRequested
from providers.errors import ProviderError
from providers.failover.tally import Work
from providers.failover.think_chain import ThinkCandidate
from providers.failover.thinker import FailoverThinker
from providers.health.budget import TenantBudgets
from providers.health.local import LocalHealth
from providers.health.unit import Unit
from providers.health.view import HealthView
from simulation.faults import Faults
from tests.providers import stage as stages
from tests.providers.stage import Stage, run_for_real
from tests.providers.test_openai_chat import thinker_at
from tests.support.contract_thinker import ThinkerContract, all_of, text_of

pytestmark = pytest.mark.e2e

SUNDAY = ThinkRequest("call", (Message("user", "When do you close on Sunday?"),))
WHOLE = "On Sundays we close at five in the afternoon. Is there anything else I can help with?"


class Asks(list[str]):
    """What was asked of whom and why."""

    def asked(self, work: Work, provider: str, why: str) -> None:
        assert work == "think"
        self.append(f"{provider} {why}")

    def waited(self, work: Work, seconds: float) -> None:
        assert (work, seconds > 0) == ("think", True)


@dataclass
class Scene:
    first: Stage
    second: Stage
    thinker: Thinker
    view: HealthView
    asks: Asks

    async def text(self, request: ThinkRequest = SUNDAY) -> str:
        return text_of(await all_of(self.thinker, request))

    def state(self, name: str, operation: str = "llm.ttft") -> str:
        return self.view.verdict(Unit(name, operation).key).state  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def chain() -> AsyncIterator[Scene]:
    clock = asyncio.get_running_loop().time
    async with stages.openai() as first, stages.openai() as second:
        view, asks = HealthView(LocalHealth("test", lambda: 0.0), clock), Asks()
        candidates = [
            ThinkCandidate("one", thinker_at(first.address)),
            ThinkCandidate("two", thinker_at(second.address)),
        ]
        thinker = FailoverThinker(candidates, view, TenantBudgets(first=5.0), asks)
        try:
            yield Scene(first, second, thinker, view, asks)
        finally:
            await thinker.aclose()


class TestChain(ThinkerContract):
    run = staticmethod(run_for_real)

    @contextlib.asynccontextmanager
    async def thinker(self) -> AsyncIterator[Thinker]:
        async with chain() as scene:
            yield scene.thinker


class TestChainWhoseFirstIsDown(ThinkerContract):
    run = staticmethod(run_for_real)

    @contextlib.asynccontextmanager
    async def thinker(self) -> AsyncIterator[Thinker]:
        async with chain() as scene:
            scene.first.break_it(Faults(status=503))
            yield scene.thinker


@pytest.mark.parametrize(
    ("faults", "why"),
    [
        (Faults(status=503), "failover"),
        (Faults(status=429, retry_after_s=30), "failover"),
        (Faults(status=401), "failover"),
        (Faults(status=404), "failover"),
        (Faults(refuse_connection=True), "failover"),
        (Faults(hang_after_accept=True), "hedge"),
        (Faults(first_byte_delay_s=1.8), "hedge"),  # six times slower than usual
        (Faults(garbage_after_messages=0), "failover"),
        (Faults(drop_after_messages=0), "failover"),
        (Faults(drop_after_messages=6), "continued"),
        (Faults(stall_after_messages=6), "continued"),
        (Faults(garbage_after_messages=6), "continued"),
    ],
)
def test_a_fault_of_the_first_is_not_heard(faults: Faults, why: str) -> None:
    async def body() -> None:
        async with chain() as scene:
            scene.first.break_it(faults)
            events = await all_of(scene.thinker, SUNDAY)
            assert text_of(events) == WHOLE
            assert isinstance(events[-1], ReplyDone)
            assert events[-1].reason == "stop"
            assert scene.asks == ["one first", f"two {why}"]

    run_for_real(body())


@pytest.mark.parametrize("most", range(1, 16, 2))
def test_wherever_the_first_dies_each_word_comes_once(most: int) -> None:
    async def body() -> None:
        async with chain() as scene:
            scene.first.break_it(Faults(drop_after_messages=most))
            assert await scene.text() == WHOLE

    run_for_real(body())


def test_who_asked_to_be_left_alone_is() -> None:
    async def body() -> None:
        async with chain() as scene:
            scene.first.break_it(Faults(status=429, retry_after_s=30))
            for _ in range(4):
                assert await scene.text() == WHOLE
            assert scene.asks == ["one first", "two failover"] + ["two first"] * 3
            assert scene.state("one") == "open"

    run_for_real(body())


def test_a_provider_that_is_down_is_asked_four_times_and_no_more() -> None:
    async def body() -> None:
        async with chain() as scene:
            scene.first.break_it(Faults(status=503))
            for _ in range(8):
                assert await scene.text() == WHOLE
            assert scene.asks.count("one first") == 4

    run_for_real(body())


def test_one_hang_in_ten_is_never_heard() -> None:
    async def body() -> None:
        async with chain() as scene:
            for number in range(20):
                if number % 10 == 5:
                    scene.first.break_it(Faults(hang_after_accept=True, times=1))
                assert await scene.text() == WHOLE
            assert scene.asks.count("two hedge") == 2

    run_for_real(body())


def test_a_tool_is_called_once_whoever_dies() -> None:
    async def body() -> None:
        from tests.providers.test_openai_tools import asking

        async with chain() as scene:
            scene.first.break_it(Faults(drop_after_messages=1))
            events = await all_of(scene.thinker, asking("Transfer me to sales please"))
            calls = [event for event in events if isinstance(event, ToolCallRequested)]
            assert [call.name for call in calls] == ["transfer_call"]
            assert text_of(events) == "One moment, please."

    run_for_real(body())


def test_what_hangs_is_let_go() -> None:
    async def body() -> None:
        async with chain() as scene:
            scene.first.break_it(Faults(hang_after_accept=True))
            assert await scene.text() == WHOLE
            await scene.first.settle(0)

    run_for_real(body())


def test_all_are_down() -> None:
    async def body() -> None:
        async with chain() as scene:
            scene.first.break_it(Faults(status=503))
            scene.second.break_it(Faults(status=500))
            with pytest.raises(ProviderError):
                await scene.text()

    run_for_real(body())


def test_a_probe_tells_who_is_well() -> None:
    async def body() -> None:
        async with chain() as scene:
            await scene.thinker.warm()
            scene.second.break_it(Faults(status=503))
            one, two = (scene.view.probes[Unit(name, "llm.ttft").key] for name in ("one", "two"))
            assert await one() > 0
            with pytest.raises(ProviderError):
                await two()

    run_for_real(body())
