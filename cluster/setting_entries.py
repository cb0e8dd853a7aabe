"""Settings of several entries: ``acme=20 beta=5``, by blanks or commas, each name once."""

from __future__ import annotations

import re
from collections.abc import Callable


def checked_entries(
    text: str,
    pattern: re.Pattern[str],
    how: str,
    check: Callable[[re.Match[str]], None] = lambda _entry: None,
) -> str:
    """The setting with one blank between its entries.

    Args:
        text: As a person wrote it.
        pattern: Of an entry: what stands before ``=`` is its name.
        how: What to write, for whoever wrote something else.
        check: What an entry must be besides. Raises ``ValueError``.

    Raises:
        ValueError: An entry cannot be read, or its name stands there twice.
    """
    entries = text.replace(",", " ").split()
    seen = set()
    for entry in entries:
        match = pattern.fullmatch(entry)
        if match is None:
            raise ValueError(f"{entry!r}: {how}, with blanks between them")
        check(match)
        name = entry.partition("=")[0]
        if name in seen:
            raise ValueError(f"{name} stands there twice")
        seen.add(name)
    return " ".join(entries)
