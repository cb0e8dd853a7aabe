"""A call is with the carrier when both its halves die: the record alone knows it, and it goes on.

Over real sockets, with a real database: two replicas behind one address, the emulated carrier, the
real clients of the providers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from actors.wire import TurnEntry
from cluster.call_costs import CallCosts
from cluster.call_recall import recall_from
from cluster.hand_overs import stored_hand_over
from cluster.recorder import StoreRecorder
from dialogue.session import CallIdentity
from dialogue.tools import Tool
from providers.settings import ProviderSettings
from records.rows import JournalRow, Row, TurnRow
from records.store import RecordStore
from records.writer import RecordWriter
from simulation.callee import Phones
from simulation.callee_book import Callee, CalleeBook
from simulation.caller_call import CallOrder, CallResult, place_call
from simulation.caller_script import Leave, Listen, Speak, StaySilent, prepare
from simulation.clip_library import load_library
from simulation.openai_replies import ScriptLine
from telemetry.ledger import MetricsLedger
from telemetry.prices import load_prices
from tests.support.edge_stage import Cast, EdgeStage
from tests.support.local_mind_pool import ListRecorder

pytestmark = pytest.mark.e2e

SALES = "+14155550123"
ANNOUNCED = "I will get my colleague from sales for you now."
CAST = Cast(
    "good",
    script=(ScriptLine(("forward",), "", tool="sales"),),
    tools=(Tool("transfer", "sales", "To buy.", to=SALES, announce=ANNOUNCED, no_answer="Away."),),
)


@pytest.fixture(scope="module")
def stage() -> Iterator[EdgeStage]:
    with EdgeStage((CAST,)).running() as s:
        yield s


class BothRecorders(ListRecorder):
    """Writes to the store as well."""

    def __init__(self, stored: StoreRecorder) -> None:
        super().__init__()
        self.stored = stored

    def call_opened(self, call: CallIdentity, *, at_us: int) -> None:
        super().call_opened(call, at_us=at_us)
        self.stored.call_opened(call, at_us=at_us)

    def turn_settled(self, call: CallIdentity, turn: TurnEntry) -> None:
        super().turn_settled(call, turn)
        self.stored.turn_settled(call, turn)

    def handed_over(self, call: CallIdentity, hand_over: Mapping[str, Any], *, at_us: int) -> None:
        super().handed_over(call, hand_over, at_us=at_us)
        self.stored.handed_over(call, hand_over, at_us=at_us)

    def call_closed(self, call: CallIdentity, *, planned: bool, reason: str, at_us: int) -> None:
        super().call_closed(call, planned=planned, reason=reason, at_us=at_us)
        self.stored.call_closed(call, planned=planned, reason=reason, at_us=at_us)

    def call_moved(self, call: CallIdentity) -> None:
        super().call_moved(call)
        self.stored.call_moved(call)


class Buffer:
    """The writer of one actor. What it takes last, before a hand-over, may die with the actor."""

    def __init__(self, writer: RecordWriter, *, loses_last: bool) -> None:
        self._writer = writer
        self._loses_last = loses_last

    def put(self, row: Row) -> None:
        is_last = (isinstance(row, JournalRow) and row.epoch[0] == 0) or (
            isinstance(row, TurnRow) and row.epoch[0] == 0 and row.turn_id == 1
        )
        if not (is_last and self._loses_last):
            self._writer.put(row)


class World:
    """A store behind every actor, and a front that kills what holds a call when it rings."""

    def __init__(
        self, stage: EdgeStage, folder: Path, *, actors_write: bool, replicas_write: bool
    ) -> None:
        self.stage = stage
        self.actors_write = actors_write
        self.replicas_write = replicas_write
        self.store = RecordStore(f"sqlite+aiosqlite:///{folder}/calls.sqlite3")
        self.writer = RecordWriter("sqlite+aiosqlite://", store=self.store)
        self.paths: list[str] = []
        self.killed: list[str] = []

    def start_actors(self) -> None:
        """Fresh ones for each test, with the store behind them."""
        stage = self.stage
        agents = {(agent.tenant_id, agent.agent_id): agent for agent in stage.agents.values()}
        for name in ("ann", "bob", "cleo"):
            home = stage.pool.start(name)
            costs = CallCosts(MetricsLedger(name, 1), load_prices(), agents, ProviderSettings())
            buffer = Buffer(self.writer, loses_last=not self.actors_write)
            home.recorder = BothRecorders(StoreRecorder(buffer, costs))  # type: ignore[arg-type]
            home.driver._calls._recorder = home.recorder

    def route(self, path: str) -> int:
        """The first replica has the stream; all that comes after goes to the second."""
        self.paths.append(path)
        is_over = "/twilio/resume" in self.paths
        if path == "/twilio/resume" and not self.killed:
            for name, home in self.stage.pool.homes.items():
                if home.driver.status()["handed_over_calls"]:
                    self.stage.pool.kill(name)
                    self.killed.append(name)
        return 1 if is_over else 0

    async def call(self, callee: Callee, *steps: Any) -> CallResult:
        self.start_actors()
        await self.store.prepare()
        first, second = await self.stage.open_replicas(
            "good",
            self.route,
            handed_over=stored_hand_over(self.store.journal),
            planned_end=self.store.planned_end,
            recall=recall_from(self.store),
            write=self.writer.put if self.replicas_write else lambda _row: None,
        )
        self.counters = second.counters
        assert first.url == second.url
        book = CalleeBook(Callee(outcome="failed", after_s=0.0))
        book.put(SALES, callee)
        script = (Listen(until_silence_s=0.2), Speak(CLIPS["goforward"]), *steps)
        async with first.carrier(phones=Phones(book)) as line:
            result = await place_call(line, CallOrder(iter(script), max_duration_s=25.0))
        await self.writer.flush()
        return result

    async def kept(self) -> dict[str, Any]:
        """What the record says in the end."""
        (call,) = await self.store.recent_calls()
        where = (call.tenant_id, call.call_id)
        turns = await self.store.turns(*where)
        journal = await self.store.journal(*where)
        await self.writer.aclose()
        return {"call": call, "turns": turns, "journal": journal}


CLIPS = {name: prepare(load_library().clip(name)) for name in ("goforward", "card001")}


def test_a_transfer_that_nobody_takes_goes_on_with_all_that_was_said(
    stage: EdgeStage, tmp_path: Path
) -> None:
    world = World(stage, tmp_path, actors_write=False, replicas_write=True)
    asked_before = len(stage.asked("good"))

    async def scene() -> tuple[CallResult, dict[str, Any]]:
        result = await world.call(
            Callee("busy", after_s=0.3),
            StaySilent(5.0),
            Listen(until_silence_s=0.4),
            Speak(CLIPS["card001"]),
            Listen(until_silence_s=0.4),
            Leave(),
        )
        return result, await world.kept()

    result, kept = stage.play(scene())
    assert not result.leg.violations.counts, result.leg.violations
    assert not result.leg.errors.counts, result.leg.errors
    assert result.leg.streams == 2
    assert len(world.killed) == 1
    assert world.counters["calls_handed_over_dial"] == 1
    assert world.counters["transfers_unanswered"] == 1
    # What the model reads is whole, though nobody who was there at the time is left.
    read = stage.asked("good")[-1].messages[1:]
    assert len(stage.asked("good")) > asked_before
    assert [message.role for message in read] == [
        "assistant", "user", "assistant", "tool", "assistant", "user",
    ]  # fmt: skip
    assert (read[0].text, read[2].text) == ("Hi.", ANNOUNCED)
    # On a busy machine the caller may speak before the very end of it has been played.
    assert read[4].text in ("Away.", "Away…")
    assert json.loads(read[3].text)["status"] == "busy"
    # And so is the record.
    call = kept["call"]
    assert (call.status, call.end_reason) == ("ended", "caller_hung_up")
    assert (call.caller, call.called) == ("+14155550100", "+14155550199")
    assert [turn.heard_text for turn in kept["turns"]] == ["Hi.", ANNOUNCED, "Away.", "Noted."]
    kinds = [row.kind for row in kept["journal"]]
    assert sorted(kinds) == ["handed_over", "tool_used", "tool_used"]
    late = [row.data for row in kept["journal"] if "of_turn" in row.data]
    assert [use["of_turn"] for use in late] == [1]


def test_a_transfer_that_is_taken_ends_in_the_record(stage: EdgeStage, tmp_path: Path) -> None:
    world = World(stage, tmp_path, actors_write=True, replicas_write=False)

    async def scene() -> tuple[CallResult, dict[str, Any]]:
        callee = Callee(after_s=0.3, talk_s=1.0)
        result = await world.call(callee, StaySilent(20.0))
        return result, await world.kept()

    result, kept = stage.play(scene())
    assert (result.leg.streams, result.leg.status) == (1, "completed")
    assert len(world.killed) == 1
    call = kept["call"]
    assert (call.status, call.end_reason, call.planned_end) == ("ended", "transferred", True)
    assert call.cost_usd > 0
    assert [turn.heard_text for turn in kept["turns"]] == ["Hi.", ANNOUNCED]
