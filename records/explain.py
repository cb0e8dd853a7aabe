"""From what a database or its driver raised to an error a person can act on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import URL
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from records.errors import (
    RecordsError,
    RowRejected,
    SchemaMissing,
    StoreAccessDenied,
    StoreNotWritable,
    StoreUnavailable,
)

MIGRATE = "callcluster records migrate"
_SQLITE_NO_TABLE = ("no such table", "no such column", "has no column")
# Codes of PostgreSQL (its appendix A); a class is the first two characters.
_PG_NO_TABLE = frozenset({"42P01", "42703", "3F000"})
_PG_DENIED = frozenset({"28000", "28P01", "3D000", "42501"})
_PG_READ_ONLY = frozenset({"25006"})
_PG_PASSING = frozenset({"08", "40", "53", "55", "57", "58"})


def place(url: URL) -> str:
    """The address without its password."""
    return url.render_as_string(hide_password=True)


def _of_sqlite(error: BaseException, url: URL) -> RecordsError | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    match code & 0xFF:
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return StoreNotWritable(
                f"cannot write the call store {place(url)}: {error}. Make its directory and allow "
                "this user to write there, or change DATABASE_URL"
            )
        case sqlite3.SQLITE_FULL:
            return StoreNotWritable(f"the disk of DATABASE_URL {place(url)} is full")
        case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
            return StoreNotWritable(
                f"the file of DATABASE_URL {place(url)} is no sound SQLite database: {error}"
            )
        case _ if any(words in str(error) for words in _SQLITE_NO_TABLE):
            return SchemaMissing(_missing(url))
        case _:
            return None


def _missing(url: URL) -> str:
    return f"the database {place(url)} lacks tables or columns of ours: run {MIGRATE}"


def _of_postgresql(error: BaseException, url: URL) -> RecordsError | None:
    code = getattr(error, "sqlstate", None)
    if not isinstance(code, str) or not code:
        return None
    # Of these kinds the server's words hold names of its own, never a value of a row.
    words = str(error).splitlines()[0].split(">: ")[-1] if str(error) else type(error).__name__
    if code in _PG_NO_TABLE:
        return SchemaMissing(_missing(url))
    if code in _PG_DENIED:
        return StoreAccessDenied(
            f"the database refused DATABASE_URL {place(url)}: {words}. Check its user, password "
            "and name, and what this user may do"
        )
    if code in _PG_READ_ONLY:
        return StoreNotWritable(f"the database of DATABASE_URL {place(url)} is read-only: {words}")
    if code[:2] in _PG_PASSING:
        return StoreUnavailable(f"the database of DATABASE_URL {place(url)}: {words}")
    return None


def explain(error: BaseException, url: URL) -> RecordsError:
    """Our error for what the database or its driver raised; holds no value of any row."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if known := _of_sqlite(cause, url) or _of_postgresql(cause, url):
        return known
    if isinstance(error, (OperationalError, InterfaceError, PoolTimeout, OSError, TimeoutError)):
        reason = str(cause) or "no answer in time"
        return StoreUnavailable(f"the database of DATABASE_URL {place(url)}: {reason}")
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return StoreUnavailable(f"lost the database of DATABASE_URL {place(url)}")
    # The driver's text may quote the row, and a row holds what people said.
    name = type(cause).__name__
    kind = "conflict" if isinstance(error, IntegrityError) else "value"
    return RowRejected(f"the database refused a {kind} of this row ({name})")


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Turn whatever the block raises from the database into a ``RecordsError``."""
    try:
        yield
    except (SQLAlchemyError, OSError, OverflowError, TypeError, ValueError, sqlite3.Error) as error:
        raise explain(error, url) from error
    except Exception as error:
        # A driver may raise its own errors while it connects, before SQLAlchemy wraps them.
        if isinstance(error, RecordsError) or not isinstance(getattr(error, "sqlstate", None), str):
            raise
        raise explain(error, url) from error
