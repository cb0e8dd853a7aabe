from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from records.errors import RecordsError, RowRejected, StoreUnavailable
from records.rows import Row, TurnRow
from records.store import RecordStore
from records.writer import RecordWriter, WriterConfig
from tests.records.rows import turn
from tests.support.virtual_time import run


class ScriptedStore:
    """Keeps rows in memory; fails while ``down`` is set; refuses rows whose reason is ``bad``."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.written_at: list[float] = []
        self.down: RecordsError | Exception | None = None
        self.tries = 0
        self.closed = False

    async def prepare(self) -> None:
        if self.down is not None:
            self.tries += 1
            raise self.down

    async def write(self, rows: Sequence[Row]) -> None:
        if self.down is not None:
            self.tries += 1
            raise self.down
        await asyncio.sleep(0.01)
        if any(isinstance(row, TurnRow) and row.reason == "bad" for row in rows):
            raise RowRejected("refused")
        self.batches.append([row.turn_id for row in rows])
        self.written_at.append(asyncio.get_running_loop().time())

    async def aclose(self) -> None:
        self.closed = True


def new_writer(store: ScriptedStore, **config: float) -> RecordWriter:
    return RecordWriter("", WriterConfig(**config), store=store, jitter=lambda: 0.5)  # type: ignore[arg-type]


def test_rows_are_gathered_into_one_batch() -> None:
    async def main() -> None:
        store = ScriptedStore()
        writer = new_writer(store)
        began = asyncio.get_running_loop().time()
        for turn_id in range(5):
            writer.put(turn(turn_id))
        assert writer.pending == 5
        await asyncio.sleep(1)
        assert store.batches == [[0, 1, 2, 3, 4]]
        assert store.written_at[0] - began == pytest.approx(0.16)
        assert (writer.pending, writer.status.written) == (0, 5)
        await writer.aclose()

    run(main())


def test_flush_does_not_wait_for_the_interval() -> None:
    async def main() -> None:
        store = ScriptedStore()
        writer = new_writer(store, flush_interval_s=10.0)
        began = asyncio.get_running_loop().time()
        writer.put(turn(1))
        assert await writer.flush()
        assert store.written_at[0] - began < 0.1
        assert await writer.flush()
        await writer.aclose()

    run(main())


def test_large_backlogs_are_cut_into_batches_in_order() -> None:
    async def main() -> None:
        store = ScriptedStore()
        writer = new_writer(store, batch_rows=2)
        for turn_id in range(5):
            writer.put(turn(turn_id))
        await writer.flush()
        assert store.batches == [[0, 1], [2, 3], [4]]
        await writer.aclose()

    run(main())


def test_an_outage_is_waited_out_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        store = ScriptedStore()
        writer = new_writer(store)
        store.down = StoreUnavailable("down")
        writer.put(turn(1))
        await asyncio.sleep(60)
        writer.put(turn(2))
        assert (writer.last_error, writer.pending) == ("down", 2)
        assert 10 < store.tries < 20
        store.down = None
        await asyncio.sleep(6)
        assert store.batches == [[1, 2]]
        assert (writer.last_error, writer.pending, writer.dropped) == ("", 0, 0)
        await writer.aclose()

    with caplog.at_level(logging.WARNING):
        run(main())
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_an_outage_that_lasts_is_said_again_with_what_it_costs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        store = ScriptedStore()
        writer = new_writer(store, max_pending_rows=2, reminder_s=60.0)
        store.down = StoreUnavailable("down")
        began = asyncio.get_running_loop().time()
        for turn_id in range(5):
            writer.put(turn(turn_id))
        await asyncio.sleep(130)
        status = writer.status
        assert (status.pending, status.dropped, status.last_error) == (2, 3, "down")
        assert status.down_since - began == pytest.approx(0.15)
        store.down = None
        await asyncio.sleep(6)
        assert (writer.status.last_error, writer.status.down_since) == ("", 0.0)
        await writer.aclose()

    with caplog.at_level(logging.WARNING):
        run(main())
    said = [record.getMessage() for record in caplog.records]
    assert said[0].startswith("2 rows wait for the call store")
    assert [line.split(",")[0] for line in said[1:4]] == [
        "the call store is down for 0 s",
        "the call store is down for 64 s",
        "the call store is down for 124 s",
    ]
    assert "2 rows wait, 3 were dropped: down" in said[3]
    assert said[4].endswith("3 rows were dropped")
    assert len(said) == 5


def test_the_buffer_is_bounded_and_keeps_the_newest() -> None:
    async def main() -> None:
        store = ScriptedStore()
        writer = new_writer(store, max_pending_rows=3, batch_rows=2)
        store.down = StoreUnavailable("down")
        for turn_id in range(3):
            writer.put(turn(turn_id))
        await asyncio.sleep(1)
        for turn_id in range(3, 10):
            writer.put(turn(turn_id))
        assert (writer.pending, writer.dropped) == (3, 7)
        store.down = None
        await writer.flush()
        assert store.batches == [[7, 8], [9]]
        await writer.aclose()

    run(main())


def test_flush_gives_up_in_time_and_the_rows_still_wait() -> None:
    async def main() -> None:
        store = ScriptedStore()
        writer = new_writer(store, close_timeout_s=0.1)
        store.down = StoreUnavailable("down")
        writer.put(turn(1))
        assert not await writer.flush(0.5)
        assert writer.pending == 1
        await writer.aclose()

    run(main())


def test_one_bad_row_costs_only_itself() -> None:
    async def main() -> None:
        store = ScriptedStore()
        writer = new_writer(store)
        for turn_id, reason in enumerate(["", "bad", ""]):
            writer.put(turn(turn_id, reason=reason))
        assert await writer.flush()
        assert store.batches == [[0], [2]]
        assert (writer.status.rejected, writer.status.written, writer.pending) == (1, 2, 0)
        assert writer.last_error == ""
        await writer.aclose()

    run(main())


def test_of_a_text_that_is_too_long_only_the_end_is_lost(tmp_path: Path) -> None:
    """And an id that is too long, which cannot be cut, costs its row."""

    async def main() -> None:
        writer = RecordWriter(f"sqlite:///{tmp_path}/calls.sqlite3")
        writer.put(turn(1, caller_text="x" * 1_000_001))
        writer.put(turn(2))
        writer.put(turn(3, call_sid="x" * 300))
        assert await writer.flush(10)
        assert (writer.status.written, writer.status.rejected) == (2, 1)
        await writer.aclose()
        store = RecordStore(f"sqlite:///{tmp_path}/calls.sqlite3")
        turns = await store.turns("acme", "call-1")
        assert [len(row.caller_text) for row in turns] == [1_000_000, 0]
        assert turns[0].caller_text.endswith("x [cut]")
        await store.aclose()

    asyncio.run(main())


def test_an_outage_between_single_rows_doubles_nothing() -> None:
    """The store breaks while a batch is written row by row: written ones are not written again."""

    class BreaksAfterOne(ScriptedStore):
        async def write(self, rows: Sequence[Row]) -> None:
            await super().write(rows)
            if len(self.batches) == 1:
                self.down = StoreUnavailable("down")

    async def main() -> None:
        store = BreaksAfterOne()
        writer = new_writer(store)
        for turn_id, reason in enumerate(["", "", "bad"]):
            writer.put(turn(turn_id, reason=reason))
        await asyncio.sleep(1)
        store.down = None
        await writer.flush()
        assert store.batches == [[0], [1]]
        assert writer.status.rejected == 1
        await writer.aclose()

    run(main())


def test_closing_writes_what_waits_and_counts_what_comes_later() -> None:
    async def main() -> None:
        store = ScriptedStore()
        writer = new_writer(store)
        writer.put(turn(1))
        await writer.aclose()
        assert (store.batches, store.closed) == ([[1]], True)
        writer.put(turn(2))
        assert (writer.pending, writer.dropped) == (0, 1)
        await writer.aclose()

    run(main())


def test_closing_while_down_counts_what_is_lost() -> None:
    async def main() -> None:
        store = ScriptedStore()
        writer = new_writer(store)
        store.down = StoreUnavailable("down")
        writer.put(turn(1))
        await writer.aclose()
        assert (writer.pending, writer.dropped, store.closed) == (0, 1, True)

    run(main())


def test_a_mistake_in_the_store_does_not_stop_the_writing() -> None:
    """An error nobody foresaw loses no row: the next one starts the writing again."""

    async def main() -> None:
        store = ScriptedStore()
        writer = new_writer(store)
        store.down = ZeroDivisionError()
        writer.put(turn(1))
        await asyncio.sleep(1)
        assert (writer.pending, writer.last_error) == (1, "ZeroDivisionError in the record writer")
        store.down = None
        writer.put(turn(2))
        await asyncio.sleep(1)
        assert (store.batches, writer.last_error) == ([[1, 2]], "")
        await writer.aclose()

    run(main())


def test_rows_reach_a_real_store_after_its_directory_appears(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/later/calls.sqlite3"

    async def main() -> None:
        writer = RecordWriter(url, WriterConfig(flush_interval_s=0.01, first_retry_s=0.01))
        writer.put(turn(1))
        assert not await writer.flush(0.05)
        assert "DATABASE_URL" in writer.last_error
        (tmp_path / "later").mkdir()
        assert await writer.flush(5)
        await writer.aclose()
        store = RecordStore(url)
        assert [row.turn_id for row in await store.turns("acme", "call-1")] == [1]
        await store.aclose()

    asyncio.run(main())
