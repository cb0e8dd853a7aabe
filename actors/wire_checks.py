"""What a value of a message between the halves of a call has to be, by its field's annotation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_counts(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(key, str) and (_is_int(count) or isinstance(count, float))
        for key, count in value.items()
    )


# By annotation, as dataclasses keep it under postponed evaluation: what the value has to be.
CHECKS: dict[str, Callable[[Any], bool]] = {
    "str": lambda value: isinstance(value, str),
    "str | None": lambda value: value is None or isinstance(value, str),
    "int": _is_int,
    "bool": lambda value: isinstance(value, bool),
    "tuple[int, int]": lambda value: (
        isinstance(value, tuple) and len(value) == 2 and all(map(_is_int, value))
    ),
    "tuple[str, ...]": lambda value: (
        isinstance(value, tuple) and all(isinstance(entry, str) for entry in value)
    ),
    "tuple[TurnEntry, ...]": lambda value: isinstance(value, tuple),
    "dict[str, float]": _is_counts,
    "dict[str, int]": _is_counts,
    "dict[str, Any]": lambda value: (
        isinstance(value, dict) and all(isinstance(key, str) for key in value)
    ),
    "tuple[dict[str, Any], ...]": lambda value: (
        isinstance(value, tuple) and all(isinstance(entry, dict) for entry in value)
    ),
    "dict[str, str]": lambda value: (
        isinstance(value, dict)
        and all(isinstance(part, str) for pair in value.items() for part in pair)
    ),
}
