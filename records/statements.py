"""How rows enter the tables, so that writing one twice, or late, does no harm.

- A call or a turn is replaced by a write of the same or a larger epoch, never by a smaller one.
- A planned end of a call stays; the earliest known start of a call stays.
- Language, mode, usage and cost of a call stay until a write brings others: a resumed stream knows
  none.
- An erased call stays erased.
- A journal entry is written once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, cast

from sqlalchemy import Table, Text, and_, case, or_
from sqlalchemy import cast as sql_cast
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert

from records.edge_rows import ApiKeyRow, CallRequestRow, NumberRow, RecordingRow
from records.limits import check_length
from records.rows import CallRow, JournalRow, Row, TurnRow
from records.tables import (
    API_KEYS,
    CALL_REQUESTS,
    CALLS,
    JOURNAL,
    NUMBERS,
    RECORDINGS,
    TURNS,
)

AnyRow = Row | CallRequestRow | NumberRow | ApiKeyRow | RecordingRow

TABLE_OF: Mapping[type, Table] = {
    CallRow: CALLS,
    TurnRow: TURNS,
    JournalRow: JOURNAL,
    CallRequestRow: CALL_REQUESTS,
    NumberRow: NUMBERS,
    ApiKeyRow: API_KEYS,
    RecordingRow: RECORDINGS,
}
_END_COLUMNS = ("ended_at_us", "status", "planned_end", "end_reason")


def _clean(text: str) -> str:
    """Text that both databases take: PostgreSQL holds no NUL, neither holds lone surrogates."""
    if text.isascii():
        return text.replace("\x00", "")
    return text.encode("utf-8", "replace").decode().replace("\x00", "")


def _clean_json(value: Any) -> Any:
    """JSON that both databases take, its texts made as ``_clean`` makes them."""
    match value:
        case str():
            return _clean(value)
        case Mapping():
            return {
                _clean(key) if isinstance(key, str) else key: _clean_json(item)
                for key, item in value.items()
            }
        case list() | tuple():
            return [_clean_json(item) for item in value]
        case _:
            return value


def clean_value(column: str, value: Any) -> Any:
    """A value as its column takes it.

    Raises:
        TextTooLong: A text does not fit.
    """
    if isinstance(value, str):
        check_length(column, value)
        return _clean(value)
    return _clean_json(value) if isinstance(value, Mapping) else value


def to_columns(row: AnyRow) -> dict[str, Any]:
    """The row as column values of its table.

    Raises:
        TextTooLong: A text does not fit its column.
    """
    values = {item.name: clean_value(item.name, getattr(row, item.name)) for item in fields(row)}
    if "epoch" in values:
        values["epoch_number"], values["epoch_minted_us"] = values.pop("epoch")
    return values


def from_columns(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Column values as arguments of the row's dataclass."""
    values = dict(columns)
    if "epoch_number" in values:
        values["epoch"] = (values.pop("epoch_number"), values.pop("epoch_minted_us"))
    return values


def insert_into(table: Table, dialect: str) -> postgresql.Insert:
    """An INSERT that knows ON CONFLICT.

    Both dialects speak the same; PostgreSQL's class serves as the type of both.
    """
    if dialect == "postgresql":
        return postgresql.insert(table)
    return cast("postgresql.Insert", sqlite.insert(table))


@cache
def upsert(kind: type, dialect: str) -> Insert:
    """The statement that writes rows of ``kind``.

    Args:
        kind: ``CallRow``, ``TurnRow`` or ``JournalRow``.
        dialect: ``sqlite`` or ``postgresql``.
    """
    table = TABLE_OF[kind]
    insert = insert_into(table, dialect)
    if kind is JournalRow:
        return insert.on_conflict_do_nothing(index_elements=list(table.primary_key))
    new, old = insert.excluded, table.c
    changes: dict[str, Any] = {
        column.name: new[column.name] for column in table.c if not column.primary_key
    }
    if kind is CallRow:
        changes.update(_kept_of_call(new, old))
    return insert.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_=changes,
        where=or_(
            new.epoch_number > old.epoch_number,
            and_(
                new.epoch_number == old.epoch_number,
                new.epoch_minted_us >= old.epoch_minted_us,
            ),
        ),
    )


def _kept_of_call(new: Any, old: Any) -> dict[str, Any]:
    """The columns of a call that a later write does not simply replace."""
    kept: dict[str, Any] = {
        name: case((old.planned_end, old[name]), else_=new[name]) for name in _END_COLUMNS
    }
    earlier = and_(
        old.started_at_us > 0,
        or_(new.started_at_us == 0, old.started_at_us < new.started_at_us),
    )
    kept["started_at_us"] = case((earlier, old.started_at_us), else_=new.started_at_us)
    for name in ("language", "mode"):
        kept[name] = case((new[name] == "", old[name]), else_=new[name])
    no_usage = sql_cast(new.usage, Text) == "{}"
    kept["usage"] = case((no_usage, old.usage), else_=new.usage)
    no_cost = sql_cast(new.cost, Text) == "{}"
    kept["cost"] = case((no_cost, old.cost), else_=new.cost)
    for name in ("cost_usd", "wasted_cost_usd"):
        kept[name] = case((no_cost, old[name]), else_=new[name])
    kept["erased_at_us"] = case((old.erased_at_us > 0, old.erased_at_us), else_=new.erased_at_us)
    return kept
