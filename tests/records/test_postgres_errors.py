"""What a real PostgreSQL refuses, and how it is said."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from records.database import Database
from records.errors import (
    RecordsError,
    StoreAccessDenied,
    StoreNotWritable,
    StoreUnavailable,
)
from records.schema import check, migrate, prepare, require_writable
from records.store import RecordStore
from records.writer import RecordWriter, WriterConfig
from tests.records.rows import turn
from tests.support.postgres import PASSWORD, USER, PostgresServer

pytestmark = pytest.mark.e2e


def failure(url: str) -> RecordsError:
    async def main() -> None:
        store = RecordStore(url)
        try:
            await store.prepare()
            await store.write([turn(1)])
        finally:
            await store.aclose()

    with pytest.raises(RecordsError) as caught:
        asyncio.run(main())
    return caught.value


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"password": "wrong"}, "password authentication failed"),
        ({"user": "nobody"}, "password authentication failed"),
        ({"database": "missing"}, 'database "missing" does not exist'),
    ],
)
def test_a_wrong_key_names_the_setting_and_not_the_key(
    postgres_server: PostgresServer, change: dict[str, str], hint: str
) -> None:
    error = failure(postgres_server.url(**{"database": "postgres", **change}))
    assert type(error) is StoreAccessDenied
    assert hint in error.message
    assert "DATABASE_URL" in error.message
    assert not re.search("wrong|" + PASSWORD, error.message)


def test_a_user_without_rights_is_told(postgres_server: PostgresServer) -> None:
    url = postgres_server.new_database()
    name = url.rsplit("/", 1)[1]
    asyncio.run(migrate(url))
    role = f"reader_of_{name}"
    postgres_server.execute(name, f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    postgres_server.execute(name, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    error = failure(postgres_server.url(name, user=role, password="x"))
    assert type(error) is StoreAccessDenied
    assert "permission denied for table turns" in error.message
    with pytest.raises(StoreAccessDenied, match="permission denied for table calls"):
        asyncio.run(asked_to_write(postgres_server.url(name, user=role, password="x")))


def test_a_user_who_may_make_no_tables_is_told(postgres_server: PostgresServer) -> None:
    url = postgres_server.new_database()
    name = url.rsplit("/", 1)[1]
    role = f"guest_of_{name}"
    postgres_server.execute(name, f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
    error = failure(postgres_server.url(name, user=role, password="x"))
    assert type(error) is StoreAccessDenied
    assert "permission denied for schema public" in error.message


def test_a_read_only_database_is_told(postgres_server: PostgresServer) -> None:
    """As a standby is."""
    url = postgres_server.new_database()
    name = url.rsplit("/", 1)[1]
    asyncio.run(migrate(url))
    postgres_server.execute(
        "postgres", f"ALTER DATABASE {name} SET default_transaction_read_only = on"
    )
    error = failure(url)
    assert type(error) is StoreNotWritable
    assert "read-only" in error.message
    with pytest.raises(StoreNotWritable, match=r"DATABASE_URL .* is read-only"):
        asyncio.run(asked_to_write(url))


async def asked_to_write(url: str) -> None:
    database = Database(url)
    try:
        await prepare(database)  # as right as it can be
        await require_writable(database)
    finally:
        await database.aclose()


def test_nobody_listening_is_an_outage() -> None:
    error = failure(f"postgresql://{USER}:{PASSWORD}@127.0.0.1:1/calls")
    assert type(error) is StoreUnavailable
    assert error.retryable
    assert PASSWORD not in error.message


def test_too_many_connections_are_an_outage(postgres_server: PostgresServer) -> None:
    url = postgres_server.new_database()
    name = url.rsplit("/", 1)[1]
    asyncio.run(migrate(url))
    role = f"lonely_of_{name}"
    postgres_server.execute(
        name,
        f"CREATE ROLE {role} LOGIN PASSWORD 'x' CONNECTION LIMIT 0",
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}",
    )
    error = failure(postgres_server.url(name, user=role, password="x"))
    assert type(error) is StoreUnavailable
    assert "too many connections" in error.message


def test_a_statement_that_never_ends_is_an_outage(postgres_server: PostgresServer) -> None:
    """Somebody holds a lock, or the network swallows every packet."""
    url = postgres_server.new_database()

    async def main() -> None:
        holder, other = Database(url), Database(url, command_timeout_s=0.3)
        await prepare(holder)
        async with holder.writing() as connection:
            await connection.exec_driver_sql("LOCK TABLE turns IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(StoreUnavailable, match="DATABASE_URL"):
                await RecordStore(other).write([turn(1)])
        await RecordStore(other).write([turn(1)])
        await other.aclose()
        await holder.aclose()

    asyncio.run(main())


def test_two_migrations_wait_for_each_other(postgres_server: PostgresServer) -> None:
    """And a check in the middle sees the tables of before or after, never half of them."""
    url = postgres_server.new_database()

    async def main() -> None:
        done = await asyncio.gather(*(migrate(url) for _ in range(6)), check(url))
        assert sorted(state.state for state in done[:6]) == ["empty", *["ok"] * 5]
        assert done[6].state in {"empty", "ok"}

    asyncio.run(main())


def test_a_writer_survives_a_restart_of_the_server(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    """Connections in the pool are dead afterwards; no row is lost and none doubled."""
    url = postgres_server.new_database()

    async def main() -> None:
        writer = RecordWriter(url, WriterConfig(flush_interval_s=0.01, first_retry_s=0.05))
        for turn_id in range(10):
            writer.put(turn(turn_id))
        assert await writer.flush(10)
        await asyncio.to_thread(postgres_server.stop)
        writer.put(turn(10))
        assert not await writer.flush(0.2)
        assert writer.status.pending == 1
        await asyncio.to_thread(postgres_server.start)
        assert await writer.flush(20)
        assert writer.status.dropped == 0
        await writer.aclose()
        store = RecordStore(url)
        assert [row.turn_id for row in await store.turns("acme", "call-1")] == list(range(11))
        await store.aclose()

    asyncio.run(main())
