from __future__ import annotations

import pytest
from sqlalchemy.dialects import postgresql

from records.rows import CallRow, JournalRow, TurnRow
from records.statements import from_columns, to_columns, upsert
from tests.records.rows import call, entry, turn


@pytest.mark.parametrize("row", [call(), turn(), entry("e1")])
def test_a_row_survives_the_way_to_columns_and_back(row: CallRow | TurnRow | JournalRow) -> None:
    assert type(row)(**from_columns(to_columns(row))) == row


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "早晨\x00"])
def test_text_is_made_to_fit_both_databases(text: str) -> None:
    columns = to_columns(turn(caller_text=text))
    assert "\x00" not in columns["caller_text"]
    columns["caller_text"].encode("utf-8")


@pytest.mark.parametrize("kind", [CallRow, TurnRow, JournalRow])
def test_postgresql_gets_the_same_rules(kind: type) -> None:
    sql = str(upsert(kind, "postgresql").compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
    assert "ON CONFLICT (tenant_id, call_id" in sql
