"""A thousand calls go on while PostgreSQL is crashed, stays away, and comes back.

The outage lasts ``CALLCLUSTER_TEST_OUTAGE_S`` seconds, 3 unless it is set; for 20 s:
``CALLCLUSTER_TEST_OUTAGE_S=20 pytest -s -m e2e tests/records/test_outage.py``.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from records.database import Database
from records.rows import CallFilter, CallRow, JournalRow, Row, TurnRow, cursor_of
from records.schema import prepare
from records.store import RecordStore
from records.writer import RecordWriter
from tests.records.rows import call, entry, turn
from tests.support.postgres import PostgresServer, running_postgres

pytestmark = pytest.mark.e2e

OUTAGE_S = float(os.environ.get("CALLCLUSTER_TEST_OUTAGE_S", "3"))
BEFORE_S = AFTER_S = 2.0
CALLS = 1_000
TURNS = 6
WRITERS = 4


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """Of its own: it is crashed, and writes to the disk as in production."""
    with running_postgres(durable=True) as server:
        yield server


def rows_of(number: int) -> list[Row]:
    """What one call writes, in order; now and then a re-placed call hands its turns in again."""
    key = {"call_id": f"call-{number:04}", "call_sid": f"CA{number:04}"}
    rows: list[Row] = [call(**key, started_at_us=number + 1)]
    for turn_id in range(1, TURNS + 1):
        rows.append(turn(turn_id, **key, heard_text=f"{number}.{turn_id}"))
        rows.append(entry(f"{number}.{turn_id}", **key, kind="tool_called", data={"n": turn_id}))
    if number % 10 == 0:
        rows += [row for row in rows if isinstance(row, TurnRow)]
    ended = {"status": "ended", "planned_end": True, "turn_id": TURNS, "cost_usd": 0.5}
    return [*rows, call(**key, started_at_us=number + 1, cost={"llm": 0.5}, **ended)]


@dataclass
class Watch:
    """What the writers said of themselves while it lasted."""

    most_pending: int = 0
    written_before: int = 0
    caught_up_after_s: float = 0.0
    errors: set[str] = field(default_factory=set)


async def carry_calls(writer: RecordWriter, first: int, over_s: float) -> None:
    """Every ``WRITERS``-th call; their rows come evenly over the whole time."""
    numbers = range(first, CALLS, WRITERS)
    plan = [
        (over_s * (index + step / 20) / len(numbers), row)
        for index, number in enumerate(numbers)
        for step, row in enumerate(rows_of(number))
    ]
    began = asyncio.get_running_loop().time()
    for due_s, row in plan:
        wait_s = began + due_s - asyncio.get_running_loop().time()
        if wait_s > 0.005:
            await asyncio.sleep(wait_s)
        writer.put(row)


async def look(writers: list[RecordWriter], watch: Watch) -> None:
    while True:
        watch.most_pending = max(watch.most_pending, *(writer.pending for writer in writers))
        watch.errors |= {writer.last_error for writer in writers} - {""}
        await asyncio.sleep(0.02)


async def break_in_the_middle(
    server: PostgresServer, writers: list[RecordWriter], watch: Watch
) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(BEFORE_S)
    await asyncio.to_thread(server.stop, "immediate")
    watch.written_before = sum(writer.status.written for writer in writers)
    await asyncio.sleep(OUTAGE_S)
    await asyncio.to_thread(server.start)
    back_at = loop.time()
    while any(writer.last_error for writer in writers):
        await asyncio.sleep(0.02)
    watch.caught_up_after_s = loop.time() - back_at


async def everything(url: str) -> tuple[list[CallRow], list[TurnRow], list[JournalRow]]:
    store = RecordStore(url)
    calls: list[CallRow] = []
    while page := await store.list_calls(
        CallFilter(), 500, cursor_of(calls[-1]) if calls else None
    ):
        calls += page
    turns = [row for known in calls for row in await store.turns("acme", known.call_id)]
    journal = [row for known in calls for row in await store.journal("acme", known.call_id)]
    await store.aclose()
    return calls, turns, journal


def test_no_record_is_missing_and_none_doubled(
    server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    url, watch = server.new_database(), Watch()

    async def main() -> None:
        database = Database(url)
        await prepare(database)
        await database.aclose()
        writers = [RecordWriter(url) for _ in range(WRITERS)]
        looking = asyncio.get_running_loop().create_task(look(writers, watch))
        over_s = BEFORE_S + OUTAGE_S + AFTER_S
        await asyncio.gather(
            break_in_the_middle(server, writers, watch),
            *(carry_calls(writer, n, over_s) for n, writer in enumerate(writers)),
        )
        for writer in writers:
            assert await writer.flush(60)
            status = writer.status
            assert (status.pending, status.dropped, status.rejected) == (0, 0, 0)
            await writer.aclose()
        looking.cancel()

        calls, turns, journal = await everything(url)
        expected = [row for number in range(CALLS) for row in rows_of(number)]
        ended = {row.call_id: row for row in expected if isinstance(row, CallRow)}
        assert {row.call_id: row for row in calls} == ended
        assert len(calls) == CALLS
        key = {(row.call_id, row.turn_id): row for row in expected if isinstance(row, TurnRow)}
        assert {(row.call_id, row.turn_id): row for row in turns} == key
        assert len(turns) == CALLS * TURNS
        entries = {row.entry_id: row for row in expected if isinstance(row, JournalRow)}
        assert {row.entry_id: row for row in journal} == entries
        assert len(journal) == CALLS * TURNS

    with caplog.at_level(logging.WARNING, logger="records"):
        asyncio.run(main())
    assert watch.written_before > 0
    assert watch.most_pending > 0
    assert watch.errors
    levels = [record.levelname for record in caplog.records if record.name.startswith("records")]
    assert levels.count("WARNING") == WRITERS  # each says once that it is back
    assert levels.count("ERROR") >= WRITERS
    print(  # noqa: T201 - shown with pytest -s
        f"\n{CALLS} calls, {CALLS * (2 * TURNS + 1)} rows, PostgreSQL away for {OUTAGE_S:.0f} s: "
        f"at most {watch.most_pending} rows waited in one of {WRITERS} writers, written again "
        f"{watch.caught_up_after_s:.1f} s after it was back; 0 missing, 0 doubled"
    )
