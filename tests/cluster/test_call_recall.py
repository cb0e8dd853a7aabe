"""A call whose actor is gone, as the record tells it to another one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actors.mind_driver import MindConfig
from actors.wire import CloseCall, OpenCall, TurnEntry
from cluster.call_costs import CallCosts
from cluster.call_recall import CallRecall, Recall, RecalledCall, recall_from
from cluster.call_rows import turn_rows, use_row
from cluster.recorder import StoreRecorder
from dialogue.agent import Agent
from dialogue.session import CallIdentity
from dialogue.tool_use import late_result, use_of
from providers.settings import ProviderSettings
from records.errors import StoreUnavailable
from records.rows import CallRow, Row
from records.store import RecordStore
from telemetry.ledger import MetricsLedger
from telemetry.prices import load_prices
from telephony.stream_token import StreamClaims
from tests.support.local_mind_pool import LocalMindPool
from tests.support.virtual_time import run

AGENT = Agent("default", "ann", "v1", "en-US", "You are Ann, for {name}.", "Hello {name}!", "voice")
CLAIMS = StreamClaims("action", "default", "ann", "call-1", "CA1", "a", 1, 50, 99, "id")
CALL = CallIdentity(
    "default", "ann", "v1", "call-1", "CA1", (1, 50), "+14155550100", "+14155550199", "outbound", 7
)
TURNS = (
    TurnEntry(0, "greeting", "", "Hello!", "Hello!"),
    TurnEntry(
        1,
        "caller",
        "Sales, please",
        "One moment.",
        "One moment.",
        timeline={"committed": 0.5},
        usage={"prompt_tokens": 30.0},
        tools=(use_of({"verb": "dial", "tool": "sales"}, is_done=True),),
        cache={"outcome": "refusal", "reason": "quorum", "entry_id": 7, "similarity": 1.0},
    ),
    TurnEntry(2, "resume", "", "Away.", "Away.", "interrupted", "barge-in", 9),
    TurnEntry(
        3,
        "caller",
        "Then support",
        "Sure.",
        "Sure.",
        tools=(
            use_of({"verb": "dial", "tool": "support"}, is_done=False),
            late_result("sales", "busy", 1),
        ),
    ),
)
ROW = CallRow(
    *("default", "ann", "v1", "call-1", "CA1"),
    epoch=(1, 50),
    caller="+14155550100",
    called="+14155550199",
    direction="outbound",
    started_at_us=7,
)


class Buffer:
    """Takes what a recorder writes."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def put(self, row: Row) -> None:
        self.rows.append(row)


def recorded() -> list[Row]:
    """What a CallActor writes of this call."""
    buffer = Buffer()
    agents = {("default", "ann"): AGENT}
    costs = CallCosts(MetricsLedger("m", 1), load_prices(), agents, ProviderSettings())
    recorder = StoreRecorder(buffer, costs)  # type: ignore[arg-type]
    recorder.call_opened(CALL, at_us=7)
    for turn in TURNS:
        recorder.turn_settled(CALL, turn)
    return buffer.rows


@pytest.mark.parametrize("is_erased", [False, True])
def test_what_an_actor_wrote_another_one_reads(tmp_path: Path, is_erased: bool) -> None:
    async def scene() -> None:
        store = RecordStore(f"sqlite+aiosqlite:///{tmp_path}/calls.sqlite3")
        await store.prepare()
        recall = recall_from(store)
        assert await recall("default", "call-1") is None
        rows = recorded()
        await store.write(rows)
        if is_erased:
            assert isinstance(rows[0], CallRow)
            await store.write([replace(rows[0], erased_at_us=1)])
        known = await recall("default", "call-1")
        assert await recall("another", "call-1") is None
        await store.aclose()
        if is_erased:
            assert known is None
            return
        assert known is not None
        assert known.turns == TURNS
        assert (known.call.caller, known.call.direction) == ("+14155550100", "outbound")
        assert (known.call.epoch, known.call.started_at_us) == ((1, 50), 7)

    asyncio.run(scene())


def record_of(row: CallRow | None, *, slow_s: float = 0.0, is_away: bool = False) -> Recall:
    async def recall(_tenant_id: str, _call_id: str) -> RecalledCall | None:
        await asyncio.sleep(slow_s)
        if is_away:
            raise StoreUnavailable("the database is away")
        return None if row is None else RecalledCall(row, TURNS)

    return recall


def pool_of(*names: str) -> LocalMindPool:
    return LocalMindPool({"ann": AGENT}, {}, names=names)


def test_the_other_actor_stands_where_the_lost_one_stood() -> None:
    async def scene() -> None:
        pool = pool_of("a", "b")
        recall = CallRecall(pool, record_of(ROW), 1.0)
        assert await recall.remind(CLAIMS, "b", {"name": "Bo"})
        state = await pool.call_state("b", "call-1")
        assert (state.known, state.epoch, state.turn_log) == (True, (1, 50), TURNS)
        who = pool.homes["b"].recorder.calls["call-1"]
        assert who == CALL
        # The stream that comes takes it over, with the turns, and is not greeted anew.
        open_call = OpenCall("default", "ann", "v1", "call-1", "CA1", (2, 60))
        opened = await pool.open_call("b", open_call)
        assert (opened.refusal, opened.greeting, opened.turn_log) == ("", None, TURNS)
        held = pool.homes["b"].driver._calls.get("call-1")
        assert held is not None
        assert held.session.agent.prompt == "You are Ann, for Bo."

    run(scene())


def test_of_two_actors_that_were_given_the_call_the_one_without_its_stream_lets_it_go() -> None:
    """``action`` was asked twice at once."""

    async def scene() -> None:
        pool = pool_of("a", "b", "c")
        pool.kill("a")
        recall = CallRecall(pool, record_of(ROW), 1.0)
        await asyncio.gather(*(recall.remind(CLAIMS, name, {}) for name in ("b", "c")))
        stream = OpenCall("default", "ann", "v1", "call-1", "CA1", (2, 60))
        assert not (await pool.open_call("b", stream)).refusal
        at = asyncio.get_running_loop().time() + MindConfig().resume_window_s + 1.0
        drivers = [pool.homes[name].driver for name in ("b", "c")]
        assert [driver.sweep(at) for driver in drivers] == [0, 0]
        seats = MindConfig().calls_per_actor
        assert [driver.status()["free"] for driver in drivers] == [seats - 1, seats]
        assert drivers[0].status()["active_calls"] == 1
        assert pool.homes["b"].recorder.closed == []

    run(scene())


@pytest.mark.parametrize(
    ("recall", "is_dead"),
    [
        (record_of(None), False),
        (record_of(ROW, is_away=True), False),
        (record_of(ROW, slow_s=60.0), False),
        (record_of(ROW), True),
    ],
)
def test_a_record_that_does_not_help_holds_nobody_up(recall: Recall, is_dead: bool) -> None:
    async def scene() -> None:
        pool = pool_of("b")
        if is_dead:
            pool.kill("b")
        started = asyncio.get_running_loop().time()
        assert not await CallRecall(pool, recall, 1.0).remind(CLAIMS, "b", {})
        assert asyncio.get_running_loop().time() - started <= 1.0
        assert not pool.homes["b"].messages

    run(scene())


def test_an_actor_that_hangs_holds_nobody_up() -> None:
    async def scene() -> None:
        pool = pool_of("b")
        pool.hang("b")
        assert not await CallRecall(pool, record_of(ROW), 1.0).remind(CLAIMS, "b", {})

    run(scene())


def test_a_call_that_only_has_to_end_ends_elsewhere() -> None:
    async def scene() -> None:
        pool = pool_of("a", "b")
        pool.kill("a")
        actor = await CallRecall(pool, record_of(ROW), 1.0).place_elsewhere(CLAIMS)
        assert actor == "b"
        end = CloseCall("default", "call-1", CLAIMS.epoch, True, "transferred")
        assert (await pool.close_call("b", end)).refusal == ""
        assert pool.homes["b"].recorder.closed == [("call-1", True, "transferred")]

    run(scene())


@pytest.mark.parametrize(
    ("row", "names"),
    [
        ({"planned_end": True}, ("a", "b")),  # the record has it
        ({"epoch": (1, 51)}, ("a", "b")),  # somebody newer has the call
        ({"epoch": (2, 1)}, ("a", "b")),
        ({}, ("a",)),  # nobody else is there
        (None, ("a", "b")),  # nothing is known
    ],
)
def test_where_nothing_is_to_be_written_nobody_is_bothered(
    row: dict[str, Any] | None, names: tuple[str, ...]
) -> None:
    async def scene() -> None:
        pool = pool_of(*names)
        known = None if row is None else replace(ROW, **row)
        assert await CallRecall(pool, record_of(known), 1.0).place_elsewhere(CLAIMS) == ""
        assert not any(home.messages for home in pool.homes.values())

    run(scene())


@pytest.mark.e2e
def test_a_tool_that_was_begun_in_a_turn_that_never_ended_is_known(tmp_path: Path) -> None:
    async def scene() -> RecalledCall | None:
        store = RecordStore(f"sqlite+aiosqlite:///{tmp_path}/calls.db")
        await store.prepare()
        begun = {"id": "use-1", "name": "orders", "arguments": "{}"}
        lost = {**begun, "id": "use-2"}
        told = {**begun, "id": "use-3", "result": '{"status": "done"}'}
        rows = [
            *recorded(),
            use_row(CALL, 4, begun, at_us=1),
            use_row(CALL, 4, lost, at_us=2),
            use_row(CALL, 4, {**begun, "result": '{"status": "done"}'}, at_us=3),
            use_row(CALL, 3, {**told, "result": ""}, at_us=4),
            *turn_rows(CALL, TurnEntry(4, "caller", "q", tools=(told,))),
        ]
        await store.write(rows)
        try:
            return await recall_from(store)("default", "call-1")
        finally:
            await store.aclose()

    recalled = asyncio.run(scene())
    assert recalled is not None
    assert {use["id"]: (use["turn"], use.get("result")) for use in recalled.uses} == {
        "use-1": (4, '{"status": "done"}'),
        "use-2": (4, None),
    }
