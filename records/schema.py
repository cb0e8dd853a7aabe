"""Are the tables those of this version, and if not, make them so.

Several processes may ask and migrate at once: whoever comes second finds the work done. A migration
is one transaction, on both databases: it happens whole or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Set
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import Connection, false, func, inspect, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from records.database import Database, as_database, check_place
from records.errors import (
    SchemaForeign,
    SchemaMissing,
    SchemaNewer,
    SchemaOlder,
    StoreUnavailable,
)
from records.explain import MIGRATE, place
from records.migrations import FOLDER, HEAD, REVISIONS, VERSION_TABLE
from records.tables import METADATA

State = Literal["ok", "empty", "older", "newer", "unversioned"]

_BEFORE_MIGRATIONS: Final = {
    "calls": {"tenant_id", "call_id", "epoch_number", "started_at_us", "planned_end"},
    "turns": {"tenant_id", "call_id", "turn_id", "heard_text", "timeline"},
    "journal": {"tenant_id", "call_id", "entry_id", "kind", "data"},
}
_LOCK: Final = 0x63616C6C_736368  # of PostgreSQL's advisory locks; any fixed number serves
_MIGRATION_TIMEOUT_S: Final = 3_600.0
_TRIES: Final = 100
_RETRY_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class SchemaState:
    """What tables a database has.

    Attributes:
        current: Revision of the tables; empty when they have none.
        wanted: Revision that this version reads and writes.
        state: ``empty``: no tables of ours; ``unversioned``: made before there were migrations.
    """

    current: str
    wanted: str
    state: State


async def check(where: Database | str) -> SchemaState:
    """Say what tables a database has; changes nothing, and makes no file.

    Raises:
        StoreNotWritable, StoreAccessDenied, StoreUnavailable: It cannot be reached.
        SchemaForeign: It has tables of our names that are not ours.
        SchemaMissing: Some of our tables are gone.
    """
    database = as_database(where)
    if not check_place(database.url):
        return SchemaState("", HEAD, "empty")
    try:
        async with database.reading() as connection:
            return await _state(connection)
    finally:
        if database is not where:
            await database.aclose()


async def migrate(where: Database | str) -> SchemaState:
    """Bring the tables up to this version; what is there stays.

    Returns:
        What was found before.

    Raises:
        SchemaNewer: The tables are those of a later version.
        RecordsError: As ``check``; nothing was changed.
    """
    url = as_database(where).url
    check_place(url, make=True)
    # Of its own: an index on a large table takes longer than any statement of a call may.
    database = Database(
        url.render_as_string(hide_password=False), command_timeout_s=_MIGRATION_TIMEOUT_S
    )
    try:
        for tries_left in reversed(range(_TRIES)):
            try:
                return await _migrate(database)
            except StoreUnavailable as error:
                # SQLite: another process holds the file, and may be migrating it.
                if "locked" not in error.message or not tries_left:
                    raise
                await asyncio.sleep(_RETRY_S)
        raise AssertionError("unreachable")
    finally:
        await database.aclose()


async def prepare(database: Database) -> None:
    """What every process does when it starts: go on only with tables of this version.

    Tables are made where there are none. Older ones are migrated if ``database.migrates``.

    Raises:
        SchemaOlder: Somebody must run ``callcluster records migrate``.
        SchemaNewer: The tables are those of a later version.
        RecordsError: As ``check``.
    """
    found = await check(database)
    if found.state == "empty" or (found.state in {"older", "unversioned"} and database.migrates):
        await migrate(database)
    else:
        _refuse_others(database, found)


async def require(where: Database | str) -> None:
    """Go on only with tables of this version; changes nothing, and makes no file.

    Raises:
        SchemaMissing: There are no tables yet.
        RecordsError: As ``prepare``.
    """
    _refuse_others(as_database(where), await check(where))


async def require_writable(database: Database) -> None:
    """Go on only where a row can be written; writes nothing.

    Raises:
        StoreNotWritable: A read-only file, disk or server; names the setting.
        StoreAccessDenied: This user may read only.
        RecordsError: As ``check``.
    """
    calls = METADATA.tables["calls"]
    async with database.writing() as connection:
        # A transaction alone may begin where nothing can be written.
        await connection.execute(update(calls).where(false()).values(status=calls.c.status))


def _refuse_others(database: Database, found: SchemaState) -> None:
    match found.state:
        case "ok":
            return
        case "newer":
            raise _newer(database, found)
        case "empty":
            raise SchemaMissing(
                f"no calls were written to {place(database.url)} yet: it has no tables of ours"
            )
        case _:
            raise SchemaOlder(
                f"the tables of DATABASE_URL {place(database.url)} are of version "
                f"{found.current or 'none'}, this program needs {found.wanted}. Run: {MIGRATE}"
            )


def _newer(database: Database, found: SchemaState) -> SchemaNewer:
    return SchemaNewer(
        f"the database {place(database.url)} was made by a newer version of callcluster (tables "
        f"{found.current}, this program knows {found.wanted}): upgrade callcluster"
    )


async def _state(connection: AsyncConnection) -> SchemaState:
    names = await connection.run_sync(lambda sync: frozenset(inspect(sync).get_table_names()))
    version = ""
    if VERSION_TABLE in names:
        found = await connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 - a constant
        version = found.scalar() or ""
    if version:
        return _versioned(version, names)
    ours = names & METADATA.tables.keys()
    if not ours:
        return SchemaState("", HEAD, "empty")
    for name in sorted(ours):
        columns = await connection.run_sync(
            lambda sync, table=name: {  # type: ignore[misc]
                column["name"] for column in inspect(sync).get_columns(table)
            }
        )
        wanted = _BEFORE_MIGRATIONS.get(name)
        if wanted is None or not wanted <= columns:
            raise SchemaForeign(
                f"the database holds a table {name!r} that callcluster did not make: give it a "
                "database of its own in DATABASE_URL"
            )
    return SchemaState("", HEAD, "unversioned")


def _versioned(version: str, names: Set[str]) -> SchemaState:
    if version not in REVISIONS:
        return SchemaState(version, HEAD, "newer")
    if version != HEAD:
        return SchemaState(version, HEAD, "older")
    if gone := METADATA.tables.keys() - names:
        raise SchemaMissing(
            f"the tables {', '.join(sorted(gone))} are gone from the database, which says it has "
            "them: restore it from a backup, or point DATABASE_URL at a new one"
        )
    return SchemaState(version, HEAD, "ok")


async def _migrate(database: Database) -> SchemaState:
    async with database.writing() as connection:
        if database.dialect == "postgresql":
            await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        found = await _state(connection)
        if found.state == "newer":
            raise _newer(database, found)
        if found.state != "ok":
            await connection.run_sync(_upgrade)
        return found


def _upgrade(connection: Connection) -> None:
    # Loaded here: a process that finds its tables in order needs none of it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
