from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.schema import CreateTable

from records.database import Database
from records.errors import (
    RecordsError,
    SchemaForeign,
    SchemaMissing,
    SchemaNewer,
    SchemaOlder,
    StoreNotWritable,
)
from records.migrations import FOLDER, HEAD, REVISIONS, VERSION_TABLE
from records.schema import SchemaState, check, migrate, prepare
from records.store import RecordStore
from records.tables import CALLS, METADATA
from records.writer import RecordWriter, WriterConfig
from tests.records.conftest import OnDatabase
from tests.records.rows import call, entry, turn

# The tables as they were before there were migrations.
_OLD_TABLES = (
    """CREATE TABLE calls (tenant_id TEXT NOT NULL, call_id TEXT NOT NULL, turn_id INTEGER NOT NULL,
    agent_id TEXT NOT NULL, agent_version TEXT NOT NULL, call_sid TEXT NOT NULL, epoch_number BIGINT
    NOT NULL, epoch_minted_us BIGINT NOT NULL, direction TEXT NOT NULL, caller TEXT NOT NULL, called
    TEXT NOT NULL, language TEXT NOT NULL, started_at_us BIGINT NOT NULL, ended_at_us BIGINT NOT
    NULL, status TEXT NOT NULL, planned_end BOOLEAN NOT NULL, end_reason TEXT NOT NULL, usage {json}
    NOT NULL, PRIMARY KEY (tenant_id, call_id))""",
    "CREATE INDEX calls_by_sid ON calls (call_sid)",
    """CREATE TABLE turns (tenant_id TEXT NOT NULL, call_id TEXT NOT NULL, turn_id INTEGER NOT NULL,
    agent_id TEXT NOT NULL, agent_version TEXT NOT NULL, call_sid TEXT NOT NULL, epoch_number BIGINT
    NOT NULL, epoch_minted_us BIGINT NOT NULL, kind TEXT NOT NULL, caller_text TEXT NOT NULL,
    agent_text TEXT NOT NULL, heard_text TEXT NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL,
    at_us BIGINT NOT NULL, media_time_s FLOAT NOT NULL, timeline {json} NOT NULL, usage {json} NOT
    NULL, PRIMARY KEY (tenant_id, call_id, turn_id))""",
    """INSERT INTO calls VALUES ('acme', 'call-1', 0, 'reception', '1', 'CA1', 0, 0, 'inbound',
    '+1', '+2', '', 1000, 0, 'active', false, '', '{{}}')""",
    """INSERT INTO turns VALUES ('acme', 'call-1', 1, 'reception', '1', 'CA1', 0, 0, 'caller',
    'hi', '', '', 'heard', '', 5, 0.5, '{{}}', '{{}}')""",
)


async def run_sql(url: str, *statements: str) -> None:
    database = Database(url)
    async with database.writing() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await database.aclose()


async def make_old_tables(url: str) -> None:
    kind = "JSONB" if url.startswith("postgres") else "JSON"
    await run_sql(url, *(statement.format(json=kind) for statement in _OLD_TABLES))


async def prepared(url: str, *, migrates: bool = False) -> SchemaState:
    database = Database(url, migrates=migrates)
    try:
        await prepare(database)
        return await check(database)
    finally:
        await database.aclose()


def test_the_list_of_revisions_is_that_of_the_files() -> None:
    """A start compares with the list, so that it need not load alembic."""
    script = ScriptDirectory(str(FOLDER))
    assert [step.revision for step in script.walk_revisions()] == list(reversed(REVISIONS))


def test_an_empty_database_gets_its_tables(database_url: str) -> None:
    async def main() -> None:
        assert await check(database_url) == SchemaState("", HEAD, "empty")
        assert await prepared(database_url) == SchemaState(HEAD, HEAD, "ok")
        assert (await migrate(database_url)).state == "ok"

    asyncio.run(main())


def test_asking_makes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite3"
    assert asyncio.run(check(f"sqlite:///{path}")).state == "empty"
    assert not path.exists()


def test_the_migrations_make_the_tables_that_the_code_knows(on_database: OnDatabase) -> None:
    async def use(database: Database) -> None:
        async with database.writing() as connection:
            differences = await connection.run_sync(
                lambda sync: compare_metadata(
                    MigrationContext.configure(sync, opts={"version_table": VERSION_TABLE}),
                    METADATA,
                )
            )
        assert differences == []

    on_database(use)


def test_many_processes_may_start_at_once(database_url: str) -> None:
    """Nobody fails, and the tables are made once."""

    async def main() -> None:
        states = await asyncio.gather(*(prepared(database_url) for _ in range(8)))
        assert {state.state for state in states} == {"ok"}

    asyncio.run(main())


@pytest.mark.e2e
def test_real_processes_may_start_at_once(database_url: str) -> None:
    script = """
import asyncio, sys
from records.database import Database
from records.schema import prepare
asyncio.run(prepare(Database(sys.argv[1], migrates=True)))
"""
    processes = [
        subprocess.Popen([sys.executable, "-c", script, database_url], stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    assert [process.communicate(timeout=60)[1] for process in processes] == [b""] * 4
    assert asyncio.run(check(database_url)).state == "ok"


def test_tables_made_before_migrations_are_adopted_with_what_is_in_them(database_url: str) -> None:
    async def main() -> None:
        await make_old_tables(database_url)
        assert (await check(database_url)).state == "unversioned"
        with pytest.raises(SchemaOlder, match="callcluster records migrate"):
            await prepared(database_url)
        found = await asyncio.gather(*(prepared(database_url, migrates=True) for _ in range(4)))
        assert {state.state for state in found} == {"ok"}
        store = RecordStore(database_url)
        assert await store.call("acme", "call-1") == call(caller="+1", called="+2")
        assert [row.caller_text for row in await store.turns("acme", "call-1")] == ["hi"]
        await store.write([turn(2), entry("e")])
        await store.aclose()

    asyncio.run(main())


def test_an_older_revision_is_refused_until_somebody_migrates(database_url: str) -> None:
    async def main() -> None:
        await make_old_tables(database_url)
        await run_sql(
            database_url,
            f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
            f"INSERT INTO {VERSION_TABLE} VALUES ('0001')",
            str(CreateTable(METADATA.tables["journal"])).replace("JSON", "TEXT"),
        )
        with pytest.raises(SchemaOlder, match=rf"0001.*{HEAD}.*callcluster records migrate"):
            await prepared(database_url)
        assert await migrate(database_url) == SchemaState("0001", HEAD, "older")
        assert (await prepared(database_url)).state == "ok"

    asyncio.run(main())


def test_a_newer_revision_is_refused_by_whoever_starts(database_url: str) -> None:
    async def main() -> None:
        await migrate(database_url)
        await run_sql(database_url, f"UPDATE {VERSION_TABLE} SET version_num = '9000'")
        assert await check(database_url) == SchemaState("9000", HEAD, "newer")
        for attempt in (prepared(database_url, migrates=True), migrate(database_url)):
            with pytest.raises(SchemaNewer, match=r"newer version .* upgrade callcluster"):
                await attempt

    asyncio.run(main())


def test_a_migration_that_breaks_off_leaves_the_tables_as_they_were(database_url: str) -> None:
    """Its last table is there already: everything before it is undone."""

    async def main() -> None:
        await make_old_tables(database_url)
        await run_sql(database_url, "CREATE INDEX recordings_by_status ON calls (caller)")
        with pytest.raises(RecordsError):
            await migrate(database_url)
        database = Database(database_url)
        async with database.reading() as connection:
            with pytest.raises(Exception, match="cost"):
                await connection.execute(text("SELECT cost FROM calls"))
        await database.aclose()
        await run_sql(database_url, "DROP INDEX recordings_by_status")
        await migrate(database_url)
        assert (await check(database_url)).state == "ok"

    asyncio.run(main())


@pytest.mark.parametrize("table", ["calls", "numbers"])
def test_tables_of_somebody_else_are_left_alone(database_url: str, table: str) -> None:
    async def main() -> None:
        await run_sql(database_url, f"CREATE TABLE {table} (id INTEGER)")
        for attempt in (prepared(database_url, migrates=True), migrate(database_url)):
            with pytest.raises(SchemaForeign, match=f"'{table}'.*DATABASE_URL"):
                await attempt

    asyncio.run(main())


def test_a_table_that_is_gone_is_said(database_url: str) -> None:
    async def main() -> None:
        await migrate(database_url)
        await run_sql(database_url, "DROP TABLE journal")
        with pytest.raises(SchemaMissing, match=r"journal .* backup"):
            await prepared(database_url)
        store = RecordStore(database_url)
        with pytest.raises(SchemaMissing, match="callcluster records migrate"):
            await store.write([entry("e")])
        await store.aclose()

    asyncio.run(main())


def test_a_process_of_the_version_before_goes_on_writing(on_database: OnDatabase) -> None:
    """It names the columns it knows; the others have a default."""
    added = {"cost", "cost_usd", "wasted_cost_usd", "erased_at_us", "mode"}
    known = [column.name for column in CALLS.c if column.name not in added]
    values = {"turn_id": 1, "epoch_number": 0, "epoch_minted_us": 0, "started_at_us": 1}
    row = [
        str(values.get(name, {"planned_end": "false", "usage": "'{}'", "ended_at_us": 0}.get(name)))
        if name in {*values, "planned_end", "usage", "ended_at_us"}
        else "'x'"
        for name in known
    ]

    async def use(database: Database) -> None:
        async with database.writing() as connection:
            await connection.execute(
                text(f"INSERT INTO calls ({', '.join(known)}) VALUES ({', '.join(row)})")
            )
        found = await RecordStore(database).call("x", "x")
        assert found is not None
        assert (found.cost, found.cost_usd, found.erased_at_us) == ({}, 0.0, 0)

    on_database(use)


def test_a_writer_waits_for_the_migration(database_url: str) -> None:
    """Rows are kept while the tables are older, and written once they are not."""

    async def main() -> None:
        await make_old_tables(database_url)
        writer = RecordWriter(database_url, WriterConfig(flush_interval_s=0.01, first_retry_s=0.01))
        writer.put(turn(7))
        assert not await writer.flush(0.2)
        assert "callcluster records migrate" in writer.last_error
        await migrate(database_url)
        assert await writer.flush(10)
        await writer.aclose()
        store = RecordStore(database_url)
        assert [row.turn_id for row in await store.turns("acme", "call-1")] == [1, 7]
        await store.aclose()

    asyncio.run(main())


def test_a_running_writer_is_not_stopped_by_a_newer_schema(database_url: str) -> None:
    """During an upgrade the tables are newer than the processes that still carry calls."""

    async def main() -> None:
        writer = RecordWriter(database_url, WriterConfig(flush_interval_s=0.01))
        writer.put(turn(1))
        assert await writer.flush(10)
        await run_sql(database_url, f"UPDATE {VERSION_TABLE} SET version_num = '9000'")
        writer.put(turn(2))
        assert await writer.flush(10)
        assert writer.last_error == ""
        await writer.aclose()

    asyncio.run(main())


def test_a_directory_that_cannot_be_written_names_the_setting(tmp_path: Path) -> None:
    """The kernel's own file system, which not even root may write to."""
    with pytest.raises(StoreNotWritable, match="DATABASE_URL"):
        asyncio.run(migrate("sqlite:////proc/calls.sqlite3"))
