"""How a request for a call goes forward: never back, in whatever order the carrier's reports come.

Pure: rows and reports in, the statuses that may be left behind and the new values out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from records.edge_rows import CallRequestRow, RequestStatus

_ORDER: tuple[RequestStatus, ...] = ("queued", "dialing", "placed", "answered")
OUTCOME_UNKNOWN = "outcome_unknown"

# The carrier's words to ours; those that are not here say nothing about the progress.
_STATUS: Mapping[str, RequestStatus] = {
    "queued": "placed",
    "initiated": "placed",
    "ringing": "placed",
    "answered": "answered",
    "in-progress": "answered",
    "completed": "completed",
    "busy": "busy",
    "no-answer": "no-answer",
    "failed": "failed",
    "canceled": "canceled",
}


def status_of(carrier_status: str) -> RequestStatus | None:
    """Our status for a status of the carrier's; None for one that we do not know."""
    return _STATUS.get(carrier_status)


def leaves_behind(row: CallRequestRow, status: RequestStatus) -> frozenset[str]:
    """The statuses from which a request may come to ``status``.

    A request that was given up with an unknown outcome comes back to life when the carrier speaks
    of its call after all.
    """
    rank = _ORDER.index(status) if status in _ORDER else len(_ORDER)
    behind = set(_ORDER[:rank])
    if row.status == "failed" and row.error.startswith(OUTCOME_UNKNOWN):
        behind.add("failed")
    return frozenset(behind)


def changes_for(
    row: CallRequestRow, status: RequestStatus, call_sid: str, why: str, error_code: int
) -> dict[str, Any]:
    """The new values of a request that has come to ``status``."""
    changes: dict[str, Any] = {"status": status}
    if call_sid and not row.call_sid:
        changes["call_sid"] = call_sid
    if status == "failed":
        changes |= {"error": why or "the carrier could not connect the call"}
        if error_code:
            changes["error_code"] = error_code
    elif row.error:
        changes["error"] = ""  # why it waited, or what was not known
    return changes
