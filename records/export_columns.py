"""What an export holds: the columns of its two tables, and how each is read from a row."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, Literal

from records.rows import CallRow, TurnRow

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_US: Final = 253_402_300_799_000_000  # the last second of the year 9999

Kind = Literal["text", "json", "instant", "whole", "number", "flag"]


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """One column.

    Attributes:
        kind: ``instant`` is a UTC datetime or None, ``json`` is text, ``number`` is in the unit
            that the name says.
        value: Reads it from a row.
    """

    name: str
    kind: Kind
    value: Callable[[Any], Any]


def _plain(kind: Kind, *names: str) -> list[ExportColumn]:
    return [ExportColumn(name, kind, _attribute(name)) for name in names]


def _attribute(name: str) -> Callable[[Any], Any]:
    return lambda row: getattr(row, name)


def _instant(name: str) -> ExportColumn:
    """``started_at`` of ``started_at_us``."""

    def read(row: Any) -> datetime | None:
        at_us: int = getattr(row, name)
        return _EPOCH + timedelta(microseconds=at_us) if 0 < at_us <= _LAST_US else None

    return ExportColumn(name.removesuffix("_us"), "instant", read)


def _json(*names: str) -> list[ExportColumn]:
    def reader(name: str) -> Callable[[Any], str]:
        return lambda row: json.dumps(getattr(row, name), ensure_ascii=False, sort_keys=True)

    return [ExportColumn(name, "json", reader(name)) for name in names]


def _duration_s(row: CallRow) -> float | None:
    if not (row.started_at_us and row.ended_at_us):
        return None
    return (row.ended_at_us - row.started_at_us) / 1_000_000


_IDENTITY: Final = [
    *_plain("text", "tenant_id", "call_id", "call_sid", "agent_id", "agent_version"),
]

CALL_COLUMNS: Final[Sequence[ExportColumn]] = (
    *_IDENTITY,
    *_plain("text", "direction", "caller", "called", "language", "mode"),
    _instant("started_at_us"),
    _instant("ended_at_us"),
    ExportColumn("duration_s", "number", _duration_s),
    *_plain("text", "status"),
    *_plain("flag", "planned_end"),
    *_plain("text", "end_reason"),
    *_plain("whole", "turn_id"),
    *_json("usage", "cost"),
    *_plain("number", "cost_usd", "wasted_cost_usd"),
    _instant("erased_at_us"),
)
TURN_COLUMNS: Final[Sequence[ExportColumn]] = (
    *_IDENTITY,
    *_plain("whole", "turn_id"),
    *_plain("text", "kind", "caller_text", "agent_text", "heard_text", "outcome", "reason"),
    _instant("at_us"),
    *_plain("number", "media_time_s"),
    *_json("timeline", "usage"),
    *_plain("whole", "speculative_calls", "wasted_calls"),
    *_plain("number", "wasted_cost_usd"),
    *_json("cache"),
)
COLUMNS_OF: Final[Mapping[type, Sequence[ExportColumn]]] = MappingProxyType(
    {CallRow: CALL_COLUMNS, TurnRow: TURN_COLUMNS}
)
