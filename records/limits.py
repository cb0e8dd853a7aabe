"""How long a text may be in each column, so that SQLite and PostgreSQL refuse the same."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from records.errors import TextTooLong

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


def shortened(columns: Mapping[str, Any]) -> dict[str, Any]:
    """The same values, remarks and texts cut to their limits; ids stay as they are."""
    return {
        name: value[: _LIMITS[name] - len(_CUT)] + _CUT
        if name in _LIMITS and isinstance(value, str) and len(value) > _LIMITS[name]
        else value
        for name, value in columns.items()
    }
