"""One engine for a ``DATABASE_URL``, shared by all stores of a process."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Select, event, text
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from records.errors import StoreAddressInvalid, StoreNotWritable, StoreUnavailable
from records.explain import explained

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}
_SUPPORTED = frozenset({"sqlite+aiosqlite", "postgresql+asyncpg", "postgresql+psycopg"})
BUSY_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 5.0
COMMAND_TIMEOUT_S = 20.0
_BEGIN = "callcluster_begin"


def parse_url(text: str) -> URL:
    """Read a ``DATABASE_URL``; ``sqlite:`` and ``postgres:`` get their asyncio driver.

    Raises:
        StoreAddressInvalid: It is not a URL of SQLite or PostgreSQL.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise StoreAddressInvalid(
            "DATABASE_URL is not a database address; write sqlite:////absolute/path/calls.sqlite3 "
            "or postgresql://user:password@host/name"
        ) from None
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    if url.drivername not in _SUPPORTED:
        raise StoreAddressInvalid(
            f"DATABASE_URL names {url.drivername!r}; the call store speaks sqlite and postgresql"
        )
    return url


def _dump_json(value: Any) -> str:
    # NaN and infinity are no JSON: SQLite would keep what PostgreSQL refuses.
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    try:
        # The driver must not begin transactions by itself: it would begin them too late, and
        # changes of the schema would not be part of them.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT_S * 1_000)}")
        cursor.execute("PRAGMA synchronous=NORMAL")
        # What is erased leaves the file too, not only the tables.
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.execute("PRAGMA journal_mode")
        # The mode stays in the file: asking again would take a lock other processes may hold.
        if cursor.fetchone()[0] not in {"wal", "memory"}:
            cursor.execute("PRAGMA journal_mode=WAL")
        cursor.close()
    except sqlite3.Error:
        # The pool does not close what never entered it, and an open connection keeps its thread.
        connection.close()
        raise


def _begin_sqlite(connection: Connection) -> None:
    """A transaction that will write takes its lock at once: an upgrade later could deadlock."""
    if begin := connection.get_execution_options().get(_BEGIN, "BEGIN"):
        connection.exec_driver_sql(begin)


def open_engine(url: URL, *, command_timeout_s: float = COMMAND_TIMEOUT_S) -> AsyncEngine:
    """An engine that connects when it is first used.

    Args:
        url: Of ``parse_url``.
        command_timeout_s: How long one statement may take at PostgreSQL; a server that fell off
            the network says nothing at all.

    Raises:
        StoreAddressInvalid: The driver of this database is not installed.
    """
    # No error shows what a statement was about: numbers, and what was said.
    options: dict[str, Any] = {"json_serializer": _dump_json, "hide_parameters": True}
    if url.get_backend_name() == "postgresql":
        options.update(pool_pre_ping=True, pool_size=2, max_overflow=2, pool_timeout=5)
    if url.drivername == "postgresql+asyncpg":
        limits = {"timeout": CONNECT_TIMEOUT_S, "command_timeout": command_timeout_s}
        options["connect_args"] = limits
    try:
        engine = create_async_engine(url, **options)
    except ModuleNotFoundError as error:
        raise StoreAddressInvalid(
            f"DATABASE_URL needs the Python package {error.name!r}, which is not installed"
        ) from None
    if url.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def check_place(url: URL, *, make: bool = False) -> bool:
    """See that a file is, or may be, where the URL says, before a connection tries and fails.

    Args:
        url: Of ``parse_url``.
        make: Make an empty file if there is none.

    Returns:
        False when there is no file; True for all that is no file.

    Raises:
        StoreNotWritable: Its directory is missing, it is a directory itself, or it may not be
            opened or made.
    """
    name = url.database or ""
    if url.get_backend_name() != "sqlite" or name in {"", ":memory:"} or name.startswith("file:"):
        return True
    path = Path(name).absolute()
    if not path.parent.is_dir():
        raise StoreNotWritable(
            f"the directory {path.parent} of the call store is missing: make it, or change "
            "DATABASE_URL"
        )
    if path.is_dir():
        raise StoreNotWritable(
            f"{path} is a directory: DATABASE_URL must name a file, such as "
            f"sqlite:///{path}/callcluster.sqlite3"
        )
    # A file that is there is only looked at. To open and close it would take away the locks that
    # SQLite holds on it in this process (POSIX: close() drops every lock of the process), and then
    # another process that closes its last connection deletes the log from under ours.
    # https://www.sqlite.org/howtocorrupt.html, section 2.2
    try:
        if not path.exists():
            if not make:
                return False
            with contextlib.suppress(FileExistsError):  # somebody was quicker
                # Who called whom, and what was said: nobody else's. SQLite's other files follow it.
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise StoreNotWritable(_not_writable(path, error.strerror or "it cannot be made")) from None
    if not os.access(path, os.W_OK if make else os.R_OK):
        raise StoreNotWritable(
            _not_writable(path, "it may not be written" if make else "it may not be read")
        )
    return True


def file_of(url: URL) -> tuple[int, int] | None:
    """Device and number of the file that has this name now; None for none, or for no file."""
    name = url.database or ""
    if url.get_backend_name() != "sqlite" or name in {"", ":memory:"} or name.startswith("file:"):
        return None
    try:
        found = os.stat(name)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _not_writable(path: Path, why: str) -> str:
    return (
        f"cannot write the call store {path}: {why}. Allow this user to write there, or change "
        "DATABASE_URL"
    )


class Database:
    """A call store's database: transactions for the stores, errors a person can act on.

    Several processes may share one database. With SQLite they share a file (WAL: readers never
    wait, writers queue for at most ``BUSY_TIMEOUT_S``).

    Args:
        url: ``DATABASE_URL``: ``sqlite:///...`` or ``postgresql://...``.
        migrates: ``records.schema.prepare`` brings older tables up to date by itself; otherwise it
            refuses them.
        command_timeout_s: How long one statement may take at PostgreSQL.

    Raises:
        StoreAddressInvalid: The URL cannot be read, or its driver is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        migrates: bool = False,
        command_timeout_s: float = COMMAND_TIMEOUT_S,
    ) -> None:
        self.url = parse_url(url)
        self.migrates = migrates
        self._engine = open_engine(self.url, command_timeout_s=command_timeout_s)
        self._reached = False
        self._file: tuple[int, int] | None = None  # whose name our connections were opened by

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.url.get_backend_name()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection to read from. Raises ``RecordsError``."""
        async with self._connected() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed at the end. Raises ``RecordsError``."""
        async with self._connected() as connection:
            await connection.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
            async with connection.begin():
                yield connection

    async def fetch(self, query: Select[Any]) -> list[Mapping[str, Any]]:
        """All rows of a query. Raises ``RecordsError``."""
        async with self.reading() as connection:
            result = await connection.execute(query)
            return [dict(row) for row in result.mappings()]

    async def empty_log(self) -> None:
        """Let SQLite's log give up what it held; somebody who reads just now may put that off."""
        if self.dialect != "sqlite":
            return
        async with self._connected() as connection:
            await connection.execution_options(**{_BEGIN: ""})  # never within a transaction
            await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        if not self._reached:
            check_place(self.url)
        with explained(self.url):
            async with self._engine.connect() as connection:
                self._reached = True
                if self._file != (found := file_of(self.url)):
                    await self._take_up(found)
                yield connection

    async def _take_up(self, found: tuple[int, int] | None) -> None:
        """Another file, or none, has the name of ours. Raises ``StoreUnavailable`` if it had one.

        Connections that are open would go on in the old one, which nobody finds any more.
        """
        before, self._file = self._file, found
        if before is None:
            return
        self._file = None
        self._reached = False
        await self._engine.dispose()
        raise StoreUnavailable(
            f"the call store {self.url.database} was removed or replaced while it was in use: "
            "what comes next goes to the file of that name"
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


def as_database(where: Database | str) -> Database:
    """The database itself, or the one of a ``DATABASE_URL``."""
    return where if isinstance(where, Database) else Database(where)
