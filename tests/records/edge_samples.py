"""Rows of the edge to write in tests."""

from __future__ import annotations

from typing import Any

from records.edge_rows import CallRequestRow, NumberRow, RecordingRow


def request(call_id: str = "call-1", **changes: Any) -> CallRequestRow:
    given = {
        "tenant_id": "acme",
        "call_id": call_id,
        "agent_id": "reception",
        "to_number": "+15550001",
        "from_number": "+15550002",
        **changes,
    }
    return CallRequestRow(**given)


def number(text: str = "+15550002", **changes: Any) -> NumberRow:
    return NumberRow(**{"number": text, "tenant_id": "acme", "agent_id": "reception", **changes})


def recording(sid: str = "RE1", **changes: Any) -> RecordingRow:
    given = {
        "recording_sid": sid,
        "tenant_id": "acme",
        "call_id": "call-1",
        "call_sid": "CA1",
        "status": "completed",
        "url": "https://carrier.example/RE1",
        "duration_s": 3.5,
        "channels": 2,
        "at_us": 9,
        **changes,
    }
    return RecordingRow(**given)
