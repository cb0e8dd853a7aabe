"""Both databases: what asks for ``database_url`` runs once on each."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from records.database import Database
from records.schema import migrate, prepare
from records.tables import METADATA
from tests.support.postgres import PostgresServer, postgres_server

__all__ = ["postgres_server"]

OnDatabase = Callable[[Callable[[Database], Awaitable[None]]], None]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.e2e)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The ``DATABASE_URL`` of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/calls.sqlite3"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.new_database()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with our tables: copying it is quicker than migrating anew."""
    path = tmp_path_factory.mktemp("records") / "migrated.sqlite3"
    asyncio.run(migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture
def on_database(database_url: str, migrated_file: Path) -> OnDatabase:
    """Runs a coroutine function on a database that has our tables."""
    if database_url.startswith("sqlite"):
        shutil.copy(migrated_file, database_url.removeprefix("sqlite:///"))
    else:
        asyncio.run(migrate(database_url))

    def run(use: Callable[[Database], Awaitable[None]]) -> None:
        async def main() -> None:
            database = Database(database_url)
            try:
                await use(database)
            finally:
                await database.aclose()

        asyncio.run(main())

    return run


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    try:
        await prepare(database)
        yield database
    finally:
        await database.aclose()


def in_memory(use: Callable[[Database], Awaitable[None]]) -> None:
    """Run a coroutine function on tables that no file holds: quick, for many examples."""

    async def main() -> None:
        database = Database("sqlite://")
        try:
            async with database.writing() as connection:
                await connection.run_sync(METADATA.create_all)
            await use(database)
        finally:
            await database.aclose()

    asyncio.run(main())
