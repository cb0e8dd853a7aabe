"""A SQLite file that is removed or replaced under a running product: nothing is written in vain."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from records.database import Database
from records.errors import StoreUnavailable
from records.schema import prepare
from records.store import RecordStore
from records.writer import RecordWriter, WriterConfig
from tests.records.rows import call

pytestmark = pytest.mark.e2e


def remove(file: Path) -> None:
    for path in file.parent.glob(f"{file.name}*"):
        path.unlink()


async def names(file: Path) -> set[str]:
    """Calls in the file of that name, as who comes later finds them."""
    store = RecordStore(f"sqlite:///{file}")
    try:
        found = [await store.call("acme", call_id) for call_id in ("before", "after")]
        return {row.call_id for row in found if row is not None}
    finally:
        await store.aclose()


@pytest.mark.parametrize("replaced", [False, True])
def test_what_is_written_afterwards_is_in_the_file_of_that_name(
    replaced: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, other = tmp_path / "calls.sqlite3", tmp_path / "other.sqlite3"

    async def scene() -> None:
        config = WriterConfig(flush_interval_s=0.01, first_retry_s=0.01, last_retry_s=0.02)
        writer = RecordWriter(f"sqlite:///{file}", config)
        writer.put(call(call_id="before"))
        assert await writer.flush(20.0)
        await asyncio.to_thread(remove, file)
        if replaced:
            database = Database(f"sqlite:///{other}")
            await prepare(database)
            await database.aclose()
            await asyncio.to_thread(other.rename, file)
        writer.put(call(call_id="after"))
        assert await writer.flush(20.0)
        assert writer.dropped == 0
        assert await names(file) == {"after"}
        await writer.aclose()

    with caplog.at_level(logging.WARNING):
        asyncio.run(scene())
    assert "was removed or replaced while it was in use" in caplog.text


def test_who_reads_is_told_once(tmp_path: Path) -> None:
    file = tmp_path / "calls.sqlite3"

    async def scene() -> list[str]:
        database, said = Database(f"sqlite:///{file}"), list[str]()
        await prepare(database)
        async with database.reading():
            pass
        await asyncio.to_thread(remove, file)
        for _ in range(3):
            try:
                async with database.reading():
                    said.append("")
            except StoreUnavailable as error:
                said.append(error.message)
        await database.aclose()
        return said

    first, *others = asyncio.run(scene())
    assert "removed or replaced" in first
    assert others == ["", ""]


def test_a_store_in_memory_has_no_file() -> None:
    async def scene() -> None:
        database = Database("sqlite://")
        for _ in range(2):
            async with database.reading():
                pass
        await database.aclose()

    asyncio.run(scene())
