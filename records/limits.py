"""How long a text may be in each column, so that SQLite and PostgreSQL refuse the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, TypeVar

from records.errors import TextTooLong
from records.rows import CallRow, JournalRow, TurnRow

RowT = TypeVar("RowT", bound=CallRow | TurnRow | JournalRow)

MAX_ID_CHARS: Final = 255
MAX_REMARK_CHARS: Final = 4_000
MAX_TEXT_CHARS: Final = 1_000_000
_CUT = " [cut]"

# Everything not named here is an id, a number or a code.
_LIMITS: Mapping[str, int] = MappingProxyType(
    {
        "caller_text": MAX_TEXT_CHARS,
        "agent_text": MAX_TEXT_CHARS,
        "heard_text": MAX_TEXT_CHARS,
        "reason": MAX_REMARK_CHARS,
        "end_reason": MAX_REMARK_CHARS,
        "error": MAX_REMARK_CHARS,
        "url": MAX_REMARK_CHARS,
    }
)


def check_length(column: str, text: str) -> None:
    """See that a text fits its column.

    Raises:
        TextTooLong: It does not.
    """
    limit = _LIMITS.get(column, MAX_ID_CHARS)
    if len(text) > limit:
        raise TextTooLong(f"{column} is {len(text):,} characters long; at most {limit:,} are kept")


def shortened(row: RowT) -> RowT:
    """The same row, remarks and texts cut to their limits; ids stay as they are."""
    cut: dict[str, Any] = {
        name: text[: limit - len(_CUT)] + _CUT
        for name, limit in _LIMITS.items()
        if len(text := getattr(row, name, "")) > limit
    }
    return replace(row, **cut)
