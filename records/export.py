"""Calls and turns in files, for people who analyse.

Rows are read in pages and written at once, so that memory does not grow with their number. The
files appear under their names when both are whole.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from sqlalchemy import select, tuple_

from records.csv_table import CsvTable
from records.database import Database, as_database
from records.errors import ExportFailed
from records.export_columns import CALL_COLUMNS, TURN_COLUMNS, ExportColumn
from records.parquet_table import ParquetTable
from records.rows import CallFilter, CallRow, TurnRow, cursor_of
from records.statements import from_columns
from records.store import matching
from records.tables import CALLS, TURNS

Format = Literal["csv", "parquet"]
PAGE_CALLS = 200
PAGE_TURNS = 1_000


class _Table(Protocol):
    def write(self, rows: Sequence[Any]) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Exported:
    """How many rows are in the files, and where these are."""

    calls: int
    turns: int
    files: tuple[Path, ...]


async def export(
    where: Database | str,
    chosen: CallFilter,
    folder: Path,
    format_: Format = "csv",
    *,
    overwrite: bool = False,
    progress: Callable[[int, int], None] = lambda _calls, _turns: None,
) -> Exported:
    """Write ``calls`` and ``turns`` of the chosen calls, the oldest first.

    Args:
        where: The database, or its ``DATABASE_URL``.
        chosen: Which calls.
        folder: Made if it is missing.
        format_: ``parquet`` needs the extra of that name.
        overwrite: Replace files of an earlier export.
        progress: Told the number of calls and turns written so far.

    Raises:
        ExportFailed: A file cannot be written; nothing is left behind.
        RecordsError: The database cannot be read; nothing is left behind.
    """
    files = {name: folder / f"{name}.{format_}" for name in ("calls", "turns")}
    if not overwrite and (there := [path for path in files.values() if path.exists()]):
        raise ExportFailed(f"{there[0]} is there already: choose another folder, or overwrite it")
    parts = {name: path.with_name(f"{path.name}.part") for name, path in files.items()}
    database = as_database(where)
    try:
        _make(folder)
        counts = await _write(database, chosen, parts, format_, progress)
        for name, path in files.items():
            parts[name].replace(path)
    except OSError as error:
        raise ExportFailed(f"cannot write to {folder}: {error.strerror or error}") from None
    finally:
        for part in parts.values():
            _remove(part)
        if database is not where:
            await database.aclose()
    return Exported(*counts, tuple(files.values()))


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)


def _remove(part: Path) -> None:
    try:
        part.unlink(missing_ok=True)
    except OSError:
        return  # its folder could not be made, or may not be written: there is none


async def _write(
    database: Database,
    chosen: CallFilter,
    parts: dict[str, Path],
    format_: Format,
    progress: Callable[[int, int], None],
) -> tuple[int, int]:
    kind = CsvTable if format_ == "csv" else ParquetTable
    opened: list[_Table] = []

    def open_table(name: str, columns: Sequence[ExportColumn]) -> _Table:
        opened.append(kind(parts[name], columns))
        return opened[-1]

    calls = turns = 0
    try:
        call_table = open_table("calls", CALL_COLUMNS)
        turn_table = open_table("turns", TURN_COLUMNS)
        async for page in _call_pages(database, chosen):
            call_table.write(page)
            calls += len(page)
            async for some in _turn_pages(database, page):
                turn_table.write(some)
                turns += len(some)
            progress(calls, turns)
    finally:
        for table in opened:
            table.close()
    return calls, turns


async def _call_pages(database: Database, chosen: CallFilter) -> AsyncIterator[list[CallRow]]:
    oldest = (CALLS.c.started_at_us, CALLS.c.call_id, CALLS.c.tenant_id)
    query = matching(chosen).order_by(*oldest).limit(PAGE_CALLS)
    page: list[CallRow] = []
    while True:
        after = query.where(tuple_(*oldest) > cursor_of(page[-1])) if page else query
        page = [CallRow(**from_columns(columns)) for columns in await database.fetch(after)]
        if page:
            yield page
        if len(page) < PAGE_CALLS:
            return


async def _turn_pages(database: Database, calls: Sequence[CallRow]) -> AsyncIterator[list[TurnRow]]:
    order = (TURNS.c.tenant_id, TURNS.c.call_id, TURNS.c.turn_id)
    whose = tuple_(TURNS.c.tenant_id, TURNS.c.call_id)
    keys = [(call.tenant_id, call.call_id) for call in calls]
    query = select(TURNS).where(whose.in_(keys)).order_by(*order).limit(PAGE_TURNS)
    page: list[TurnRow] = []
    while True:
        after = query
        if page:
            last = page[-1]
            after = query.where(tuple_(*order) > (last.tenant_id, last.call_id, last.turn_id))
        page = [TurnRow(**from_columns(columns)) for columns in await database.fetch(after)]
        if page:
            yield page
        if len(page) < PAGE_TURNS:
            return
