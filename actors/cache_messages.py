"""What workers write to the owner of the response cache, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cache.errors import DeltasInvalid
from cache.replica_reports import REPORTS, Batch


def batch_of(plain: Any) -> Batch:
    """A ``tell``. Raises ``DeltasInvalid``."""
    message = _message(plain, "writer")
    number, encoder, lines = (message.get(name) for name in ("number", "encoder", "reports"))
    if type(number) is not int or not isinstance(encoder, str) or not isinstance(lines, bytes):
        raise DeltasInvalid("a batch has a number, an encoder and lines")
    return Batch(message["writer"], number, encoder, tuple(REPORTS.read(lines)))


def poll_of(plain: Any) -> tuple[str, tuple[int, int]]:
    """A ``watch``: who asks, and what they have seen. Raises ``DeltasInvalid``."""
    message = _message(plain, "reader")
    seen = message.get("seen")
    if not isinstance(seen, list | tuple) or [type(part) for part in seen] != [int, int]:
        raise DeltasInvalid("seen is a term and a number")
    return message["reader"], (seen[0], seen[1])


def copy_of(plain: Any) -> tuple[str, bytes]:
    """A ``restore``: which encoder, and the lines. Raises ``DeltasInvalid``."""
    message = _message(plain, "encoder")
    lines = message.get("state")
    if not isinstance(lines, bytes):
        raise DeltasInvalid("a copy is lines")
    return message["encoder"], lines


def _message(plain: Any, who: str) -> Mapping[str, Any]:
    if not isinstance(plain, Mapping) or not isinstance(plain.get(who), str):
        raise DeltasInvalid(f"a message is a mapping with a {who}")
    return plain
