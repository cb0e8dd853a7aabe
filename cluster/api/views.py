"""From rows of the stores to what the API shows."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from cluster.api.errors import ApiError
from cluster.api.schemas import (
    CallDetail,
    CallErrorView,
    CallView,
    EventView,
    RecordingView,
    TurnView,
)
from records.call_overview import CallOverview, OverviewCursor
from records.edge_rows import CallRequestRow, RecordingRow
from records.rows import CallRow, JournalRow, TurnRow


def instant(at_us: int) -> str | None:
    """UTC microseconds as RFC 3339; None for 0."""
    if not at_us:
        return None
    return (
        datetime.fromtimestamp(at_us / 1e6, UTC)
        .isoformat(timespec="microseconds")
        .replace("+00:00", "Z")
    )


def call_view(row: CallOverview) -> CallView:
    """A call in a list."""
    return CallView.model_validate(_fields(row))


def call_detail(
    row: CallOverview,
    call: CallRow | None,
    request: CallRequestRow | None,
    turns: Sequence[TurnRow],
    journal: Sequence[JournalRow],
    recordings: Sequence[RecordingRow],
) -> CallDetail:
    """A call with all that is known of it."""
    fields = _fields(row)
    mode = (request.options.get("machine_detection") or {}).get("mode") if request else None
    was_machine = row.answered_by.startswith("machine") or row.answered_by == "fax"
    if row.ended_at_us and mode == "hang_up" and was_machine:
        fields["end_reason"] = "machine"  # whoever closed the stream saw only that it was closed
    fields |= {
        "turns": [turn_view(turn) for turn in turns],
        "usage": dict(call.usage) if call else {},
        "cost": dict(call.cost) if call else {},
        "wasted_cost_usd": call.wasted_cost_usd if call else 0.0,
        "recordings": [
            RecordingView(
                recording_sid=each.recording_sid,
                status=each.status,
                url=each.url,
                duration_s=each.duration_s,
                channels=each.channels,
            )
            for each in recordings
        ],
        "events": [
            EventView(kind=entry.kind, at=instant(entry.at_us), data=dict(entry.data))
            for entry in journal
        ],
        "variables": dict(request.variables) if request else {},
        "attempts": request.attempts if request else 0,
    }
    return CallDetail.model_validate(fields)


def turn_view(turn: TurnRow) -> TurnView:
    """A turn."""
    return TurnView(
        turn_id=turn.turn_id,
        kind=turn.kind,
        caller_text=turn.caller_text,
        agent_text=turn.agent_text,
        heard_text=turn.heard_text,
        outcome=turn.outcome,
        reason=turn.reason,
        at=instant(turn.at_us),
        timeline_s=dict(turn.timeline),
        usage=dict(turn.usage),
        speculative_calls=turn.speculative_calls,
        wasted_calls=turn.wasted_calls,
        wasted_cost_usd=turn.wasted_cost_usd,
        cache=dict(turn.cache),
    )


def _fields(row: CallOverview) -> dict[str, Any]:
    is_failed = row.state in {"failed", "busy", "no-answer"} and (row.error or row.error_code)
    ended = row.ended_at_us and row.started_at_us
    return {
        "call_id": row.call_id,
        "state": row.state,
        "direction": row.direction,
        "agent_id": row.agent_id,
        "agent_version": row.agent_version,
        "from": row.from_number,
        "to": row.to_number,
        "call_sid": row.call_sid,
        "language": row.language,
        "mode": row.mode,
        "answered_by": row.answered_by,
        "created_at": instant(row.created_at_us) or "",
        "started_at": instant(row.started_at_us),
        "ended_at": instant(row.ended_at_us),
        "duration_s": (row.ended_at_us - row.started_at_us) / 1e6 if ended else None,
        "end_reason": row.end_reason,
        "waiting_for": row.error if row.state == "queued" else "",
        "error": CallErrorView(code=row.error_code, message=row.error) if is_failed else None,
        "cost_usd": row.cost_usd,
        "erased_at": instant(row.erased_at_us),
    }


def cursor_text(row: CallOverview) -> str:
    """Where the page after this call begins; opaque to clients."""
    plain = json.dumps([row.created_at_us, row.call_id], separators=(",", ":"))
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def read_cursor(text: str) -> OverviewCursor:
    """A cursor of ours. Raises ``ApiError``."""
    try:
        plain = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        at_us, call_id = plain
        if type(at_us) is int and abs(at_us) < 1 << 62 and isinstance(call_id, str):
            return at_us, call_id.encode("utf-8", "replace").decode().replace("\x00", "")
    except (binascii.Error, ValueError, TypeError, RecursionError):
        pass
    raise ApiError("cursor: not a cursor of this API", "invalid_request", "cursor")
