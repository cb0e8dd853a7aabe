"""Rows to write in tests."""

from __future__ import annotations

from typing import Any

from records.rows import CallRow, JournalRow, TurnRow

IDENTITY: dict[str, Any] = {
    "tenant_id": "acme",
    "agent_id": "reception",
    "agent_version": "1",
    "call_id": "call-1",
    "call_sid": "CA1",
}


def call(**changes: Any) -> CallRow:
    return CallRow(**{**IDENTITY, "started_at_us": 1_000, **changes})


def turn(turn_id: int = 1, **changes: Any) -> TurnRow:
    return TurnRow(**{**IDENTITY, "turn_id": turn_id, **changes})


def entry(entry_id: str, **changes: Any) -> JournalRow:
    return JournalRow(**{**IDENTITY, "entry_id": entry_id, **changes})
