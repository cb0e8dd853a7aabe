"""What a turn does not wait for: the call store, the metrics and the trace.

The same conversation is played on virtual time, once with a store, a MetricsActor and a collector
that answer at once, and once with all three slow: two seconds for each answer, and a collector that
does not answer at all before the call is over. Every message to the carrier must leave at the same
instant, to the nanosecond of the virtual clock, and every stage of every turn must read the same.
That this would show is shown, too: with a turn that does wait, for a twentieth of a second.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from actors.metrics_calls import AgentMeter
from actors.metrics_reporter import MetricsReporter
from actors.wire import TurnEntry
from cluster.call_costs import CallCosts
from cluster.recorder import StoreRecorder
from providers.settings import ProviderSettings
from records.rows import CallRow, Row, TurnRow
from records.writer import RecordWriter
from telemetry import catalog
from telemetry.ledger import MetricsLedger
from telemetry.prices import load_prices
from telemetry.traces import TraceQueue
from tests.support.fake_thinker import FakeThinker
from tests.support.local_mind_pool import Home
from tests.support.metrics_world import FakeMetricsActor
from tests.support.scripted_call import AGENT, REPLY, Phone, Stage, play

SLOW_S = 2.0
SLIGHTLY_S = 0.05
LONG = "There is a lot to say about that. " + "It goes on and on and on. " * 6


class SlowStore:
    """A store that takes ``slow_s`` for each write."""

    def __init__(self, slow_s: float) -> None:
        self.slow_s = slow_s
        self.rows: list[Row] = []

    async def prepare(self) -> None:
        await asyncio.sleep(self.slow_s)

    async def write(self, rows: Sequence[Row]) -> None:
        await asyncio.sleep(self.slow_s)
        self.rows += rows

    async def aclose(self) -> None:
        return None


class GatedExporter(SpanExporter):
    """A collector that answers once the gate is open."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.is_in = threading.Event()
        self.spans: list[ReadableSpan] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.is_in.set()
        if not self.gate.wait(30):
            raise AssertionError("somebody waits for the collector, and it for them")
        self.spans += spans
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        return None


@dataclass
class Played:
    """What came of a conversation."""

    sent: list[tuple[float, str]]
    turns: tuple[TurnEntry, ...]
    heard: str
    rows: list[Row]
    spans: list[ReadableSpan]
    reports: list[dict[str, Any]]


class Behind:
    """Everything behind a call that nobody may wait for."""

    def __init__(self, stage: Stage, slow_s: float) -> None:
        self.store = SlowStore(slow_s)
        self.writer = RecordWriter("sqlite+aiosqlite://", store=self.store)
        agents = {(AGENT.tenant_id, AGENT.agent_id): AGENT}
        ledger = MetricsLedger("call-actor", 1)
        costs = CallCosts(ledger, load_prices(), agents, ProviderSettings())
        stage.pool.record_with(StoreRecorder(self.writer, costs))
        self.exporter = GatedExporter()
        if not slow_s:
            self.exporter.gate.set()
        self.traces = TraceQueue(self.exporter, gather_s=0.001)
        meter = AgentMeter(stage.ledger, stage.agent, self.traces)
        stage.parts = replace(stage.parts, meter=meter)
        self.actor = FakeMetricsActor()
        self.actor.slow_s = slow_s
        sample = lambda: stage.ledger.gauge(catalog.ACTIVE_CALLS, 1, "ingress")  # noqa: E731
        self.reporter = MetricsReporter(
            stage.ledger,
            self.actor,
            sample,
            wants_view=True,
            incarnation=lambda: 2,
            jitter=lambda: 0.3,
        )
        self.reporter.start()

    async def waited_for(self, what: str) -> None:
        """As a turn must not."""
        if what == "store":
            await self.store.write([])
        elif what == "metrics":
            await asyncio.sleep(self.actor.slow_s)

    async def close(self) -> None:
        await self.writer.aclose()
        await self.reporter.aclose()
        self.exporter.gate.set()
        self.traces.close(30)


def conversation(slow_s: float, monkeypatch: pytest.MonkeyPatch, *, waits_for: str = "") -> Played:
    """Greeting, a turn, a long answer that is cut, its successor, keys, the end.

    Caller, frames, mind and speaker are each a little out of step: which of two timers of the same
    instant runs first depends on how many others there are.
    """
    played: list[Played] = []
    stages: list[Behind] = []
    sent: list[tuple[float, str]] = []
    take = Phone._take

    reach = Home.reach

    async def timed(self: Phone, text: str) -> None:
        sent.append((asyncio.get_running_loop().time(), text))
        await take(self, text)

    async def reached(self: Home, method: str, plain: dict[str, Any]) -> None:
        if method == "take_turn":
            await stages[0].waited_for(waits_for)
        await reach(self, method, plain)

    async def scene(stage: Stage) -> None:
        behind = Behind(stage, slow_s)
        stages.append(behind)
        stage.speaker._delay_s = 0.0513
        for home in stage.pool.homes.values():
            home.slow_s = 0.0031
        phone = stage.phone()
        await asyncio.sleep(0.0057)
        await phone.greeted()
        await phone.say("what do you have")
        await phone.until(lambda: len(phone.log) == 2)
        await phone.say("tell me all of it")
        await phone.until_heard("It goes on")
        await phone.talk(0.5)
        phone.ear.hear("no wait")
        await phone.until(lambda: len(phone.log) == 4, 40.0)
        for digit in "42#":
            phone.press(digit)
        await phone.until(lambda: len(phone.log) == 5, 40.0)
        phone.hang_up()
        await phone.ended()
        heard = phone.heard
        if not behind.exporter.gate.is_set():
            assert behind.exporter.is_in.wait(30), "the collector was asked, and hangs"
        await behind.close()
        played.append(
            Played(
                sent,
                phone.driver.turn_log,
                heard,
                behind.store.rows,
                behind.exporter.spans,
                behind.actor.reports,
            )
        )

    answers = iter([REPLY, LONG, REPLY, REPLY, REPLY, REPLY, REPLY, REPLY])
    with monkeypatch.context() as patch:
        patch.setattr(Phone, "_take", timed)
        patch.setattr(Home, "reach", reached)
        play(scene, stage_of(lambda: next(answers)))
    return played[0]


def stage_of(answer: Callable[[], str]) -> Callable[[], Stage]:
    return lambda: Stage({"fake": FakeThinker(lambda _request: [0.1037, answer()])})


def test_turns_take_the_same_time_when_store_metrics_and_trace_are_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    quick, slow = conversation(0.0, monkeypatch), conversation(SLOW_S, monkeypatch)
    assert [turn.kind for turn in quick.turns] == ["greeting", *["caller"] * 3, "digits"]
    assert slow.turns == quick.turns, "every stage of every turn"
    assert slow.heard == quick.heard
    assert len(quick.sent) > 80
    assert slow.sent == quick.sent, "every message at the same instant"
    # And nothing was lost behind their backs.
    for played in (quick, slow):
        kinds = [type(row) for row in played.rows]
        assert (kinds.count(TurnRow), kinds.count(CallRow)) == (5, 2)
        closing = next(row for row in played.rows if isinstance(row, CallRow) and row.ended_at_us)
        assert closing.usage["completion_tokens"] > 0
        assert sum(span.parent is None for span in played.spans) == 5
        assert played.reports


@pytest.mark.parametrize("what", ["store", "metrics"])
def test_a_turn_that_waits_for_one_of_them_is_seen(
    monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    quick = conversation(0.0, monkeypatch, waits_for=what)
    slow = conversation(SLIGHTLY_S, monkeypatch, waits_for=what)
    assert slow.turns != quick.turns
    assert slow.sent != quick.sent
