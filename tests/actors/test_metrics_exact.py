"""Three ingress replicas and two CallActors report over a bad line, and the sums are exact.

Reports are lost, arrive without an answer, twice, or seconds late and out of order; a replica is
restarted, a CallActor dies and another takes its place, and the MetricsActor is restarted before
that and after. What the processes measured is summed beside them, without any report; in the end
both must be the same, to the count and to the bin. What a replica shows never falls.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter

import pytest

from actors.metrics_reporter import MetricsReporter
from telemetry import catalog as c
from telemetry.ledger import MetricsLedger
from telemetry.sketch import QuantileSketch
from tests.support.bad_line import FATES, BadLine
from tests.support.metrics_world import FakeMetricsActor
from tests.support.virtual_time import run

LANGUAGES = ("en-US", "zh-HK")
PROCESSES = ("ingress-1", "ingress-2", "ingress-3", "call-actor-1", "call-actor-2")


class Truth:
    """The same measurements, summed in one place."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, tuple[str, ...]]] = Counter()
        self.sketches: dict[tuple[str, tuple[str, ...]], QuantileSketch] = {}

    def measure(self, ledger: MetricsLedger, dice: random.Random) -> None:
        """One turn, in the ledger and here."""
        language = dice.choice(LANGUAGES)
        labels = ("t1", "ann", language)
        outcome = dice.choice(["heard", "interrupted", "failed"])
        latency_s = dice.lognormvariate(-0.5, 0.5)
        ledger.count(c.TURNS, *labels, "caller", outcome)
        ledger.observe(c.RESPONSE_LATENCY, latency_s, *labels)
        self.counts[c.TURNS.name, (*labels, "caller", outcome)] += 1
        key = (c.RESPONSE_LATENCY.name, labels)
        self.sketches.setdefault(key, QuantileSketch()).add(latency_s)


class Process:
    def __init__(self, name: str, incarnation: int, line: BadLine, dice: random.Random) -> None:
        self.ledger = MetricsLedger(name, incarnation)
        self.active = dice.randrange(10)
        self.reporter = MetricsReporter(
            self.ledger,
            line,
            lambda: self.ledger.gauge(c.ACTIVE_CALLS, self.active, name.rsplit("-", 1)[0]),
            wants_view=name.startswith("ingress"),
            incarnation=lambda: incarnation + 1,
            jitter=dice.random,
        )
        self.reporter.start()

    async def die(self) -> None:
        """No goodbye."""
        task, self.reporter._task = self.reporter._task, None
        assert task is not None
        task.cancel()
        await asyncio.wait([task])


class Shown:
    """What a replica shows; never less than before."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._turns = 0

    def look(self) -> int:
        view = self._process.reporter.view
        if view is not None:
            turns = sum(json.loads(view.summary_json())["turns"]["by_outcome"].values())
            assert turns >= self._turns, "a counter that falls is taken for a restart"
            self._turns = turns
        return self._turns


async def play(seed: int) -> Counter[str]:
    dice = random.Random(seed)
    actor, truth = FakeMetricsActor(), Truth()
    line = BadLine(actor, dice)
    processes = {name: Process(name, 1, line, dice) for name in PROCESSES}
    shown = [Shown(processes[name]) for name in ("ingress-1", "ingress-3")]

    async def work(seconds: int) -> None:
        for _ in range(seconds * 5):
            truth.measure(dice.choice(list(processes.values())).ledger, dice)
            await asyncio.sleep(0.2)
            for replica in shown:
                replica.look()

    async def all_told() -> None:
        """The only time when somebody can die without taking a count with it."""
        line.is_good = True
        await asyncio.sleep(3.0)
        line.is_good = False

    await work(30)
    actor.restart()  # all it knew is gone; the five still hold everything
    await work(30)
    line.is_good = True
    await processes["ingress-2"].reporter.aclose()
    processes["ingress-2"] = Process("ingress-2", 2, line, dice)
    line.is_good = False
    await work(30)
    await all_told()
    await processes["call-actor-2"].die()
    processes["call-actor-2"] = Process("call-actor-2b", 1, line, dice)
    await work(30)
    actor.restart()  # and nobody is left who could tell what the dead have counted
    await work(30)
    line.is_good = True
    await asyncio.gather(*line.late)
    await asyncio.sleep(10)
    for replica in shown:
        assert replica.look() == 750
    merged = actor.driver.merged
    counters, sketches = merged.counters(), merged.sketches()
    turns = {key: count for key, count in counters.items() if key[0] == c.TURNS.name}
    assert turns == dict(truth.counts)
    assert sum(turns.values()) == 750
    for key, expected in truth.sketches.items():
        found, wanted = sketches[key].to_plain(), expected.to_plain()
        assert found.pop("sum") == pytest.approx(wanted.pop("sum"))
        assert found == wanted
    active = Counter[str]()
    for name, process in processes.items():
        active[name.rsplit("-", 1)[0]] += process.active
    gauges = merged.gauges()
    for kind, calls in active.items():
        assert gauges[c.ACTIVE_CALLS.name, (kind,)] == calls
    for process in processes.values():
        await process.reporter.aclose()
    return line.fates


@pytest.mark.parametrize("seed", range(5))
def test_the_sums_are_exact_whatever_happens_to_the_reports(seed: int) -> None:
    fates = run(play(seed))
    assert min(fates.values()) >= 10, "everything has happened"
    assert set(fates) == set(FATES)
