"""How rows enter the tables, so that writing one twice, or late, does no harm.

- A call or a turn is replaced by a write of the same or a larger epoch, never by a smaller one.
- A planned end of a call stays; the earliest known start of a call stays.
- A journal entry is written once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, cast

from sqlalchemy import Table, and_, case, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert

from records.rows import CallRow, JournalRow, Row, TurnRow
from records.tables import CALLS, JOURNAL, TURNS

TABLE_OF: Mapping[type, Table] = {CallRow: CALLS, TurnRow: TURNS, JournalRow: JOURNAL}
_END_COLUMNS = ("ended_at_us", "status", "planned_end", "end_reason")


def _clean(text: str) -> str:
    """Text that both databases take: PostgreSQL holds no NUL, neither holds lone surrogates."""
    if text.isascii():
        return text.replace("\x00", "")
    return text.encode("utf-8", "replace").decode().replace("\x00", "")


def to_columns(row: Row) -> dict[str, Any]:
    """The row as column values of its table."""
    values: dict[str, Any] = {}
    for item in fields(row):
        value = getattr(row, item.name)
        if isinstance(value, str):
            value = _clean(value)
        elif isinstance(value, Mapping):
            value = dict(value)
        values[item.name] = value
    values["epoch_number"], values["epoch_minted_us"] = values.pop("epoch")
    return values


def from_columns(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Column values as arguments of the row's dataclass."""
    values = dict(columns)
    values["epoch"] = (values.pop("epoch_number"), values.pop("epoch_minted_us"))
    return values


@cache
def upsert(kind: type, dialect: str) -> Insert:
    """The statement that writes rows of ``kind``.

    Args:
        kind: One of the row classes.
        dialect: ``sqlite`` or ``postgresql``.
    """
    table = TABLE_OF[kind]
    # Both dialects speak the same ON CONFLICT; PostgreSQL's class serves as the type of both.
    insert: postgresql.Insert = (
        postgresql.insert(table)
        if dialect == "postgresql"
        else cast("postgresql.Insert", sqlite.insert(table))
    )
    if kind is JournalRow:
        return insert.on_conflict_do_nothing(index_elements=list(table.primary_key))
    new, old = insert.excluded, table.c
    changes: dict[str, Any] = {
        column.name: new[column.name] for column in table.c if not column.primary_key
    }
    if kind is CallRow:
        for name in _END_COLUMNS:
            changes[name] = case((old.planned_end, old[name]), else_=new[name])
        earlier = and_(
            old.started_at_us > 0,
            or_(new.started_at_us == 0, old.started_at_us < new.started_at_us),
        )
        changes["started_at_us"] = case((earlier, old.started_at_us), else_=new.started_at_us)
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
