"""One engine for a ``DATABASE_URL``: drivers, pragmas, and errors a person can act on."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from records.errors import (
    RecordsError,
    RowRejected,
    StoreAddressInvalid,
    StoreNotWritable,
    StoreUnavailable,
)

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}
_SUPPORTED = frozenset({"sqlite+aiosqlite", "postgresql+asyncpg", "postgresql+psycopg"})
BUSY_TIMEOUT_S = 5.0


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
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT_S * 1_000)}")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA journal_mode")
        # The mode stays in the file: asking again would take a lock other processes may hold.
        if cursor.fetchone()[0] not in {"wal", "memory"}:
            cursor.execute("PRAGMA journal_mode=WAL")
        cursor.close()
    except sqlite3.Error:
        # The pool does not close what never entered it, and an open connection keeps its thread.
        connection.close()
        raise


def open_engine(url: URL) -> AsyncEngine:
    """An engine that connects when it is first used.

    Raises:
        StoreAddressInvalid: The driver of this database is not installed.
    """
    options: dict[str, Any] = {"json_serializer": _dump_json}
    if url.get_backend_name() == "postgresql":
        options.update(pool_pre_ping=True, pool_size=2, max_overflow=2, pool_timeout=5)
    try:
        engine = create_async_engine(url, **options)
    except ModuleNotFoundError as error:
        raise StoreAddressInvalid(
            f"DATABASE_URL needs the Python package {error.name!r}, which is not installed"
        ) from None
    if url.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _place(url: URL) -> str:
    return url.render_as_string(hide_password=True)


def check_place(url: URL) -> None:
    """See that a file may be where the URL says, before a connection tries and fails.

    Raises:
        StoreNotWritable: Its directory is missing, or it is a directory itself.
    """
    name = url.database or ""
    if url.get_backend_name() != "sqlite" or name in {"", ":memory:"} or name.startswith("file:"):
        return
    place = Path(name).absolute()
    if not place.parent.is_dir():
        raise StoreNotWritable(
            f"the directory {place.parent} of the call store is missing: make it, or change "
            "DATABASE_URL"
        )
    if place.is_dir():
        raise StoreNotWritable(
            f"{place} is a directory: DATABASE_URL must name a file, such as "
            f"sqlite:///{place}/callcluster.sqlite3"
        )


def _of_sqlite(error: BaseException, url: URL) -> RecordsError | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    match code & 0xFF:
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return StoreNotWritable(
                f"cannot write the call store {_place(url)}: {error}. Make its directory and allow "
                "this user to write there, or change DATABASE_URL"
            )
        case sqlite3.SQLITE_FULL:
            return StoreNotWritable(f"the disk of DATABASE_URL {_place(url)} is full")
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return StoreNotWritable(
                f"the file of DATABASE_URL {_place(url)} is no sound SQLite database: {error}"
            )
        case _:
            return None


def explain(error: BaseException, url: URL) -> RecordsError:
    """Our error for what the database or its driver raised; holds no value of any row."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if cause is not None and (known := _of_sqlite(cause, url)):
        return known
    if isinstance(error, (OperationalError, InterfaceError, PoolTimeout, OSError, TimeoutError)):
        return StoreUnavailable(f"the database of DATABASE_URL {_place(url)}: {cause}")
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return StoreUnavailable(f"lost the database of DATABASE_URL {_place(url)}")
    # The driver's text may quote the row, and a row holds what people said.
    name = type(cause).__name__
    kind = "conflict" if isinstance(error, IntegrityError) else "value"
    return RowRejected(f"the database refused a {kind} of this row ({name})")


@asynccontextmanager
async def explained(url: URL) -> AsyncIterator[None]:
    """Turn whatever the block raises from the database into a ``RecordsError``."""
    try:
        yield
    except (SQLAlchemyError, OSError, OverflowError, TypeError, ValueError, sqlite3.Error) as error:
        raise explain(error, url) from error
