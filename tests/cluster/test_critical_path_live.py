"""Calls over sockets while store, metrics and trace answer nobody: every turn is spoken.

The whole edge under uvicorn, real clients of the emulated providers, a real database, the real
exporter of traces and a collector on a socket. Each of the three is asked during the calls and held
at a gate until every caller has heard every answer and hung up. So no turn can have waited for any
of them, for 2 s or at all; and once the gates are open, nothing is missing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from actors.metrics_reporter import MetricsReporter
from cluster.call_costs import CallCosts
from cluster.recorder import StoreRecorder
from providers.settings import ProviderSettings
from records.database import Database
from records.rows import CallRow, Row
from records.store import RecordStore
from records.writer import RecordWriter
from simulation.caller_call import CallResult
from telemetry import catalog as c
from telemetry.prices import load_prices
from telemetry.traces import open_traces
from tests.support.edge_stage import Cast, EdgeStage, answered
from tests.support.metrics_world import FakeMetricsActor
from tests.support.otlp_collector import Collector, collector
from voice import timeline

pytestmark = pytest.mark.e2e

CALLS, TURNS = 3, 2


class GatedStore:
    """A store that is asked, and answers once the gate is open."""

    def __init__(self, store: RecordStore) -> None:
        self.store = store
        self.gate = asyncio.Event()
        self.asked = 0
        self.answered = 0

    async def prepare(self) -> None:
        self.asked += 1
        await self.gate.wait()
        await self.store.prepare()

    async def write(self, rows: Sequence[Row]) -> None:
        await self.gate.wait()
        await self.store.write(rows)
        self.answered += 1

    async def aclose(self) -> None:
        await self.store.aclose()


class GatedMetricsActor(FakeMetricsActor):
    """A MetricsActor likewise."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.asked = 0

    async def report(self, plain: dict[str, Any]) -> dict[str, Any]:
        self.asked += 1
        await self.gate.wait()
        return await super().report(plain)


class Behind:
    """Everything behind the calls of one door."""

    def __init__(self, stage: EdgeStage, folder: Path) -> None:
        door = stage.doors["good"]
        key = ("default", "good")
        agent, parts = door.edge.parts.agents[key], door.edge.parts.call_parts[key]
        self.store = GatedStore(
            RecordStore(Database(f"sqlite+aiosqlite:///{folder}/calls.sqlite3", migrates=True))
        )
        self.writer = RecordWriter("sqlite+aiosqlite://", store=self.store)
        costs = CallCosts(parts.meter.ledger, load_prices(), {key: agent}, ProviderSettings())
        stage.pool.record_with(StoreRecorder(self.writer, costs))
        self.traces = open_traces()
        parts.meter.traces = self.traces
        self.metrics = GatedMetricsActor()
        self.reporter = MetricsReporter(
            parts.meter.ledger,
            self.metrics,
            lambda: None,
            wants_view=True,
            incarnation=lambda: 2,
        )
        self.reporter.start()

    def answers(self, there: Collector) -> dict[str, int]:
        return {
            "store": self.store.answered,
            "metrics": len(self.metrics.reports),
            "traces": there.answered,
        }

    def asked(self, there: Collector) -> dict[str, int]:
        return {
            "store": self.store.asked,
            "metrics": self.metrics.asked,
            "traces": there.asked,
        }

    def open(self, there: Collector) -> None:
        self.store.gate.set()
        self.metrics.gate.set()
        there.gate.set()

    async def close(self) -> None:
        """Until the last call is over in every book."""
        await self.writer.flush(30)
        ended: list[CallRow] = []
        async with asyncio.timeout(30):
            while len(ended) < CALLS:
                await asyncio.sleep(0.05)
                ended = [call for call in await self.store.store.recent_calls() if call.ended_at_us]
        await self.reporter.aclose()
        assert self.traces is not None
        await asyncio.to_thread(self.traces.close, 30)


@pytest.fixture(scope="module")
def stage() -> Iterator[EdgeStage]:
    with EdgeStage((Cast("good"),), calls_per_replica=20).running() as stage:
        yield stage


def test_every_answer_is_heard_before_store_metrics_and_trace_have_answered_anybody(
    stage: EdgeStage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(there: Collector) -> None:
        behind = Behind(stage, tmp_path)
        try:
            calls = [stage.call(stage.doors["good"], TURNS) for _ in range(CALLS)]
            results: list[CallResult] = await asyncio.gather(*calls)
            asked, answers = behind.asked(there), behind.answers(there)
        finally:
            behind.open(there)
        for result in results:
            assert answered(result) == ["answered"] * TURNS
            assert result.leg.status == "completed"
        assert answers == {"store": 0, "metrics": 0, "traces": 0}, "nobody had answered by then"
        assert min(asked.values()) >= 1, f"all three were asked during the calls: {asked}"
        try:
            await behind.close()
            await nothing_is_missing(behind, there)
        finally:
            await behind.writer.aclose()

    with collector(is_open=False) as there:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", there.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "60")
        stage.play(scene(there), 90.0)


async def nothing_is_missing(behind: Behind, there: Collector) -> None:
    """Every turn of every call: in the store, in the metrics, and as a trace."""
    turns = CALLS * (TURNS + 1)  # and a greeting each
    store = behind.store.store
    calls = await store.recent_calls()
    rows = [turn for call in calls for turn in await store.turns(call.tenant_id, call.call_id)]
    assert len(rows) == turns
    merged = behind.metrics.driver.merged
    counted = [n for (name, _), n in merged.counters().items() if name == c.TURNS.name]
    assert sum(counted) == turns
    assert {call.usage["completion_tokens"] > 0 for call in calls} == {True}
    traces = there.traces()
    assert Counter(root.name for root, _ in traces) == {
        "turn greeting": CALLS,
        "turn caller": CALLS * TURNS,
    }
    for row in rows:
        ids = {"tenant_id": "default", "agent_id": "good", "call_id": row.call_id}
        (trace,) = [
            (root, children)
            for root, children in traces
            if root.attributes.items() >= {**ids, "turn_id": row.turn_id}.items()
        ]
        root, children = trace
        assert {span.name for span in children} == set(row.timeline) & set(timeline.STAGES)
        assert root.end_ns == row.at_us * 1_000
        words = str([span.attributes for span in (root, *children)])
        assert not [text for text in (row.caller_text, row.agent_text) if text and text in words]
