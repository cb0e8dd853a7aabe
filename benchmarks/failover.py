"""Failing language models, in virtual time: what callers of a whole cluster wait for.

``python -m benchmarks.failover`` runs the product's own chain, reporters and keeper, eight workers
of them on one virtual clock, over models whose first tokens come as measured ones do (lognormal,
medians 160, 190 and 220 ms), and breaks the first one for a minute. A hundred calls ask every five
seconds, ten times each; once more for agents with tools, whose requests are never doubled. Beside
it stand two ways in which this is often done by hand. It measures the policy, not this machine:
nothing waits for real. What the wire and the emulators add is measured elsewhere.

A second table is of a small installation, two workers and twenty calls, where a fault of which only
some requests suffer is hardest to tell: of ten runs the mean and the most of the requests that were
made beyond one for each question.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import statistics
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from actors.provider_health_driver import HealthDriver
from actors.provider_health_reporter import HealthReporter
from dialogue.ports import Message, ReplyDelta, ReplyDone, ThinkEvent, ThinkRequest, ToolDefinition
from providers.errors import ProviderBusy, ProviderError, ProviderUnavailable
from providers.failover.think_chain import ThinkCandidate
from providers.failover.thinker import FailoverThinker
from providers.health.budget import TenantBudgets
from providers.health.local import LocalHealth
from providers.health.view import HealthView
from tests.support import virtual_time

WORKERS = 8
TURNS = 10
WARM_S, FAULT_S = 30.0, 60.0
FEW_FAULT_S, FEW_RUNS = 84.0, 10
MEDIANS_S = {"a": 0.16, "b": 0.19, "c": 0.22}
SIGMA = 0.35
WIRE_S = 0.002
WATCH_EVERY_S = 0.002
HANG = 1e6
TOOL = ToolDefinition("transfer", "Puts the caller through.", {})


@dataclass(frozen=True, slots=True)
class Scale:
    """How big a cluster is, and how busy."""

    workers: int
    requests_a_second: float
    calls_at_once: int


BUSY = Scale(WORKERS, 20.0, 100)
FEW = Scale(2, 2.0, 20)
Fault = Callable[[random.Random, float], float]  # delay of a first token in s, or an error


def healthy(_chance: random.Random, delay_s: float) -> float:
    """Nothing is wrong."""
    return delay_s


def hard(_chance: random.Random, _delay_s: float) -> float:
    """503 after a round trip."""
    raise ProviderUnavailable("503", "a")


def busy(_chance: random.Random, _delay_s: float) -> float:
    """429 with Retry-After: 5."""
    raise ProviderBusy("429", "a", retry_after_s=5.0)


def hang(_chance: random.Random, _delay_s: float) -> float:
    """Accepts, says nothing."""
    return HANG


def slow(_chance: random.Random, delay_s: float) -> float:
    """Six times slower."""
    return 6 * delay_s


def half_hang(chance: random.Random, delay_s: float) -> float:
    """Every other one hangs."""
    return HANG if chance.random() < 0.5 else delay_s


def tenth_hang(chance: random.Random, delay_s: float) -> float:
    """One in ten hangs."""
    return HANG if chance.random() < 0.1 else delay_s


FAULTS: dict[str, Fault] = {
    "none": healthy,
    "hard errors": hard,
    "429": busy,
    "hang": hang,
    "six times slower": slow,
    "half hang": half_hang,
    "one in ten hangs": tenth_hang,
}


class Model:
    """A language model of one word, whose first token is as late as it is."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self.name = name
        self.fault: Fault = healthy
        self.asked = 0
        self._chance = chance

    async def warm(self) -> None:
        """Nothing to open."""

    async def reply(self, request: ThinkRequest) -> AsyncIterator[ThinkEvent]:
        """One word."""
        self.asked += request.call_id != "probe"
        delay_s = self._chance.lognormvariate(math.log(MEDIANS_S[self.name]), SIGMA)
        await asyncio.sleep(0.03)
        await asyncio.sleep(self.fault(self._chance, delay_s) - 0.03)
        yield ReplyDelta("Yes. ")
        yield ReplyDone("stop")

    async def aclose(self) -> None:
        """Nothing to close."""


class Wire:
    """From a worker to the keeper."""

    def __init__(self, driver: HealthDriver) -> None:
        self._driver = driver

    async def report(self, plain: dict[str, object]) -> None:
        """See ``HealthLink``."""
        await asyncio.sleep(WIRE_S)
        await self._driver.report(plain)

    async def watch(self, plain: dict[str, object]) -> dict[str, object]:
        """See ``HealthLink``."""
        await asyncio.sleep(WIRE_S)
        answer = await self._driver.watch(plain)
        await asyncio.sleep(WIRE_S)
        return answer

    async def probed(self, plain: dict[str, object]) -> None:
        """See ``HealthLink``."""
        await self._driver.probed(plain)


class Silent:
    """Counts nothing."""

    def asked(self, work: str, provider: str, why: str) -> None:
        """See ``FailoverTally``."""

    def waited(self, work: str, seconds: float) -> None:
        """See ``FailoverTally``."""


class OneAfterAnother:
    """A fixed time for each, then the next: what is often written by hand.

    Args:
        models: In order.
        within_s: For a first token.
        is_kept: A call stays with the model that it was switched to.
    """

    def __init__(self, models: list[Model], within_s: float, *, is_kept: bool) -> None:
        self._models = models
        self._within_s = within_s
        self._is_kept = is_kept
        self._kept: dict[str, int] = {}

    async def reply(self, request: ThinkRequest) -> AsyncIterator[ThinkEvent]:
        """The first answer in time."""
        begin = self._kept.get(request.call_id, 0) if self._is_kept else 0
        for at in range(begin, len(self._models)):
            events = self._models[at].reply(request)
            try:
                async with asyncio.timeout(self._within_s):
                    event = await anext(events)
            except (ProviderError, TimeoutError):
                continue
            self._kept[request.call_id] = at
            yield event
            return
        raise ProviderUnavailable("nobody answers")

    async def aclose(self) -> None:
        """Nothing to close."""


class WithTools:
    """A chain, asked for agents that have tools."""

    def __init__(self, chain: FailoverThinker) -> None:
        self._chain = chain

    def reply(self, request: ThinkRequest) -> AsyncIterator[ThinkEvent]:
        """The answer of whoever gives one."""
        return self._chain.reply(replace(request, tools=(TOOL,)))


@dataclass
class Figures:
    """What callers waited for, seconds.

    Attributes:
        waits: In the time of the fault.
        extra_ratio: Requests to providers beyond one for each question.
        known_s: From the moment in which the first worker leaves the broken provider to that in
            which all have left it; None when they did not.
    """

    waits: list[float] = field(default_factory=list)
    extra_ratio: float = 0.0
    known_s: float | None = None

    def quantile_s(self, share: float) -> float:
        """Of the waits."""
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


class Chain(Protocol):
    """Whom calls ask."""

    def reply(self, request: ThinkRequest) -> AsyncIterator[ThinkEvent]:
        """The answer of whoever gives one."""


Policy = Callable[[list[Model], HealthView], Chain]


def ours(models: list[Model], view: HealthView) -> FailoverThinker:
    """The product's."""
    candidates = [ThinkCandidate(model.name, model) for model in models]
    return FailoverThinker(candidates, view, TenantBudgets(), Silent())


def with_tools(models: list[Model], view: HealthView) -> WithTools:
    """The product's, for agents with tools."""
    return WithTools(ours(models, view))


def ten_seconds(models: list[Model], _view: HealthView) -> OneAfterAnother:
    """10 s for each, anew for each request."""
    return OneAfterAnother(models, 10.0, is_kept=False)


def ten_seconds_kept(models: list[Model], _view: HealthView) -> OneAfterAnother:
    """10 s for each; a call stays with whom it was switched to."""
    return OneAfterAnother(models, 10.0, is_kept=True)


POLICIES: dict[str, Policy] = {
    "this product": ours,
    "this product, agent with tools": with_tools,
    "10 s, then the next": ten_seconds,
    "the same, kept for the call": ten_seconds_kept,
}


async def run(
    policy: Policy,
    fault: Fault,
    seed: int,
    *,
    warm_s: float = WARM_S,
    fault_s: float = FAULT_S,
    scale: Scale = BUSY,
) -> Figures:
    """One cluster, one fault."""
    chance, loop = random.Random(seed), asyncio.get_running_loop()
    models = {name: Model(name, chance) for name in MEDIANS_S}
    driver = HealthDriver(loop.time, 1, chance.random)
    chains, reporters, views = [], [], []
    for number in range(scale.workers):
        view = HealthView(LocalHealth(f"w{number}", chance.random), loop.time)
        views.append(view)
        chains.append(policy(list(models.values()), view))
        reporters.append(HealthReporter(f"w{number}", view, Wire(driver), chance.random))
        if view.probes or policy in (ours, with_tools):
            reporters[-1].start()
    figures, began_at, tasks = Figures(), loop.time(), set()
    fault_from, fault_to = began_at + warm_s, began_at + warm_s + fault_s
    questions = asked_before = 0

    async def ask(number: int) -> None:
        asked_at = loop.time()
        call = number % scale.calls_at_once
        call_id = f"call-{number // (TURNS * scale.calls_at_once)}-{call}"
        request = ThinkRequest(call_id, (Message("user", "Hi"),))
        try:
            async for _ in chains[call % scale.workers].reply(request):
                if fault_from <= asked_at < fault_to:
                    figures.waits.append(loop.time() - asked_at)
                break
        except ProviderError:
            figures.waits.append(math.inf)

    number, watching = 0, asyncio.Future[None]()
    while (now := loop.time()) < fault_to:
        if now >= fault_from and not questions:
            models["a"].fault = fault
            watching = loop.create_task(_watch(views, figures))
            asked_before = sum(model.asked for model in models.values())
        questions += now >= fault_from
        task = loop.create_task(ask(number))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        number += 1
        await asyncio.sleep(chance.expovariate(scale.requests_a_second))
    await asyncio.gather(*tasks)
    asked = sum(model.asked for model in models.values()) - asked_before
    figures.extra_ratio = asked / questions - 1
    watching.cancel()
    for reporter in reporters:
        await reporter.aclose()
    return figures


async def _watch(views: list[HealthView], figures: Figures) -> None:
    """See when the first worker has left the broken provider, and when all have."""
    loop = asyncio.get_running_loop()
    seen_at: float | None = None
    while figures.known_s is None:
        left = [_is_left(view) for view in views]
        if not any(left):
            seen_at = None
        elif seen_at is None:
            seen_at = loop.time()
        if all(left) and seen_at is not None:
            figures.known_s = loop.time() - seen_at
        await asyncio.sleep(WATCH_EVERY_S)


def _is_left(view: HealthView) -> bool:
    return any(not view.verdict(unit).usable for unit in view.probes if unit.startswith("a/"))


def show(policies: dict[str, Policy]) -> None:
    """Print a table of every policy under every fault."""
    logging.disable(logging.WARNING)
    columns = "p50 | p95 | p99 | worst | over 1 s | extra requests | seen to known"
    print(f"| policy | fault of the first | {columns} |")
    print("|---" * 9 + "|")
    for policy_name, policy in policies.items():
        for name, fault in FAULTS.items():
            found = virtual_time.run(run(policy, fault, seed=1))
            shares = (0.5, 0.95, 0.99, 1.0)
            numbers = [f"{1_000 * found.quantile_s(share):,.0f}" for share in shares]
            over = sum(wait > 1.0 for wait in found.waits)
            cells = [policy_name, name, *numbers, f"{over} of {len(found.waits)}"]
            cells.append(f"{100 * found.extra_ratio:.1f} %")
            cells.append("-" if found.known_s is None else f"{1_000 * found.known_s:,.0f}")
            print("| " + " | ".join(cells) + " |")


def show_few(policies: dict[str, Policy]) -> None:
    """Print what faults cost a small installation."""
    print("\n| policy | fault of the first | p99 | worst | extra requests, mean | most |")
    print("|---" * 6 + "|")
    for policy_name, policy in policies.items():
        for name, fault in FAULTS.items():
            runs = [
                virtual_time.run(run(policy, fault, seed, fault_s=FEW_FAULT_S, scale=FEW))
                for seed in range(1, FEW_RUNS + 1)
            ]
            waits = sorted(wait for found in runs for wait in found.waits)
            p99_s = waits[math.ceil(0.99 * len(waits)) - 1]
            extra = [100 * found.extra_ratio for found in runs]
            cells = [policy_name, name, f"{1_000 * p99_s:,.0f}", f"{1_000 * waits[-1]:,.0f}"]
            cells += [f"{statistics.mean(extra):.1f} %", f"{max(extra):.1f} %"]
            print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    show(POLICIES)
    show_few({name: each for name, each in POLICIES.items() if each in (ours, with_tools)})
