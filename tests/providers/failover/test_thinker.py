"""A chain of language models: whoever asks gets one reply, no word missing, none twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from dialogue.ports import (
    Message,
    ReplyDelta,
    ReplyDone,
    Thinker,
    ThinkEvent,
    ThinkRequest,
    ToolCallBegan,
    ToolCallRequested,
    ToolDefinition,
)
from providers.errors import ProviderBusy, ProviderError, ProviderTimeout, ProviderUnavailable
from providers.failover.continuation import GO_ON
from providers.failover.tally import Work
from providers.failover.think_chain import ThinkCandidate
from providers.failover.thinker import FailoverThinker
from providers.health.budget import TenantBudgets
from providers.health.local import LocalHealth
from providers.health.quotas import QuotaLimit, Quotas
from providers.health.unit import Unit
from providers.health.view import HealthView
from providers.scripted import ScriptedThinker
from tests.support import virtual_time
from tests.support.contract_thinker import REQUEST, ThinkerContract, text_of
from tests.support.fake_thinker import HANG, FakeThinker, Step

TOOL = ToolDefinition("transfer", "To somebody.", {})
CALL = ToolCallRequested("c1", "transfer", "{}")
WHOLE = ("On Sundays ", "we close ", "at five.")


class Counted:
    """What a chain counts."""

    def __init__(self) -> None:
        self.asks: list[tuple[str, str]] = []
        self.waits: list[float] = []

    def asked(self, work: Work, provider: str, why: str) -> None:
        assert work == "think"
        self.asks.append((provider, why))

    def waited(self, work: Work, seconds: float) -> None:
        assert work == "think"
        self.waits.append(seconds)


class Chain:
    """A chain on virtual time, of thinkers that play scripts."""

    def __init__(self, *scripts: Any, budget: float = 9.0) -> None:
        self.models = [
            FakeThinker(script, name=name) for name, script in zip("abc", scripts, strict=False)
        ]
        self.view = HealthView(LocalHealth("test", lambda: 0.0), now)
        self.counted = Counted()
        self.thinker = FailoverThinker(
            [
                ThinkCandidate(model.name, model, model=f"model-{model.name}")
                for model in self.models
            ],
            self.view,
            TenantBudgets(first=budget),
            self.counted,
        )
        self.began = now()

    async def ask(self, request: ThinkRequest = REQUEST) -> list[ThinkEvent]:
        self.began = now()
        return [event async for event in self.thinker.reply(request)]

    async def text(self, request: ThinkRequest = REQUEST) -> str:
        return text_of(await self.ask(request))

    @property
    def took_s(self) -> float:
        return round(now() - self.began, 3)

    @property
    def asks(self) -> list[str]:
        return [f"{name} {why}" for name, why in self.counted.asks]

    def state(self, name: str, operation: str = "llm.ttft") -> str:
        unit = Unit(name, operation, model=f"model-{name}")  # type: ignore[arg-type]
        return self.view.verdict(unit.key).state

    @property
    def open_replies(self) -> int:
        return sum(model.open_replies for model in self.models)


def now() -> float:
    return asyncio.get_running_loop().time()


def play(scene: Callable[[], Awaitable[None]]) -> None:
    virtual_time.run(scene())  # type: ignore[arg-type]


class TestChain(ThinkerContract):
    @asynccontextmanager
    async def thinker(self) -> AsyncIterator[Thinker]:
        candidates = [
            ThinkCandidate(name, ScriptedThinker(["One two three four five six."]))
            for name in ("one", "two")
        ]
        view = HealthView(LocalHealth("test", lambda: 0.0), now)
        yield FailoverThinker(candidates, view, TenantBudgets(), Counted())


def test_a_healthy_first_answers_alone_and_word_for_word() -> None:
    async def scene() -> None:
        chain = Chain((0.2, *WHOLE), ("never",))
        events = await chain.ask()
        assert text_of(events) == "".join(WHOLE)
        assert events[-1] == ReplyDone("stop", 11, 7)
        assert chain.asks == ["a first"]
        assert chain.counted.waits == []
        assert chain.thinker.name == "a > b"

    play(scene)


def test_hard_errors_cost_nothing_but_their_own_time_and_then_not_even_that() -> None:
    async def scene() -> None:
        chain = Chain((0.05, ProviderUnavailable("503", "a")), (0.2, *WHOLE))
        for attempt in range(6):
            assert await chain.text() == "".join(WHOLE)
            assert chain.took_s == (0.25 if attempt < 4 else 0.2)
        assert Counter(chain.asks)["a first"] == 4
        assert chain.state("a") == "open"

    play(scene)


def test_a_chain_whose_first_fails_is_not_well_enough_for_work_that_can_wait() -> None:
    async def scene() -> None:
        chain = Chain((0.05, ProviderUnavailable("503", "a")), (0.2, *WHOLE))
        assert chain.thinker.is_well("")
        for _ in range(6):
            await chain.text()
        assert not chain.thinker.is_well("")

    play(scene)


def test_the_third_answers_when_two_are_down() -> None:
    async def scene() -> None:
        down = (0.05, ProviderUnavailable("503"))
        chain = Chain(down, down, (0.2, *WHOLE))
        assert await chain.text() == "".join(WHOLE)
        assert chain.took_s == pytest.approx(0.3)

    play(scene)


def test_429_is_left_alone_for_as_long_as_it_asks() -> None:
    async def scene() -> None:
        busy = ProviderBusy("429", "a", retry_after_s=30.0)
        chain = Chain((busy,), (0.2, *WHOLE))
        for _ in range(3):
            await chain.text()
        assert chain.asks == ["a first", "b failover", "b first", "b first"]

    play(scene)


def test_one_that_accepts_and_hangs_is_hedged_then_left() -> None:
    async def scene() -> None:
        chain = Chain((HANG,), (0.2, *WHOLE))
        waits = []
        for _ in range(6):
            assert await chain.text() == "".join(WHOLE)
            waits.append(chain.took_s)
            await asyncio.sleep(1.0)
        assert waits[0] == pytest.approx(0.6 + 0.2), "P99 of the prior, then the answer"
        assert max(waits[1:4]) == pytest.approx(0.5 + 0.2), "suspect: hedged at P95"
        assert waits[4:] == [0.2, 0.2]
        assert chain.open_replies == 0
        assert chain.counted.waits[0] == pytest.approx(0.8)

    play(scene)


def test_hedges_of_one_tenant_are_not_spent_by_another() -> None:
    async def scene() -> None:
        chain = Chain((HANG,), (0.2, *WHOLE), budget=1.0)
        asks = [("greedy", "hedge"), ("greedy", "failover"), ("modest", "hedge")]
        for tenant_id, why in asks:
            chain.view.local = LocalHealth("test", lambda: 0.0)  # nobody remembers the fault
            await chain.text(replace(REQUEST, tenant_id=tenant_id))
            assert chain.asks[-1] == f"b {why}"

    play(scene)


def test_without_budget_a_hang_costs_the_deadline() -> None:
    async def scene() -> None:
        chain = Chain((HANG,), (0.2, *WHOLE), budget=0.0)
        assert await chain.text() == "".join(WHOLE)
        assert chain.took_s == pytest.approx(0.9 + 0.2)
        assert chain.asks == ["a first", "b failover"]

    play(scene)


def test_what_may_use_tools_is_never_out_twice_but_fails_over_as_soon_as_it_is_silent() -> None:
    async def scene() -> None:
        request = replace(REQUEST, tools=(TOOL,))
        chain = Chain((HANG,), (0.2, CALL, ReplyDone("tool_calls")))
        events = await chain.ask(request)
        assert events == [CALL, ReplyDone("tool_calls", stand_in="b")]
        assert chain.took_s == pytest.approx(1.15 * 0.6 + 0.2), "silence, and not the deadline"
        assert chain.asks == ["a first", "b failover"]
        assert (chain.models[0].cancelled, chain.open_replies) == (1, 0)
        chain = Chain((HANG,), (0.2, *WHOLE))
        await chain.text(replace(request, tool_choice="none"))
        assert chain.asks == ["a first", "b hedge"]

    play(scene)


def test_at_no_moment_do_two_models_work_on_a_request_with_tools() -> None:
    async def scene() -> None:
        chain = Chain((HANG,), (HANG,), (0.1, *WHOLE))
        asking = asyncio.ensure_future(chain.ask(replace(REQUEST, tools=(TOOL,))))
        while not asking.done():
            await asyncio.sleep(0.01)
            assert chain.open_replies <= 1
        assert text_of(asking.result()) == "".join(WHOLE)

    play(scene)


def test_a_tool_call_that_is_written_for_long_is_no_outage() -> None:
    async def scene() -> None:
        chain = Chain((0.2, ToolCallBegan(), 3.0, CALL, ReplyDone("tool_calls")), WHOLE)
        events = await chain.ask(replace(REQUEST, tools=(TOOL,)))
        assert events == [ToolCallBegan(), CALL, ReplyDone("tool_calls")]
        assert chain.asks == ["a first"]
        assert chain.state("a") == "closed"

    play(scene)


def test_an_empty_answer_is_none_and_a_filter_is_one() -> None:
    async def scene() -> None:
        chain = Chain((" ", ReplyDone("stop")), WHOLE)
        assert await chain.text() == "".join(WHOLE)
        chain = Chain((ReplyDone("content_filter"),), WHOLE)
        assert await chain.ask() == [ReplyDone("content_filter")]

    play(scene)


def rest(*steps: Step) -> Callable[[ThinkRequest], tuple[Step, ...]]:
    """Answers the request to go on with ``steps``, any other one with the whole."""

    def script(request: ThinkRequest) -> tuple[Step, ...]:
        return steps if request.messages[-1].text == GO_ON else WHOLE

    return script


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("On Sundays ", "we clo", ProviderUnavailable("reset")), (0.2, "close at ", "five.")),
        (("On Sundays ", "we clo", HANG), (0.2, "close at ", "five.")),
        (("On Sun", ProviderUnavailable("reset")), ("Sundays we close at five.",)),
        (("On Sundays we close", ProviderUnavailable("reset")), ("we close at five.",)),
        (("On Sundays we close ", ProviderUnavailable("x")), ("On Sundays we close at five.",)),
        (("On ",), ("Sundays ", "we close at five.")),
        (("O", ProviderUnavailable("reset")), ("On Sundays we close at five.",)),
    ],
)
def test_a_reply_that_breaks_off_is_ended_by_the_next(
    first: tuple[Step, ...], second: tuple[Step, ...]
) -> None:
    async def scene() -> None:
        ended = (*first, ReplyDone("stop")) if first == ("On ",) else first
        if first == ("On ",):
            ended = ("On ", ProviderTimeout("silent", "a"))
        chain = Chain(ended, rest(*second))
        events = await chain.ask()
        assert text_of(events) == "On Sundays we close at five."
        assert events[-1] == ReplyDone("stop", 11, 7, stand_in="b")
        assert sum(isinstance(event, ReplyDone) for event in events) == 1
        assert chain.asks == ["a first", "b continued"]
        assert chain.state("a", "llm.inter_token") == "suspect"
        assert chain.state("a") == "closed"
        assert chain.open_replies == 0

    play(scene)


def test_the_second_is_asked_for_the_rest_without_the_half_word() -> None:
    async def scene() -> None:
        chain = Chain(("On Sundays we clo", ProviderUnavailable("reset")), rest("close."))
        await chain.text(replace(REQUEST, max_tokens=100))
        asked = chain.models[1].requests[0]
        assert asked.messages[:-2] == REQUEST.messages
        assert asked.messages[-2:] == (
            Message("assistant", "On Sundays we"),
            Message("user", GO_ON),
        )
        assert asked.max_tokens == 100 - len("On Sundays we ") // 4

    play(scene)


def test_a_stall_is_noticed_within_a_second() -> None:
    async def scene() -> None:
        chain = Chain(("On Sundays ", HANG), rest(0.2, "we close at five."))
        assert await chain.text() == "On Sundays we close at five."
        assert chain.took_s <= 1.2

    play(scene)


def test_when_the_second_breaks_off_as_well_the_third_goes_on() -> None:
    async def scene() -> None:
        broken = ProviderUnavailable("reset")
        chain = Chain(
            ("On Sundays ", broken), rest("we close ", broken), rest("at ", "five."), budget=0.0
        )
        assert await chain.text() == "On Sundays we close at five."
        assert chain.asks == ["a first", "b continued", "c continued"]

    play(scene)


def test_when_nobody_is_left_the_failure_comes_out() -> None:
    async def scene() -> None:
        broken = ProviderUnavailable("reset", "b")
        chain = Chain(("On Sundays ", ProviderUnavailable("x", "a")), rest("we close ", broken))
        reply, said = chain.thinker.reply(REQUEST), ""
        for _ in range(2):
            event = await anext(reply)
            said += event.text if isinstance(event, ReplyDelta) else ""
        with pytest.raises(ProviderUnavailable, match="b: reset"):
            await anext(reply)
        assert said == "On Sundays we close "
        assert len(chain.asks) == 2

    play(scene)


def test_after_a_tool_call_nobody_is_asked_again() -> None:
    async def scene() -> None:
        chain = Chain(("Gladly.", CALL, ProviderUnavailable("reset")), WHOLE)
        events = await chain.ask(replace(REQUEST, tools=(TOOL,)))
        assert events == [ReplyDelta("Gladly."), CALL, ReplyDone("tool_calls")]
        assert chain.asks == ["a first"]

    play(scene)


def test_a_call_that_broke_off_before_it_was_whole_is_asked_for_again() -> None:
    async def scene() -> None:
        chain = Chain((ToolCallBegan(), ProviderUnavailable("reset")), (CALL,))
        events = await chain.ask(replace(REQUEST, tools=(TOOL,)))
        assert events[-2:] == [CALL, ReplyDone("stop", 11, 7, stand_in="b")]
        assert chain.models[1].requests[0].messages == REQUEST.messages

    play(scene)


@pytest.mark.parametrize(
    ("scripts", "kind", "within_s"),
    [
        (((ProviderUnavailable("a"),), (ProviderUnavailable("b"),)), ProviderUnavailable, 0.01),
        (((HANG,), (HANG,)), ProviderTimeout, 2.3),
        (((HANG,), (HANG,), (HANG,)), ProviderTimeout, 3.2),
    ],
)
def test_all_are_down(scripts: Any, kind: type[ProviderError], within_s: float) -> None:
    async def scene() -> None:
        chain = Chain(*scripts)
        with pytest.raises(kind):
            await chain.ask()
        assert chain.took_s <= within_s
        await asyncio.sleep(5.0)
        assert chain.open_replies == 0

    play(scene)


def test_a_storm_of_callers_who_speak_up_opens_nothing() -> None:
    async def scene() -> None:
        chain = Chain((0.3, *WHOLE), (0.3, *WHOLE))
        for _ in range(50):
            reply = chain.thinker.reply(REQUEST)
            reading = asyncio.ensure_future(anext(reply))
            await asyncio.sleep(0.1)
            reading.cancel()
            await asyncio.wait([reading])
            await reply.aclose()  # type: ignore[attr-defined]
        assert (chain.state("a"), chain.state("b")) == ("closed", "closed")
        assert chain.open_replies == 0

    play(scene)


def test_closing_in_the_middle_tells_the_provider_before_it_returns() -> None:
    async def scene() -> None:
        chain = Chain(("One ", HANG), WHOLE)
        reply = chain.thinker.reply(REQUEST)
        assert await anext(reply) == ReplyDelta("One ")
        await reply.aclose()  # type: ignore[attr-defined]
        assert (chain.open_replies, chain.models[0].cancelled) == (0, 1)
        assert chain.state("a", "llm.inter_token") == "closed"

    play(scene)


def test_only_the_first_is_asked_for_the_agents_model() -> None:
    async def scene() -> None:
        chain = Chain((ProviderUnavailable("x"),), WHOLE)
        await chain.text(replace(REQUEST, model="gpt-6-luna"))
        assert [model.requests[0].model for model in chain.models] == ["gpt-6-luna", ""]

    play(scene)


def test_the_same_service_twice_is_one() -> None:
    async def scene() -> None:
        model = FakeThinker((ProviderUnavailable("x", "a"),), name="a")
        view = HealthView(LocalHealth("test", lambda: 0.0), now)
        twins = [ThinkCandidate("a", model, "host"), ThinkCandidate("a", model, "host")]
        thinker = FailoverThinker(twins, view, TenantBudgets(), Counted())
        with pytest.raises(ProviderUnavailable):
            _ = [event async for event in thinker.reply(REQUEST)]
        assert len(model.requests) == 1

    play(scene)


def test_each_unit_can_be_probed_and_a_probe_measures_it() -> None:
    async def scene() -> None:
        chain = Chain((0.3, "one ", 0.1, "two ", 0.2, "three"), (HANG,))
        await chain.thinker.warm()
        assert len(chain.view.probes) == 4
        first = Unit("a", "llm.ttft", model="model-a").key
        flow = Unit("a", "llm.inter_token", model="model-a").key
        assert await chain.view.probes[first]() == pytest.approx(0.3)
        assert await chain.view.probes[flow]() == pytest.approx(0.2)
        assert chain.counted.asks == [], "a probe is no request of a caller"

    play(scene)


def test_a_chain_is_warm_when_one_of_it_is() -> None:
    class Cold(FakeThinker):
        async def warm(self) -> None:
            raise ProviderUnavailable("away", self.name)

    async def scene() -> None:
        view = HealthView(LocalHealth("test", lambda: 0.0), now)

        def chain(*models: FakeThinker) -> FailoverThinker:
            candidates = [ThinkCandidate(model.name, model) for model in models]
            return FailoverThinker(candidates, view, TenantBudgets(), Counted())

        await chain(Cold(WHOLE, name="a"), FakeThinker(WHOLE, name="b")).warm()
        with pytest.raises(ProviderUnavailable):
            await chain(Cold(WHOLE, name="a"), Cold(WHOLE, name="b")).warm()

    play(scene)


def test_one_in_ten_hangs_and_nobody_waits_for_long() -> None:
    async def scene() -> None:
        asked = 0

        def script(_request: ThinkRequest) -> tuple[Step, ...]:
            nonlocal asked
            asked += 1
            return (HANG,) if asked > 40 and asked % 10 == 3 else (0.2, *WHOLE)

        chain = Chain(script, (0.25, *WHOLE), budget=1.0)
        waits = []
        for _ in range(240):  # of which 40 to be known by
            assert await chain.text() == "".join(WHOLE)
            waits.append(chain.took_s)
            await asyncio.sleep(0.2)
        late = sum(wait > 0.25 for wait in waits)
        assert 5 <= late <= 10, "then it is left, and comes back on probation"
        assert max(waits) <= 0.6 + 0.25, "a deadline at worst"
        assert sum(why.endswith("hedge") for why in chain.asks) <= 1 + 0.05 * 240

    play(scene)


def test_one_that_is_nearly_at_its_limit_comes_after_the_others() -> None:
    async def scene() -> None:
        limit = QuotaLimit("think", "a", 10, per_minute=True)
        chain = Chain(WHOLE, WHOLE)
        chain.view.quotas = Quotas("test", [limit], now)
        for fullness, first in ((0.8, "a"), (0.9, "b")):
            wish = chain.view.quotas.wishes()[limit.key]
            chain.view.quotas.answered({limit.key: [wish[1], 0, 0, fullness]})
            await chain.text()
            assert chain.asks[-1] == f"{first} first"

    play(scene)
